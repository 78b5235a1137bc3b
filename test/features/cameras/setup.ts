/** The cameras feature behind the household's real server, with footage that tests play themselves. */
import type { TestContext } from 'node:test'
import type { CameraReason } from '../../../daemon/domain/camera.ts'
import { createCameras } from '../../../daemon/features/cameras/cameras.ts'
import type { Footage, Running, RunState, ToRun } from '../../../daemon/features/cameras/footage.ts'
import { expiryOf } from '../../../daemon/features/live-channel/conversation.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { openHousehold } from '../../fakes/household.ts'

export interface Played {
  started: ToRun
  stopped: boolean
  pushed: Uint8Array[]
  shown: { end: boolean }[]
  views: string[]
  closed: string[]
  over: Set<(id: string) => void>
  become(status: RunState['status'], reason?: CameraReason | null): void
  picture: { jpeg: Uint8Array; capturedAtMs: number } | null
}

/** Footage in the hands of a test. */
export function playedFootage() {
  const played: Played[] = []
  const footage: Footage = {
    open: async () => {},
    close: async () => {},
    run(camera) {
      const listeners = new Set<() => void>()
      const state: RunState = {
        ...{ status: 'connecting', sinceMs: 0, reason: null, stream: null, lastFrameAtMs: null },
        ...{ restarts: 0, frames: 0, dropped: 0 },
      }
      const one: Played = {
        started: camera,
        stopped: false,
        pushed: [],
        shown: [],
        views: [],
        closed: [],
        over: new Set(),
        picture: null,
        become(status, reason = null) {
          Object.assign(state, { status, reason })
          for (const listener of listeners) listener()
        },
      }
      played.push(one)
      return runningOf(one, () => ({ ...state }), listeners)
    },
    probe: async ({ credentials }) =>
      credentials?.password === 'right'
        ? { stream: STREAM, firstFrameMs: 12.4, previewJpeg: Uint8Array.of(0xff, 0xd8) }
        : { problem: { code: 'unauthorized', message: 'The camera wants another password.' } },
    discover: async () => [
      { name: 'Yard', address: '192.168.1.9', xaddr: 'http://192.168.1.9/onvif', hardware: null },
    ],
    streams: async () => [
      { name: 'main', uri: 'rtsp://192.168.1.9/main', codec: 'h264', width: 1280, height: 720 },
    ],
  }
  return { footage, played }
}

const STREAM = {
  ...{ codec: 'h264' as const, width: 640, height: 360, fps: 15, declared_fps: 15 },
  ...{ keyframe_interval_s: 2, clock: 'arrival' as const },
}

function runningOf(one: Played, state: () => RunState, listeners: Set<() => void>): Running {
  return {
    state,
    onState(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onUnit: () => () => {},
    segment: () => null,
    picture: async () => one.picture,
    luma: () => null,
    show(out, { boundary }) {
      const entry = { end: false }
      one.shown.push(entry)
      out.write(`--${boundary}\r\n`)
      return () => {
        entry.end = true
      }
    },
    push:
      one.started.kind === 'mqtt' || one.started.kind === 'push'
        ? (jpeg) => void one.pushed.push(jpeg)
        : null,
    view: async (offer) => {
      one.views.push(offer)
      return { id: `view-${one.views.length}`, sdp: 'v=0 answer' }
    },
    closeView: (id) => void one.closed.push(id),
    receive: one.started.kind === 'phone' ? async () => ({ id: 'phone-1', sdp: 'v=0 answer' }) : null,
    closeReceive: (id) => void one.closed.push(id),
    sense:
      one.started.kind === 'phone'
        ? ({ frames }) => ({ taken: frames.length - 1, outOfOrder: 1, tooOld: 0, tooFast: 0 })
        : null,
    onOver(listener) {
      one.over.add(listener)
      return () => void one.over.delete(listener)
    },
    vision: () => null,
    async stop() {
      one.stopped = true
    },
  }
}

export async function setup(t: TestContext) {
  const { footage, played } = playedFootage()
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => void lines.push(line) })
  const told: { type: string; data: object }[] = []
  let cameras: ReturnType<typeof createCameras> | null = null
  // The household comes after its features, which ask it only when somebody is there to ask.
  const home = await openHousehold(t, {
    more: (store) => {
      cameras = createCameras({
        ...{ store, log, footage, expiryOf, secret: new Uint8Array(32).fill(3) },
        clock: {
          now: () => home.clock.now(),
          monotonic: () => 0,
          after: () => () => {},
          every: (ms, fn) => home.clock.every(ms, fn),
        },
        personExists: (id) => home.people.exists(id),
        device: (id) => {
          if (home.devices.actorOf(id) === null) return null
          const { type, person_id: personId } = home.devices.view(id)
          return { type, personId }
        },
        current: (actor) => (actor.kind === 'user' ? home.accounts.actorOf(actor.signInId) : actor),
        notify: (type, data) => void told.push({ type, data }),
      })
      return [cameras.feature]
    },
  })
  if (!cameras) throw new Error('no cameras')
  const owner = await home.claimed()
  for (const id of ['mia', 'tom']) await home.people.add({ id, name: id, age: 15 })
  const letIn = async (role: string, person_id: string, classes?: string[]) =>
    (await home.letIn(owner, { role, person_id, ...(classes ? { classes } : {}) })).access_token
  return { ...home, cameras: cameras as ReturnType<typeof createCameras>, owner, played, lines, told, letIn }
}
