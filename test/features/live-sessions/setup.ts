/** Live sessions behind the household's real server, with cameras and pictures that tests play. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { CodedUnit } from '../../../daemon/domain/recording.ts'
import { createCalibrations } from '../../../daemon/features/live-sessions/calibrations.ts'
import type { LiveCamera } from '../../../daemon/features/live-sessions/cameras.ts'
import {
  createLiveSessions,
  type LiveSessions,
} from '../../../daemon/features/live-sessions/live-sessions.ts'
import type { TellPose } from '../../../daemon/features/live-sessions/parts.ts'
import type { Picture } from '../../../daemon/features/live-sessions/track.ts'
import { createRecordings } from '../../../daemon/features/recordings/recordings.ts'
import { createSessions, type Sessions } from '../../../daemon/features/sessions/sessions.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import type { DecoderSettings } from '../../../daemon/media/decoder/sandbox.ts'
import { createSegment } from '../../../daemon/media/record/segment.ts'
import { fitHomography, pixelAt } from '../../../models/vision/calibrate/homography.ts'
import type { Luma } from '../../../models/vision/kpi/moved.ts'
import { type FakeClock, fakeClock } from '../../fakes/clock.ts'
import { openHousehold, temporaryFolder } from '../../fakes/household.ts'

export const POINTS = [
  { pixel: { x: 60, y: 690 }, metres: { x: 0, y: 0 } },
  { pixel: { x: 1230, y: 680 }, metres: { x: 40, y: 0 } },
  { pixel: { x: 1010, y: 240 }, metres: { x: 40, y: 40 } },
  { pixel: { x: 280, y: 245 }, metres: { x: 0, y: 40 } },
]
export const PITCH = { width: 1280, height: 720, pitch: { length: 40, width: 40 } }

export interface Told {
  to: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  data: any
}

interface Options {
  folder?: string
  clock?: FakeClock
  /** How cameras' video is put into files; without it nothing is recorded. */
  decoder?: DecoderSettings
  age?: number | null
  /** Of single people, before `age`. */
  ages?: ReadonlyMap<string, number>
  /** Besides the two that are always there. */
  cameras?: LiveCamera[]
}

const GB = 1024 ** 3

function camera(id: string, personIds: string[] = []): LiveCamera {
  return { id, name: id, kind: 'push', enabled: true, analyse: true, online: true, addedBy: null, personIds }
}

