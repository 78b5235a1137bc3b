/** Puts training together: sessions, calibrated cameras, and what players do in front of them. */
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'

import type { Actor } from '../domain/access.ts'
import { ageOn } from '../domain/person.ts'
import type { Jobs } from '../features/jobs/jobs.ts'
import { createCalibrations } from '../features/live-sessions/calibrations.ts'
import type { Lending, LiveCamera, LiveCameras } from '../features/live-sessions/cameras.ts'
import { createLiveSessions, type LiveSessions } from '../features/live-sessions/live-sessions.ts'
import type { SessionKeeper } from '../features/live-sessions/parts.ts'
import type { People } from '../features/people/people.ts'
import { createRecordings, type Recordings } from '../features/recordings/recordings.ts'
import { expireRecordings, KEPT_DAYS } from '../features/sessions/expiry.ts'
import { createSessions, type Sessions } from '../features/sessions/sessions.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'
import { poseEvent } from '../media/vision/pose-event.ts'
import { createRetentionSetting } from '../store/retention-limits.ts'
import type { Alarms } from './alarms.ts'
import type { HubCameras } from './cameras.ts'
import type { HubVision } from './vision.ts'

export type Training = ReturnType<typeof openTraining>

interface Neighbours {
  cameras: HubCameras
  vision: Pick<HubVision, 'onResult' | 'flush'>
  live: Live
  people: People
  jobs: Jobs
  groups: Alarms['groups']
  userName: (userId: string) => string | null
}

export type HubTraining = ReturnType<typeof openTraining>

/** Nothing is looked at before the features start. */
export function openTraining(
  house: House,
  { cameras, vision, live, people, jobs, groups, userName }: Neighbours,
) {
  const { store, clock, log, dataDir } = house
  const id = () => newId(clock.now())
  const sessions = createSessions({
    ...{ store, now: clock.now, newId: id, log: log.child({ part: 'sessions' }) },
    folder: join(dataDir, 'sessions'),
    groupExists: (groupId) => groups.get(groupId) !== undefined,
    playersOf: groups.playersOf,
  })
  const ageAt = (personId: string, atMs: number) => {
    const person = people.get(personId)
    if (!person) return null
    return person.birthDate === null ? person.age : ageOn(person.birthDate, atMs, person.timezone)
  }
  const retention = createRetentionSetting(store)
  jobs.handle('expire-recordings', {
    queue: 'low',
    run: async ({ signal }) => ({
      result: await expireRecordings(
        {
          ...{ store, files: sessions.files, now: clock.now, ageAt },
          keptDays: { ...KEPT_DAYS, minors: retention.read().minors_video_days },
        },
        signal,
      ),
    }),
  })
  jobs.schedule({ kind: 'expire-recordings', cron: '30 3 * * *' })
  const calibrations = createCalibrations({ store, now: clock.now })
  const liveSessions = createLiveSessions({
    ...{ store, clock, newId: id, log: log.child({ part: 'live-sessions' }) },
    cameras: camerasFor(cameras),
    lending: lendingFor(cameras),
    calibrations,
    sessions: keeperOf(sessions, { now: clock.now, newId: id }),
    recorder: recorderOf(house, { cameras, sessions, newId: id }),
    ageOf: (personId) => ageAt(personId, clock.now()),
    userName,
    playersOf: (groupId) => (groups.get(groupId) ? groups.playersOf(groupId) : null),
    onPicture: (listener) =>
      vision.onResult((result) =>
        listener(result, {
          session: (sessionId) =>
            void live.publishBinary(`session:${sessionId}`, 'pose', poseEvent(result), { sessionId }),
          player(sessionId, personId, trackIds) {
            const topic = `session:${sessionId}:${personId}`
            if (!live.isHeard(topic)) return
            const people = result.people.filter(({ trackId }) => trackIds.includes(trackId))
            const alone = poseEvent({ ...result, people, ball: null })
            live.publishBinary(topic, 'pose', alone, { personId, class: 'training' })
          },
        }),
      ),
    keepSeen: vision.flush,
    tell: (sessionId, type, data) => void live.publish(`session:${sessionId}`, type, data, { sessionId }),
    tellPlayer: (personId, data) =>
      void live.publish(`person:${personId}`, 'metrics_update', data, { personId, class: 'training' }),
  })
  return {
    features: [sessions.feature, liveSessions.feature],
    sessions,
    live: liveSessions,
    calibrations,
    seesSession: (actor: Actor, sessionId: string) =>
      seesSession(actor, sessionId, { sessions, liveSessions }),
  }
}

function recorderOf(
  { clock, log, dataDir }: House,
  { cameras, sessions, newId: id }: { cameras: HubCameras; sessions: Sessions; newId: () => string },
): Recordings {
  return createRecordings({
    clock,
    log: log.child({ part: 'recordings' }),
    sourceOf(cameraId) {
      const running = cameras.all().find(({ camera }) => camera.id === cameraId)?.running
      if (!running) return null
      const { onUnit, segment } = running
      return { onUnit, segment, online: running.state().status === 'online' }
    },
    async keep({ key, createdBy }, { cameraId, mediaType, extension, fromAtMs, toAtMs, body }) {
      const name = `${new Date(fromAtMs).toISOString().slice(0, 19).replaceAll(':', '-')}.${extension}`
      const file = { id: id(), sessionKey: key, camera: cameraId, createdBy, createdAtMs: clock.now() }
      const { bytes } = await sessions.files.record({ ...file, name, mediaType, fromAtMs }, body, toAtMs)
      return bytes
    },
    erase: (key, sinceMs) => sessions.files.removeRecorded(key, sinceMs),
    async disk() {
      const { bavail, blocks, bsize } = await statfs(dataDir)
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    },
  })
}

/** A running session is in memory: skeletons ask this many times a second. */
function seesSession(
  actor: Actor,
  sessionId: string,
  { sessions, liveSessions }: { sessions: Sessions; liveSessions: LiveSessions },
): boolean {
  return liveSessions.seesWhole(actor, sessionId) ?? sessions.seesWhole(actor, sessionId)
}

function keeperOf(
  { register }: Sessions,
  { now, newId: id }: { now: () => number; newId: () => string },
): SessionKeeper {
  return {
    ...register,
    open: ({ asked, ...session }) =>
      register.add({
        ...session,
        id: session.id ?? id(),
        ...{ sessionType: 'live', startedAtMs: now(), endedAtMs: null, durationMinutes: null },
        ...{ metadata: {}, kpis: null, live: true, asked: { ...asked } },
      }),
  }
}

function lendingFor({ all, lend, takeBack }: HubCameras): Lending {
  const lent = () => all().filter(({ camera }) => camera.lentTo !== null)
  return { lend, takeBack, lent: () => lent().map(asSeen) }
}

function asSeen({ camera, running }: ReturnType<HubCameras['all']>[number]): LiveCamera {
  return { ...camera, online: running?.state().status === 'online' }
}

function camerasFor(cameras: HubCameras): LiveCameras {
  const find = (cameraId: string) => cameras.all().find(({ camera }) => camera.id === cameraId)
  return {
    get(cameraId) {
      const found = find(cameraId)
      return found ? asSeen(found) : null
    },
    luma: (cameraId) => find(cameraId)?.running?.luma() ?? null,
  }
}
