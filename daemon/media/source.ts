/** What a camera's stream gives, whatever protocol brings it. Each protocol is a Source; `camera.ts` supervises one. */
import type { FrameSize } from './frames.ts'

export type Codec = 'h264' | 'hevc' | 'jpeg'

/** How well the hub knows when a picture was taken: told by the camera's synchronised clock, by differences of its own clock, or only when it arrived. */
export type ClockQuality = 'synchronised' | 'relative' | 'arrival'

export interface Times {
  capturedAtMs: number
  arrivedAtMs: number
}

/** One coded picture: H.264/HEVC in Annex B with its parameter sets before each keyframe, or one whole JPEG. */
export interface AccessUnit extends Times {
  codec: Codec
  data: Uint8Array
  keyframe: boolean
}

/** What is known before or while pictures come; null: not yet. */
export interface StreamFacts {
  codec: Codec | 'raw'
  width: number | null
  height: number | null
  /** As the stream declares it. What really arrives is measured by the camera. */
  declaredFps: number | null
  clock: ClockQuality
}

export type FailureCode =
  | 'unreachable'
  | 'unauthorized'
  | 'not-found'
  | 'unsupported'
  | 'too-large'
  | 'malformed'
  | 'stalled'
  | 'ended'

/** Why an attempt ended. The message is for the owner, says what to do, and holds no credential. */
export class SourceFailure extends Error {
  readonly code: FailureCode
  constructor(code: FailureCode, message: string) {
    super(message)
    this.name = 'SourceFailure'
    this.code = code
  }
}

/** Where a source puts what it gets. After `failed`, or after it was closed, a source says nothing more. */
export interface SourceSink {
  described(facts: StreamFacts): void
  unit(unit: AccessUnit): void
  /** A picture that came decoded (WebRTC): `fill` writes I420 into the slot, unless there is none. */
  picture(size: FrameSize, times: Times, fill: (data: Uint8Array) => void): void
  failed(cause: SourceFailure): void
}

/** One way to reach one camera. `start` makes one attempt; the returned function closes it. */
export interface Source {
  /** It cannot be asked again, only waited for (pushed pictures): a silence does not close it. */
  readonly passive?: boolean
  start(sink: SourceSink): () => void
}
