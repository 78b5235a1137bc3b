/** Where pictures come from and how they are shown: every protocol behind the one port that the cameras feature asks. */
import { lookup } from 'node:dns/promises'
import { fileURLToPath } from 'node:url'
import { type Luma, shrink } from '../../models/vision/kpi/moved.ts'
import type { CameraVision } from '../domain/camera.ts'
import type { Credentials } from '../features/cameras/address.ts'
import type { Footage, FoundStream, Probed, Running, ToRun } from '../features/cameras/footage.ts'
import { createReach, type Reach } from '../features/cameras/reach.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { type Camera, createCamera, type MeasuredStream } from '../media/camera.ts'
import { createFileSource } from '../media/decoder/file.ts'
import { type DecoderSettings, findDecoder } from '../media/decoder/sandbox.ts'
import { createFrameRing, type FrameRing } from '../media/frames.ts'
import { createMjpegSource } from '../media/jpeg/http.ts'
import { createPushedSource, type PushedSource } from '../media/jpeg/pushed.ts'
import { discoverOnvif } from '../media/onvif/discover.ts'
import { onvifStreams } from '../media/onvif/streams.ts'
import { probe } from '../media/probe.ts'
import { createSegment } from '../media/record/segment.ts'
import { createRtspSource } from '../media/rtsp/source.ts'
import { type Source, SourceFailure } from '../media/source.ts'
import { createEncoder, type Encoder } from '../media/view/encoder.ts'
import { createKeptPictures } from '../media/view/kept.ts'
import { showPictures } from '../media/view/multipart.ts'
import { createPictures } from '../media/view/pictures.ts'
import { createRelay, type Relay } from '../media/view/relay.ts'
import type { VisionState } from '../media/vision/result.ts'
import { createWebrtc, type Webrtc } from '../media/webrtc/webrtc.ts'
import { createPhone } from './phone.ts'
import type { HubVision } from './vision.ts'

/** One is written, one is newest; the models, the pictures and WebRTC hold one each while they read it, a fast model two. */
const SLOTS = 6
/** Cameras that sleep answer late, and people wait for a list. */
const DISCOVERY_MS = 3000
const VISION_OFF: CameraVision = {
  ...{ state: 'off', detector: null, pose: null, fps: null, age_ms_p50: null, age_ms_p99: null },
  ...{ people: null, note: null },
}

export interface FootageDeps {
  clock: Clock
  log: Log
  /** `cameras.allowPublic`. */
  allowPublic: boolean
  /** The machine's own addresses, and the ports that the hub listens on. */
  own: () => { addresses: readonly string[]; ports: readonly number[] }
  vision: Pick<HubVision, 'attach' | 'state' | 'admit' | 'firstTrackId' | 'flush'>
}

interface Workshop extends FootageDeps {
  reach: Reach
  encoder: Encoder
  webrtc: Webrtc
  decoder: () => Promise<DecoderSettings>
}

export function openFootage(deps: FootageDeps): Footage {
  let found: Promise<DecoderSettings> | null = null
  let settings: DecoderSettings | null = null
  const workshop: Workshop = {
    ...deps,
    reach: createReach({
      lookup: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
      own: deps.own,
      allowPublic: deps.allowPublic,
    }),
    encoder: createEncoder(deps),
    webrtc: createWebrtc(deps),
    decoder() {
      found ??= findDecoder()
      return found
    },
  }
  return {
    async open() {
      settings = await workshop.decoder()
      const { version, sandbox } = settings
      deps.log.info({ ffmpeg: version, missing: sandbox.missing }, 'decoder found')
    },
    run(camera) {
      if (!settings) throw new Error('footage runs after it was opened')
      return runCamera(camera, settings, workshop)
    },
    probe: (camera) => look(camera, workshop),
    discover: () => discoverOnvif({ clock: deps.clock, forMs: DISCOVERY_MS }),
    streams: (camera) => streamsOf(camera, workshop),
    async close() {
      await Promise.all([workshop.encoder.stop(), workshop.webrtc.stop()])
    },
  }
}

