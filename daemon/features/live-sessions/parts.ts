/** What this feature is given, what its routes share, and the rules that all of them follow. */
import { type Actor, can } from '../../domain/access.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store, Write } from '../../store/store.ts'
import type { Calibrations } from './calibrations.ts'
import type { Lending, LiveCameras } from './cameras.ts'
import type { SessionLog } from './log.ts'
import type { Phone, Phones } from './phones.ts'
import type { Recorder } from './recording.ts'
import type { Asked, Running } from './running.ts'
import type { Around } from './shown.ts'
import type { Picture } from './track.ts'

/** A session as the part that keeps sessions gives it. */
export interface KeptSession {
  key: number
  id: string
  startedAtMs: number
  endedAtMs: number | null
  createdBy: string | null
  playerIds: readonly string[]
  live: boolean
  asked: Record<string, unknown> | null
  aliveAtMs: number | null
}

/** What this feature needs of the part that keeps sessions. */
export interface SessionKeeper {
  get(id: string): KeptSession | null
  running(): KeptSession[]
  open(session: {
    id: string | null
    title: string | null
    groupId: string | null
    playerIds: readonly string[]
    createdBy: string | null
    asked: Asked
  }): Promise<KeptSession>
  end(id: string, endedAtMs: number, kpis: ReadonlyMap<string, object>): Promise<unknown>
  planAlive(key: number, atMs: number): Write
  /** Writes down anew what a session was asked to do. */
  planAsked(key: number, asked: Asked): Write
  planJoin(key: number, personId: string): Write
  bestSecond(personId: string): number | null
}

export interface LiveSessionsDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  clock: Clock
  log: Log
  newId: () => string
  cameras: LiveCameras
  lending: Lending
  calibrations: Calibrations
  sessions: SessionKeeper
  recorder: Recorder
  /** Whole years; null: unknown. */
  ageOf: (personId: string) => number | null
  /** What people call a user; null for one who is gone. */
  userName: (userId: string) => string | null
  /** The players of a team; null for a group that is not there. */
  playersOf: (groupId: string) => readonly string[] | null
  /** Told what the models saw, with the ways to send its skeletons to who may see them; the returned function ends it. */
  onPicture: (listener: (picture: Picture, tellPose: TellPose) => void) => () => void
  /** Puts what a camera saw until now on the disk, so that who looks back finds all of it. */
  keepSeen: (cameraId: string) => Promise<void>
  /** Sends an event to whoever may see all of the session. */
  tell: (sessionId: string, type: 'metrics_update', data: object) => void
  /** Sends one player their own numbers. */
  tellPlayer: (personId: string, data: object) => void
}

export interface TellPose {
  /** To whoever may see all of the session. */
  session(sessionId: string): void
  /** One player's alone, as these tracks show them, to whoever may see their training. */
  player(sessionId: string, personId: string, trackIds: readonly number[]): void
}

export interface StartWish {
  id?: string | undefined
  title?: string | undefined
  groupId?: string | undefined
  cameraIds: readonly string[]
  playerIds: readonly string[]
  record: boolean
  /** Only an owner gives this leave. */
  recordMinors: boolean
}

/** What the routes share. */
export interface LiveParts extends LiveSessionsDeps {
  sessionLog: SessionLog
  start(actor: Actor, wish: StartWish): Promise<Running>
  stop(running: Running): Promise<void>
  /** The running session, for somebody who may see all of it; anybody else hears that there is none. */
  runningFor(actor: Actor, id: string): Running
  /** The same for one of its players, and for who began it, whoever joined since. Show no more of it than `metricsFor`. */
  watchedBy(actor: Actor, id: string): Running
  /** The running session, for who began it and for whoever may steer it. Throws NOT_FOUND or FORBIDDEN. */
  stoppableBy(actor: Actor, id: string): Running
  /** For somebody who sees all of it and may say who is who, and have video kept: not a player, unless they began it. Throws NOT_FOUND or FORBIDDEN. */
  steeredBy(actor: Actor, id: string): Running
  /** Whether a session that this actor may see is over. */
  hasEnded(actor: Actor, id: string): boolean
  /** Begins or ends the recording of a running session. Throws FORBIDDEN or DISK_FULL. */
  record(actor: Actor, running: Running, wish: { record: boolean; recordMinors: boolean }): Promise<void>
  /**
   * Says who a track is. A recording ends where a minor joins whom no owner gave leave for, and what was kept since the track was first
   * seen is erased; answers how many files that were.
   */
  assign(
    running: Running,
    track: { cameraId: string; trackId: number },
    personId: string | null,
  ): Promise<number>
  /** How its cameras do, and which phones want to be one. */
  around(running: Running): Around
  phones: Phones
  /** Throws NOT_FOUND, FORBIDDEN, CONFLICT or DISK_FULL. */
  acceptPhone(actor: Actor, sessionId: string, userId: string): Promise<Phone>
  /** Throws NOT_FOUND or FORBIDDEN. */
  refusePhone(actor: Actor, sessionId: string, userId: string): Promise<void>
}

/** Nobody starts a session of people whose training is closed to them. */
export function refuseBeyondReach(actor: Actor, playerIds: readonly string[], nowMs: number): void {
  if (playerIds.every((personId) => can(actor, 'read', personId, 'training', nowMs))) return
  throw new HubError('NOT_FOUND', 'There is no person with this id.')
}

export function notRunning(): HubError {
  return new HubError('NOT_FOUND', 'No session with this id is running.')
}

/** What a session was asked to do, as it was written down; what is missing was not asked. */
export function askedOf(asked: Record<string, unknown> | null): Asked {
  const ids = asked?.['cameraIds']
  return {
    cameraIds: Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [],
    record: asked?.['record'] === true,
    recordMinors: asked?.['recordMinors'] === true,
  }
}