export async function setup(t: TestContext, options: Options = {}) {
  const clock = options.clock ?? fakeClock()
  const folder = options.folder ?? temporaryFolder(t)
  const cameras = new Map(
    [camera('yard', ['mia', 'leo']), camera('side', ['mia']), ...(options.cameras ?? [])].map((one) => [
      one.id,
      one,
    ]),
  )
  const made: { sessions: Sessions; live: LiveSessions }[] = []
  /** What cameras show, small and grey. */
  const views = new Map<string, Luma>()
  const told: Told[] = []
  const poses: string[] = []
  const disk = { freeBytes: 20 * GB, totalBytes: 32 * GB }
  const watchers = new Map([...cameras.keys()].map((id) => [id, new Set<(unit: CodedUnit) => void>()]))
  const sources = new Map(
    [...watchers].map(([id, listening]) => [
      id,
      {
        onUnit(listener: (unit: CodedUnit) => void) {
          listening.add(listener)
          return () => void listening.delete(listener)
        },
        segment: (first: CodedUnit) => (options.decoder ? createSegment(options.decoder, first) : null),
      },
    ]),
  )
  const listeners = new Set<(picture: Picture, tellPose: TellPose) => void>()
  /** Skeletons of single players: who, in which tracks. */
  const alone: string[] = []
  const home = await openHousehold(t, {
    clock,
    folder,
    more(store, _now, parts) {
      let ids = 0
      const newId = () => `id-${++ids}-${clock.now()}`
      const log = createLog('silent')
      const sessions = createSessions({
        ...{ store, now: clock.now, newId, log, folder: join(folder, 'sessions') },
        groupExists: (groupId) => groupId === 'team',
        playersOf: () => ['mia', 'leo'],
      })
      const live = createLiveSessions({
        ...{ store, clock, log, newId },
        cameras: { get: (id) => cameras.get(id) ?? null, luma: (id) => views.get(id) ?? null },
        lending: {
          lent: () => [...cameras.values()].filter(({ lentTo }) => lentTo != null),
          async lend({ lender, sessionId, name, addedBy, personIds }) {
            const id = `phone-${lender}`
            cameras.set(id, { ...camera(id, [...personIds]), name, addedBy, lender, lentTo: sessionId })
            return id
          },
          async takeBack(id) {
            const lent = cameras.get(id)
            if (lent) cameras.set(id, { ...lent, lentTo: null, enabled: false })
          },
        },
        userName: (id) => parts.accounts.users().find((user) => user.id === id)?.name ?? null,
        calibrations: createCalibrations({ store, now: clock.now }),
        sessions: {
          ...sessions.register,
          open: ({ asked, ...session }) =>
            sessions.register.add({
              ...session,
              id: session.id ?? newId(),
              ...{ sessionType: 'live', startedAtMs: clock.now(), endedAtMs: null, durationMinutes: null },
              ...{ metadata: {}, kpis: null, live: true, asked: { ...asked } },
            }),
        },
        recorder: createRecordings({
          ...{ clock, log, disk: async () => disk },
          sourceOf(cameraId) {
            const source = sources.get(cameraId)
            return source ? { ...source, online: cameras.get(cameraId)?.online === true } : null
          },
          async keep({ key }, { cameraId, fromAtMs, toAtMs, mediaType, extension, body }) {
            const file = {
              id: newId(),
              sessionKey: key,
              name: `${fromAtMs}.${extension}`,
              mediaType,
              fromAtMs,
            }
            const { bytes } = await sessions.files.record(
              { ...file, camera: cameraId, createdBy: null, createdAtMs: clock.now() },
              body,
              toAtMs,
            )
            return bytes
          },
          erase: (key, sinceMs) => sessions.files.removeRecorded(key, sinceMs),
        }),
        ageOf: (personId) => options.ages?.get(personId) ?? (options.age === undefined ? 11 : options.age),
        playersOf: (groupId) => (groupId === 'team' ? ['mia', 'leo'] : null),
        onPicture(listener) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
        keepSeen: async () => {},
        tell: (sessionId, _type, data) => void told.push({ to: `session:${sessionId}`, data }),
        tellPlayer: (personId, data) => void told.push({ to: `person:${personId}`, data }),
      })
      made.push({ sessions, live })
      return [sessions.feature, live.feature]
    },
  })
  const owner = options.folder ? '' : await home.claimed()
  if (!options.folder) for (const id of ['mia', 'leo']) await home.people.add({ id, name: id, age: 11 })
  const show = (picture: Picture) => {
    const tell: TellPose = {
      session: (sessionId) => void poses.push(sessionId),
      player: (sessionId, personId, trackIds) =>
        void alone.push(`${sessionId} ${personId} ${trackIds.join(' ')}`),
    }
    for (const listener of listeners) listener(picture, tell)
  }
  /** Lets a camera send coded pictures, each at its time. */
  const film = async (cameraId: string, units: readonly CodedUnit[]) => {
    for (const unit of units) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      if (unit.capturedAtMs > clock.now()) clock.advance(unit.capturedAtMs - clock.now())
      for (const listener of watchers.get(cameraId) ?? []) listener(unit)
    }
  }
  return {
    ...home,
    ...made[0]!,
    owner,
    cameras,
    views,
    told,
    poses,
    alone,
    show,
    film,
    /** Who takes the coded pictures of a camera. */
    listening: (cameraId: string) => watchers.get(cameraId)?.size ?? 0,
    disk,
    watchers,
    folder,
  }
}

const fit = fitHomography(POINTS)

/** What a camera shows of people at these places of the pitch. */
export function pictureOf(
  cameraId: string,
  capturedAtMs: number,
  people: { trackId: number; x: number; y: number }[],
): Picture {
  return {
    ...{ cameraId, capturedAtMs, width: 1280, height: 720 },
    people: people.map(({ trackId, ...place }) => {
      const foot = fit.ok ? pixelAt(fit.homography, place) : null
      if (!foot) throw new Error('nobody stands there')
      return { trackId, box: { x: foot.x - 20, y: foot.y - 100, w: 40, h: 100 }, keypoints: [] }
    }),
  }
}
