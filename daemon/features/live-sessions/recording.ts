/** Who may have a session recorded, and when a recording may not go on. */
import { type Actor, can } from '../../domain/access.ts'
import type { CameraRecording } from '../../domain/recording.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Running } from './running.ts'

/** What this feature needs of the part that records. */
export interface Recorder {
  /** Throws DISK_FULL. */
  refuseWithoutRoom(): Promise<void>
  start(session: { id: string; key: number; createdBy: string | null; cameraIds: readonly string[] }): void
  endForMinor(sessionId: string): void
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

/** Begins what a session asked for, or goes on with it; not where a minor takes part whom no owner gave leave for. */
export function beginRecording(
  recorder: Recorder,
  { id, key, asked, access }: Running,
  ageOf: (personId: string) => number | null,
): void {
  if (!asked.record) return
  const { createdBy, playerIds } = access()
  recorder.start({ id, key, createdBy, cameraIds: asked.cameraIds })
  if (!asked.recordMinors && showsMinors(playerIds, ageOf)) recorder.endForMinor(id)
}
