/** Pictures that are sent for a session: who may send them, of which camera, and in order. */
import type { Actor } from '../../domain/access.ts'
import { maySendFor } from '../../domain/camera.ts'
import { seesWholeSession } from '../../domain/session.ts'
import { HubError } from '../../kernel/errors.ts'
import { changeableCamera, type LiveCameras } from './cameras.ts'
import { notRunning } from './parts.ts'
import type { Running } from './running.ts'

export interface SentFrame {
  actor: Actor
  sessionId: string
  /** Null: the only camera of the session that is sent to the hub. */
  cameraId: string | null
  capturedAtMs: number | null
}

export interface Admission {
  /** Throws NOT_FOUND, FORBIDDEN, CONFLICT or FUTURE_TIMESTAMP; not the next one: it is older than the last one, and counted. */
  admit(one: Running, frame: SentFrame): { cameraId: string; isNext: boolean }
  addOutOfOrder(sessionId: string, cameraId: string, pictures: number): void
  outOfOrder(sessionId: string, cameraId: string): number
  forget(sessionId: string, cameraId: string): void
}

/** Clocks of what sends pictures are off by this much at most: one from the far future would make all that follow late. */
const AHEAD_MS = 60_000

export function createAdmission({ cameras, now }: { cameras: LiveCameras; now: () => number }): Admission {
  const newestMs = new Map<string, number>()
  const late = new Map<string, number>()

  function addOutOfOrder(sessionId: string, cameraId: string, pictures: number): void {
    const key = `${sessionId}/${cameraId}`
    late.set(key, (late.get(key) ?? 0) + pictures)
  }

  /** Whose picture it is, for whoever may send it; whoever may not hear of the session hears that there is none. */
  function admittedCamera(actor: Actor, one: Running, cameraId: string | null): string {
    const hears = actor.kind === 'device' || seesWholeSession(actor, one.access(), now())
    if (cameraId === null && !hears) throw notRunning()
    const id = cameraId ?? onlySent(one, cameras)
    const camera = cameras.get(id)
    // A device was asked before for what it is the camera of.
    const sends = actor.kind === 'device' || (camera !== null && maySendFor(actor, camera, now()))
    const isPart = one.asked.cameraIds.includes(id)
    if (!hears && !(sends && isPart)) throw notRunning()
    if (!isPart)
      throw new HubError(
        'CONFLICT',
        'This camera is not part of that session. Send its pictures to the one it is in.',
      )
    if (!sends) changeableCamera(cameras, actor, id, now())
    return id
  }

  return {
    admit(one, { actor, cameraId, capturedAtMs }) {
      const id = admittedCamera(actor, one, cameraId)
      if (capturedAtMs === null) return { cameraId: id, isNext: true }
      if (capturedAtMs > now() + AHEAD_MS)
        throw new HubError('FUTURE_TIMESTAMP', 'captured_at lies in the future. Set the clock of the camera.')
      const key = `${one.id}/${id}`
      if (capturedAtMs <= (newestMs.get(key) ?? Number.NEGATIVE_INFINITY)) {
        addOutOfOrder(one.id, id, 1)
        return { cameraId: id, isNext: false }
      }
      newestMs.set(key, capturedAtMs)
      return { cameraId: id, isNext: true }
    },
    addOutOfOrder,
    outOfOrder: (sessionId, cameraId) => late.get(`${sessionId}/${cameraId}`) ?? 0,
    forget(sessionId, cameraId) {
      newestMs.delete(`${sessionId}/${cameraId}`)
      late.delete(`${sessionId}/${cameraId}`)
    },
  }
}

function onlySent({ asked }: Running, cameras: LiveCameras): string {
  const sent = asked.cameraIds.filter((id) => cameras.get(id)?.kind === 'push')
  if (sent.length === 1 && sent[0] !== undefined) return sent[0]
  throw new HubError('VALIDATION_ERROR', 'Say whose picture this is: camera_id is missing.', {
    details: [{ path: 'camera_id', message: 'is missing' }],
  })
}
