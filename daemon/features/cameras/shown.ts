import type { Camera } from '../../domain/camera.ts'
import { iso } from '../../kernel/envelope.ts'
import type { KnownCamera } from './directory.ts'
import type { Running } from './footage.ts'

/** A camera as the API shows it: what is kept of it, and how it is doing now. */
export function cameraView(camera: KnownCamera, running: Running | undefined, recording: boolean): Camera {
  const state = running?.state()
  const stamp = (atMs: number | null | undefined) => (atMs == null ? null : iso(atMs))
  return {
    id: camera.id,
    name: camera.name,
    kind: camera.kind,
    url: camera.url,
    device_id: camera.deviceId,
    person_ids: [...camera.personIds],
    analyse: camera.analyse,
    enabled: camera.enabled,
    has_credentials: camera.hasCredentials,
    status: camera.enabled ? (state?.status ?? 'offline') : 'disabled',
    reason: state?.reason ?? null,
    since: iso(state?.sinceMs ?? camera.updatedAtMs),
    last_frame_at: stamp(state?.lastFrameAtMs),
    stream: state?.stream ?? null,
    restarts: state?.restarts ?? 0,
    frames: state?.frames ?? 0,
    dropped: state?.dropped ?? 0,
    vision: running?.vision() ?? null,
    recording,
    added_by: camera.addedBy,
    lent_by: camera.lentTo === null ? null : camera.lender,
    lent_to: camera.lentTo,
    created_at: iso(camera.createdAtMs),
    updated_at: iso(camera.updatedAtMs),
  }
}
