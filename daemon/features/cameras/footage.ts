/** What this feature needs of the part that fetches, decodes and shows pictures. */
import type { Writable } from 'node:stream'
import type { CameraKind, CameraReason, CameraStream, CameraVision } from '../../domain/camera.ts'
import type { LandmarkBatch, LandmarkVerdict } from '../../domain/landmarks.ts'
import type { UnitSource } from '../../domain/recording.ts'
import type { Credentials } from './address.ts'

/** How one camera is doing. */
export interface RunState {
  status: 'connecting' | 'online' | 'offline'
  sinceMs: number
  reason: CameraReason | null
  stream: CameraStream | null
  lastFrameAtMs: number | null
  restarts: number
  frames: number
  dropped: number
}

export interface Picture {
  jpeg: Uint8Array
  capturedAtMs: number
}

export interface Described {
  id: string
  sdp: string
}

/** One camera that is looked after: fetched from, or ready to be sent to. */
export interface Running extends UnitSource {
  state(): RunState
  /** Told when the status changes; the returned function ends it. */
  onState(listener: () => void): () => void
  /** The newest picture; null before the first one. Rejects when it cannot be encoded. */
  picture(): Promise<Picture | null>
  /** The newest picture, small and grey; null before the first one. */
  luma(): { width: number; height: number; data: Uint8Array } | null
  /** Writes pictures to `out` as multipart, at most `fps` a second; a slow reader misses pictures. Returns the end. */
  show(out: Writable, options: { fps: number; boundary: string }): () => void
  /**
   * Takes one JPEG, and when it was taken by the clock of who sends it, where that is known; throws VALIDATION_ERROR or TOO_LARGE. Null
   * for cameras that are fetched from.
   */
  push: ((jpeg: Uint8Array, arrivedAtMs: number, deviceMs?: number) => void) | null
  /** Answers a viewer's WebRTC offer. Rejects with VALIDATION_ERROR for what is none, OVERLOADED when too many look. */
  view(offerSdp: string): Promise<Described>
  closeView(viewId: string): void
  /** Takes a phone's WebRTC offer; the newest phone is the camera. Null for cameras of other kinds. */
  receive: ((offerSdp: string) => Promise<Described>) | null
  closeReceive(streamId: string): void
  /**
   * Takes what a phone saw by itself, on a connection whose name sorts behind those that were opened before it. Throws CONFLICT once
   * another one took over, VALIDATION_ERROR for times that cannot be. Null for cameras of other kinds.
   */
  sense: ((batch: LandmarkBatch, from: string) => LandmarkVerdict) | null
  /** Told which view or reception is over, of this camera or another; the returned function ends it. */
  onOver(listener: (id: string) => void): () => void
  vision(): CameraVision | null
  stop(): Promise<void>
}

export interface ToRun {
  id: string
  kind: CameraKind
  url: string | null
  credentials: Credentials | null
  analyse: boolean
}

/** What one look at an address gave. */
export type Probed =
  | { stream: CameraStream; firstFrameMs: number; previewJpeg: Uint8Array }
  | { problem: CameraReason }

export interface FoundCamera {
  name: string
  address: string
  xaddr: string
  hardware: string | null
}

export interface FoundStream {
  name: string
  uri: string
  codec: string | null
  width: number | null
  height: number | null
}

export interface Footage {
  /** Finds out what this machine can do; nothing runs before. */
  open(): Promise<void>
  run(camera: ToRun): Running
  probe(camera: Omit<ToRun, 'id' | 'analyse'>): Promise<Probed>
  /** Asks the network who is a camera (ONVIF). */
  discover(): Promise<FoundCamera[]>
  /** Streams of a camera that was found. Rejects with HubError. */
  streams(camera: { xaddr: string; credentials: Credentials | null }): Promise<FoundStream[]>
  close(): Promise<void>
}
