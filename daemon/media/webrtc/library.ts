/** The part of @roamhq/wrtc that is used. Its own types lean on the browser's, which a daemon does not have. */
import { createRequire } from 'node:module'
import type { Planes } from './planes.ts'

export interface Track {
  kind: string
}

export interface Transport {
  state: string
}

export interface Transceiver {
  direction: string
  receiver: { track: Track }
  sender: { transport: Transport | null; replaceTrack(track: Track | null): Promise<void> }
}

export interface Description {
  type: string
  sdp: string
}

export interface Connection {
  connectionState: string
  iceGatheringState: string
  localDescription: Description | null
  onconnectionstatechange: (() => void) | null
  onicecandidate: (() => void) | null
  onicegatheringstatechange: (() => void) | null
  addTransceiver(kind: string, init: { direction: string }): Transceiver
  createOffer(): Promise<Description>
  createAnswer(): Promise<Description>
  setLocalDescription(description: Description): Promise<void>
  setRemoteDescription(description: Description): Promise<void>
  getTransceivers(): Transceiver[]
  close(): void
}

/** A picture as the library gives it, turned by `rotation` degrees clockwise before it stands upright. */
export interface SinkPicture extends Planes {
  rotation: number
}

export interface VideoSink {
  onframe: ((event: { frame: SinkPicture }) => void) | null
  stop(): void
}

/** Takes only pictures whose buffer has exactly their bytes, and no shared memory. */
export interface VideoSource {
  onFrame(picture: Planes): void
  createTrack(): Track
}

export interface Library {
  RTCPeerConnection: new (settings: { iceServers: readonly [] }) => Connection
  nonstandard: {
    RTCVideoSource: new () => VideoSource
    RTCVideoSink: new (track: Track) => VideoSink
  }
}

/** Loads the native library; its threads keep a process alive. */
export function loadLibrary(): Library {
  return createRequire(import.meta.url)('@roamhq/wrtc') as Library
}