type Asked = Parameters<Footage['streams']>[0]

async function streamsOf({ xaddr, credentials }: Asked, { reach, clock }: Workshop): Promise<FoundStream[]> {
  const address = await reach.admit(xaddr)
  try {
    return await onvifStreams({ xaddr: atAddress(xaddr, address), credentials, clock })
  } catch (cause) {
    if (!(cause instanceof SourceFailure)) throw cause
    const { code, message } = cause
    if (code === 'unreachable') throw new HubError('NOT_FOUND', message, { cause })
    const path = code === 'unauthorized' ? 'password' : 'xaddr'
    throw new HubError('VALIDATION_ERROR', message, { cause, details: [{ path, message }] })
  }
}

type Fetched = Pick<ToRun, 'kind' | 'url' | 'credentials'>

interface Feed {
  source: Source
  pushed: PushedSource | null
  relay: Relay | null
}

function feedOf(camera: Fetched, workshop: Workshop, decoder: DecoderSettings): Feed {
  const none = { pushed: null, relay: null }
  switch (camera.kind) {
    case 'mqtt':
    case 'push': {
      const pushed = createPushedSource(workshop)
      return { source: pushed, pushed, relay: null }
    }
    case 'phone': {
      const relay = createRelay()
      return { source: relay, pushed: null, relay }
    }
    default:
      return { source: fetched(camera, workshop, decoder), ...none }
  }
}

function fetched(
  { kind, url, credentials }: Fetched,
  { reach, clock }: Workshop,
  decoder: DecoderSettings | null,
): Source {
  const notRead = refused(
    new SourceFailure('unsupported', `Cameras of kind ${kind} are not read by this hub.`),
  )
  if (url === null) return refused(new SourceFailure('unsupported', 'This camera has no address.'))
  const reached = (make: (deps: { url: string; credentials: Credentials | null; clock: Clock }) => Source) =>
    admitted(reach, url, (address) => make({ url: address, credentials, clock }))
  switch (kind) {
    case 'rtsp':
      return reached(createRtspSource)
    case 'mjpeg':
      return reached(createMjpegSource)
    case 'file':
      return decoder ? createFileSource({ path: fileURLToPath(url), decoder, clock }) : notRead
    default:
      return notRead
  }
}

/** Asks at every attempt where the name leads now, and connects to that very address. */
function admitted(reach: Reach, url: string, make: (address: string) => Source): Source {
  return {
    start(sink) {
      let close = () => {}
      let over = false
      reach.admit(url).then(
        (address) => {
          if (!over) close = make(atAddress(url, address)).start(sink)
        },
        (cause: unknown) => {
          const message = cause instanceof HubError ? cause.message : 'The address cannot be used.'
          if (!over) sink.failed(new SourceFailure('unreachable', message))
        },
      )
      return () => {
        over = true
        close()
      }
    },
  }
}

/** Certificates are for names, and guard against a name that leads elsewhere a moment later. */
function atAddress(url: string, address: string): string {
  const to = new URL(url)
  if (to.protocol === 'https:' || to.protocol === 'rtsps:') return url
  to.hostname = address.includes(':') ? `[${address}]` : address
  return to.href
}

function refused(cause: SourceFailure): Source {
  return {
    start(sink) {
      queueMicrotask(() => sink.failed(cause))
      return () => {}
    },
  }
}

