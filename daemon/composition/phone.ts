/** A phone in front of the players: it brings its picture by WebRTC, or looks by itself and brings what it found. The newest way wins. */
import type { CameraStream, CameraVision } from '../domain/camera.ts'
import type { Running, RunState } from '../features/cameras/footage.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import type { Relay } from '../media/view/relay.ts'
import { createSensed } from '../media/vision/sensed.ts'
import type { Webrtc } from '../media/webrtc/webrtc.ts'
import type { HubVision } from './vision.ts'

export interface Phone {
  receive: NonNullable<Running['receive']>
  sense: NonNullable<Running['sense']>
  /** Null while the phone does not look by itself. */
  state(): Pick<RunState, 'status' | 'sinceMs' | 'stream' | 'lastFrameAtMs'> | null
  vision(): CameraVision | null
  stop(): void
}

export interface PhoneDeps {
  cameraId: string
  analyse: boolean
  clock: Clock
  relay: Relay
  webrtc: Webrtc
  vision: Pick<HubVision, 'admit' | 'firstTrackId' | 'flush'>
  /** Begins and ends the hub's own look at the pictures. */
  looking: { begin(): void; end(): void }
  onChange: () => void
}

const NOTE =
  'This phone finds joints by itself, one player at a time. No picture leaves it, so for metres calibrate it while it sends its picture, and leave it standing.'

export function createPhone({ cameraId, clock, relay, webrtc, vision, looking, ...deps }: PhoneDeps): Phone {
  let received: string | null = null
  const sensed = createSensed({
    ...{ cameraId, clock, onResult: vision.admit },
    firstTrackId: () => vision.firstTrackId(cameraId),
    onChange() {
      if (sensed.state() === null) void vision.flush(cameraId)
      deps.onChange()
    },
  })

  function hangUp(): void {
    if (received !== null) webrtc.closeReceive(received)
    received = null
  }

  return {
    async receive(offerSdp) {
      const { id, answerSdp, source } = await webrtc.receive(offerSdp)
      hangUp()
      sensed.end()
      received = id
      looking.begin()
      relay.attach(source)
      return { id, sdp: answerSdp }
    },
    sense(batch, from) {
      if (!deps.analyse)
        throw new HubError('CONFLICT', 'Nobody is looked for on this camera. Switch “Look for players” on.')
      const isFirst = sensed.state() === null
      const verdict = sensed.take(batch, from)
      if (isFirst) {
        hangUp()
        looking.end()
      }
      return verdict
    },
    state() {
      const now = sensed.state()
      if (!now) return null
      const { sinceMs, lastFrameAtMs, width, height, fps } = now
      const stream: CameraStream = {
        ...{ codec: 'landmarks', width, height, fps, declared_fps: null },
        ...{ keyframe_interval_s: null, clock: 'relative' },
      }
      return { status: 'online', sinceMs, stream, lastFrameAtMs }
    },
    vision() {
      const now = sensed.state()
      if (!now) return null
      const { detector, pose, fps, people, ageMsP50, ageMsP99 } = now
      return {
        ...{ state: 'running', detector, pose, fps, people, note: NOTE },
        ...{ age_ms_p50: ageMsP50, age_ms_p99: ageMsP99 },
      }
    },
    stop() {
      sensed.end()
    },
  }
}
