/** Puts training together: sessions, calibrated cameras, and what players do in front of them. */
import { join } from 'node:path'
import type { Actor } from '../domain/access.ts'
import { ageOn } from '../domain/person.ts'
import { createCalibrations } from '../features/live-sessions/calibrations.ts'
import type { LiveCameras } from '../features/live-sessions/cameras.ts'
import { createLiveSessions, type LiveSessions } from '../features/live-sessions/live-sessions.ts'
import type { SessionKeeper } from '../features/live-sessions/parts.ts'
import type { People } from '../features/people/people.ts'
import { createSessions, type Sessions } from '../features/sessions/sessions.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'
import { poseEvent } from '../media/vision/pose-event.ts'
import type { Alarms } from './alarms.ts'
import type { HubCameras } from './cameras.ts'
import type { HubVision } from './vision.ts'

export type Training = ReturnType<typeof openTraining>

interface Neighbours {
  cameras: HubCameras
  vision: Pick<HubVision, 'onResult'>
  live: Live
  people: People
  groups: Alarms['groups']
}

/** Nothing is looked at before the features start. */
export function openTraining(house: House, { cameras, vision, live, people, groups }: Neighbours) {
  const { store, clock, log, dataDir } = house
  const id = () => newId(clock.now())
  const sessions = createSessions({
    ...{ store, now: clock.now, newId: id, log: log.child({ part: 'sessions' }) },
    folder: join(dataDir, 'sessions'),
    groupExists: (groupId) => groups.get(groupId) !== undefined,
    playersOf: groups.playersOf,
  })
  const liveSessions = createLiveSessions({
    ...{ store, clock, newId: id, log: log.child({ part: 'live-sessions' }) },
    cameras: camerasFor(cameras),
    calibrations: createCalibrations({ store, now: clock.now }),
    sessions: keeperOf(sessions, { now: clock.now, newId: id }),
    ageOf(personId) {
      const person = people.get(personId)
      if (!person) return null
      return person.birthDate === null ? person.age : ageOn(person.birthDate, clock.now(), person.timezone)
    },
    playersOf: (groupId) => (groups.get(groupId) ? groups.playersOf(groupId) : null),
    onPicture: (listener) =>
      vision.onResult((result) =>
        listener(
          result,
          (sessionId) =>
            void live.publishBinary(`session:${sessionId}`, 'pose', poseEvent(result), { sessionId }),
        ),
      ),
    tell: (sessionId, type, data) => void live.publish(`session:${sessionId}`, type, data, { sessionId }),
    tellPlayer: (personId, data) =>
      void live.publish(`person:${personId}`, 'metrics_update', data, { personId, class: 'training' }),
  })
  return {
    features: [sessions.feature, liveSessions.feature],
    sessions,
    live: liveSessions,
    seesSession: (actor: Actor, sessionId: string) =>
      seesSession(actor, sessionId, { sessions, liveSessions }),
  }
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

function camerasFor(cameras: HubCameras): LiveCameras {
  const find = (cameraId: string) => cameras.all().find(({ camera }) => camera.id === cameraId)
  return {
    get(cameraId) {
      const found = find(cameraId)
      return found ? { ...found.camera, online: found.running?.state().status === 'online' } : null
    },
    luma: (cameraId) => find(cameraId)?.running?.luma() ?? null,
  }
}
