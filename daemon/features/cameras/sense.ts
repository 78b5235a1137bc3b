/** Landmarks in from a phone that looks by itself: the same rights as for its picture. */
import type { Actor } from '../../domain/access.ts'
import type { LandmarkBatch, LandmarkVerdict } from '../../domain/landmarks.ts'
import { HubError } from '../../kernel/errors.ts'
import { type CameraParts, runningOf, sentBy } from './parts.ts'

/** Throws NOT_FOUND and FORBIDDEN by the actor's rights, NOT_FOUND and CONFLICT for a wrong session, CONFLICT for a camera of another kind. */
export function senseWith(
  parts: CameraParts,
  actor: Actor,
  batch: LandmarkBatch,
  from: string,
): LandmarkVerdict {
  const camera = sentBy(parts, actor, batch.camera_id)
  const { sense } = runningOf(parts, camera)
  if (!sense)
    throw new HubError(
      'CONFLICT',
      `This camera is of kind ${camera.kind}; only one of kind phone takes what a phone found by itself.`,
    )
  const { session_id: sessionId } = batch
  if (sessionId !== undefined) {
    if (!parts.admitFrame) throw new HubError('NOT_FOUND', 'No session with this id is running.')
    parts.admitFrame({ actor, sessionId, cameraId: camera.id, capturedAtMs: null })
  }
  const verdict = sense(batch, from)
  parts.refusedFrames?.(camera.id, verdict.outOfOrder)
  return verdict
}
