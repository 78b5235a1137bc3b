/** Who may have a session recorded, and when a recording may not go on. */
import { type Actor, can } from '../../domain/access.ts'
import type { CameraRecording } from '../../domain/recording.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store, Write } from '../../store/store.ts'
import type { LiveCameras } from './cameras.ts'
import type { Asked, Running } from './running.ts'

/** What this feature needs of the part that records. */
export interface Recorder {
  /** Throws DISK_FULL. */
  refuseWithoutRoom(): Promise<void>
  /** Bytes that the disk has, and how many of them stay free. */
  room(): Promise<{ freeBytes: number; keptFreeBytes: number }>
  start(session: { id: string; key: number; createdBy: string | null; cameraIds: readonly string[] }): void
  /** Nothing more is written. */
  holdForMinor(sessionId: string): void
  /** Nothing more is written, and what shows a time since then is erased; resolves with the number of files. */
  endForMinor(session: { id: string; key: number }, sinceMs: number): Promise<number>
  stop(sessionId: string): Promise<void>
  /** Null for a session that is not recorded. */
  state(sessionId: string): CameraRecording[] | null
}

const ADULT_AGE = 18

interface RecordWish {
  /** Players, and whom the cameras are known to show. */
  personIds: readonly string[]
  recordMinors: boolean
}

/** Whoever is not known to be grown up counts as a minor; so does a session of nobody known. */
export function showsMinors(
  personIds: readonly string[],
  ageOf: (personId: string) => number | null,
): boolean {
  return personIds.length === 0 || personIds.some((personId) => (ageOf(personId) ?? 0) < ADULT_AGE)
}

/** Throws FORBIDDEN unless the actor may see video of all of them, and an owner gave leave where minors may be filmed. */
export function refuseRecording(
  actor: Actor,
  { personIds, recordMinors }: RecordWish,
  { ageOf, nowMs }: { ageOf: (personId: string) => number | null; nowMs: number },
): void {
  if (!personIds.every((personId) => can(actor, 'read', personId, 'media', nowMs)))
    throw new HubError(
      'FORBIDDEN',
      'Recording needs leave to see video of every player. Ask for their media, or start without recording.',
    )
  const isOwner = actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')
  if (recordMinors && !isOwner)
    throw new HubError('FORBIDDEN', 'Only an owner may have minors recorded. Ask one to start the recording.')
  if (!recordMinors && showsMinors(personIds, ageOf))
    throw new HubError(
      'FORBIDDEN',
      'Video of minors is not recorded unless an owner asks for it with record_minors. Who has no birth date or age, and a session without players, counts as minor.',
      { details: [{ path: 'record', message: 'may show somebody under 18' }] },
    )
}

/** Whether everybody whom this shows may be recorded as it is wished, and there is room. Throws FORBIDDEN or DISK_FULL. */
export async function refuseUnlessRecordable(
  actor: Actor,
  { playerIds, cameraIds, recordMinors }: RecordingWish,
  { cameras, recorder, ageOf, clock }: RecordingDeps,
): Promise<void> {
  const shown = cameraIds.flatMap((cameraId) => cameras.get(cameraId)?.personIds ?? [])
  // Of a session of nobody known, whom a camera usually shows says nothing about who plays.
  const personIds = playerIds.length === 0 ? [] : [...new Set([...playerIds, ...shown])]
  refuseRecording(actor, { personIds, recordMinors }, { ageOf, nowMs: clock.now() })
  await recorder.refuseWithoutRoom()
}

interface RecordingDeps {
  recorder: Recorder
  cameras: Pick<LiveCameras, 'get'>
  clock: Pick<Clock, 'now'>
  ageOf: (personId: string) => number | null
}

interface RecordingWish {
  playerIds: readonly string[]
  cameraIds: readonly string[]
  recordMinors: boolean
}

/**
 * Begins or ends the recording of a session that runs. Leave to record minors stays written down once it was used: it decides how long
 * the video is kept. Throws FORBIDDEN or DISK_FULL.
 */
export async function switchRecording(
  actor: Actor,
  one: Running,
  { record, recordMinors }: { record: boolean; recordMinors: boolean },
  deps: RecordingDeps & {
    store: Pick<Store, 'write'>
    sessions: { planAsked(key: number, asked: Asked): Write }
    isRunning: (one: Running) => boolean
  },
): Promise<void> {
  const { cameraIds } = one.asked
  if (record) {
    const { playerIds } = one.access()
    await refuseUnlessRecordable(actor, { playerIds, cameraIds, recordMinors }, deps)
  }
  one.asked.record = record
  one.asked.recordMinors ||= record && recordMinors
  await deps.store.write([deps.sessions.planAsked(one.key, one.asked)])
  // What was stopped because a minor joined begins anew with the new leave.
  await deps.recorder.stop(one.id)
  if (record && deps.isRunning(one)) beginRecording(deps.recorder, one, deps.ageOf)
}

/** Begins what a session asked for, or goes on with it; not where a minor takes part whom no owner gave leave for. */
export function beginRecording(
  recorder: Recorder,
  { id, key, asked, access }: Running,
  ageOf: (personId: string) => number | null,
): void {
  if (!asked.record) return
  const { createdBy, playerIds } = access()
  recorder.start({ id, key, createdBy, cameraIds: asked.cameraIds })
  // Nothing was kept of them yet.
  if (!asked.recordMinors && showsMinors(playerIds, ageOf)) recorder.holdForMinor(id)
}
