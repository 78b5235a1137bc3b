/** Video of a session as it is kept: coded pictures as a camera sends them, in files of about a minute. */
import type { Readable } from 'node:stream'

/** One coded picture: H.264/HEVC in Annex B with its parameter sets before each keyframe, or one whole JPEG. */
export interface CodedUnit {
  codec: 'h264' | 'hevc' | 'jpeg'
  data: Uint8Array
  keyframe: boolean
  capturedAtMs: number
  arrivedAtMs: number
}

/** One file that grows. Pictures are put into a container as they are, never coded anew. */
export interface Segment {
  readonly mediaType: string
  /** Of the file's name, without a dot. */
  readonly extension: string
  /** The file's bytes; fails when it could not be finished. */
  readonly output: Readable
  /** Whether this picture can go on in the file: it has the same codec and size. */
  fits(unit: CodedUnit): boolean
  /** Never waits; false: the picture was left out, because too much waits already. */
  feed(unit: CodedUnit): boolean
  /** No more pictures come: the file is finished. */
  end(): void
  /** Gives the file up at once. */
  abandon(): void
}

/** Where coded pictures come from while a camera runs. */
export interface UnitSource {
  /** Told of every coded picture as it arrives; the returned function ends it. */
  onUnit(listener: (unit: CodedUnit) => void): () => void
  /** Begins a file with a keyframe; null when that picture cannot begin one. */
  segment(first: CodedUnit): Segment | null
}

export const RECORDING_STATES = ['off', 'recording', 'waiting', 'stopped'] as const
/** `waiting` goes on by itself, `stopped` does not. */
export type RecordingState = (typeof RECORDING_STATES)[number]

export const RECORDING_REASONS = [
  'camera_away',
  'no_coded_video',
  'no_space',
  'minor_joined',
  'not_written',
] as const
/** Why nothing is recorded now. */
export type RecordingReason = (typeof RECORDING_REASONS)[number]

export interface CameraRecording {
  cameraId: string
  state: RecordingState
  reason: RecordingReason | null
  /** Finished files and their bytes since the hub started. */
  files: number
  bytes: number
  /** Pictures that came and are in no file. */
  lost: number
}