function runCamera(toRun: ToRun, decoder: DecoderSettings, workshop: Workshop): Running {
  const { clock, log, encoder, webrtc, vision } = workshop
  const { source, pushed, relay } = feedOf(toRun, workshop, decoder)
  const ring = createFrameRing({ slots: SLOTS })
  const camera = createCamera({ id: toRun.id, source, clock, log, decoder, ring })
  const pictures = createPictures({ ring: camera.ring, onJpeg: camera.onJpeg, encoder })
  const looking = createLooking(() => (toRun.analyse ? vision.attach(camera) : () => {}))
  looking.begin()
  const listeners = new Set<() => void>()
  const phone =
    relay &&
    createPhone({
      ...{ cameraId: toRun.id, analyse: toRun.analyse, clock, relay, webrtc, vision, looking },
      onChange() {
        for (const listener of listeners) listener()
      },
    })
  camera.start()
  return {
    state: () => ({ ...stateOf(camera), ...phone?.state() }),
    onState(listener) {
      listeners.add(listener)
      const forget = camera.onState(listener)
      return () => {
        forget()
        listeners.delete(listener)
      }
    },
    // What comes by WebRTC reaches the hub decoded, and is coded anew to be kept.
    onUnit: relay ? createKeptPictures({ pictures, clock, log }).onUnit : camera.onUnit,
    segment: (first) => createSegment(decoder, first),
    picture: () => pictures.newest(),
    luma: () => lumaOf(ring),
    show: (out, { fps, boundary }) => showPictures(pictures, out, { fps, boundary, clock }),
    push:
      pushed &&
      ((jpeg, arrivedAtMs, deviceMs) =>
        pushed.push(Uint8Array.from(jpeg), { arrivedAtMs, ...(deviceMs !== undefined && { deviceMs }) })),
    async view(offerSdp) {
      const { id, answerSdp } = await webrtc.view(ring, offerSdp)
      return { id, sdp: answerSdp }
    },
    closeView: (id) => void webrtc.closeView(id),
    receive: phone?.receive ?? null,
    sense: phone?.sense ?? null,
    closeReceive: (id) => void webrtc.closeReceive(id),
    onOver: (listener) => webrtc.onClosed(({ id }) => listener(id)),
    vision: () => phone?.vision() ?? (toRun.analyse ? visionOf(vision.state(camera.id)) : VISION_OFF),
    async stop() {
      phone?.stop()
      looking.end()
      pictures.stop()
      await camera.stop()
    },
  }
}

/** The grey plane comes first in every picture. */
function lumaOf(ring: FrameRing): Luma | null {
  const frame = ring.newest()
  if (frame === null) return null
  try {
    return shrink(frame)
  } finally {
    frame.release()
  }
}

/** The hub's own look at a camera, which is begun anew when a phone that looked by itself sends its picture again. */
function createLooking(attach: () => () => void) {
  let detach: (() => void) | null = null
  return {
    begin() {
      detach ??= attach()
    },
    end() {
      detach?.()
      detach = null
    },
  }
}

function visionOf(state: VisionState | null): CameraVision {
  if (state === null) return { ...VISION_OFF, state: 'starting' }
  const { detector, pose, fps, ageMsP50, ageMsP99, people, note } = state
  return {
    ...{ state: state.state, detector, pose, fps, people, note },
    ...{ age_ms_p50: ageMsP50, age_ms_p99: ageMsP99 },
  }
}

function stateOf(camera: Camera): ReturnType<Running['state']> {
  const { status, sinceMs, reason, stream, lastFrameAtMs, restarts, frames, dropped } = camera.state()
  return {
    ...{ sinceMs, reason, lastFrameAtMs, restarts, frames, dropped },
    status: status === 'stopped' ? 'offline' : status,
    stream: stream && shownStream(stream),
  }
}

function shownStream({ codec, width, height, fps, declaredFps, keyframeIntervalS, clock }: MeasuredStream) {
  const tenths = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10)
  return {
    ...{ codec, width, height, clock },
    fps: tenths(fps),
    declared_fps: tenths(declaredFps),
    keyframe_interval_s: tenths(keyframeIntervalS),
  }
}

async function look(camera: Fetched, workshop: Workshop): Promise<Probed> {
  const { clock, encoder } = workshop
  try {
    const decoder = await workshop.decoder()
    const { stream, firstFrameMs, frame } = await probe({
      source: fetched(camera, workshop, null),
      clock,
      decoder,
    })
    return { stream: shownStream(stream), firstFrameMs, previewJpeg: await encoder.encode(frame) }
  } catch (cause) {
    if (!(cause instanceof SourceFailure)) throw cause
    return { problem: { code: cause.code, message: cause.message } }
  }
}
