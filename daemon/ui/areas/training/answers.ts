/** What the hub answers about cameras and models, as far as the area reads it; names are the API's. */
export type { Camera, CameraKind, CameraReason, CameraStream, CameraVision } from '../../../domain/camera.ts'

import type { CameraReason, CameraStream } from '../../../domain/camera.ts'

export type Looked =
  | { ok: true; stream: CameraStream; first_frame_ms: number; preview_jpeg_base64: string }
  | { ok: false; problem: CameraReason }

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

export interface ListedModel {
  name: string
  version: string | null
  family: string
  licence: string | null
  bytes: number | null
  sha256: string | null
  /** `bundled`, `pulled`, `imported`, or the command that brings it. */
  state: string
}

export interface Models {
  models: ListedModel[]
  unreadable: string[]
  hint: string | null
  packs: string[]
}

export interface Job {
  id: string
  status: string
  progress: number
  stage: string | null
  error: string | null
}
