/** What this feature is given, what its routes share, and the rule that all of them follow. */
import type { Actor } from '../../domain/access.ts'
import { mayChangeCamera, maySeeCamera, maySendFor } from '../../domain/camera.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import type { KnownCamera } from './directory.ts'
import type { Footage, Running } from './footage.ts'
import { noSuchCamera, type Register } from './register.ts'
import type { Viewers } from './viewers.ts'
import type { Watch } from './watch.ts'

export interface CamerasDeps {
  store: Store
  clock: Clock
  log: Log
  /** The hub's own secret. */
  secret: Uint8Array
  footage: Footage
  personExists: (personId: string) => boolean
  /** A device in use, and who wears it; null for none. */
  device: (deviceId: string) => { type: string; personId: string | null } | null
  /** The same principal with the rights of now; null when it may no longer sign in. */
  current: (actor: Actor) => Actor | null
  /**
   * Looks at a picture that is sent for a live session: whose it is, and whether it is newer than the last one. Throws NOT_FOUND or
   * CONFLICT. Absent: there are no live sessions.
   */
  admitFrame?: (frame: {
    actor: Actor
    sessionId: string
    cameraId: string | null
    capturedAtMs: number | null
  }) => { cameraId: string; isNext: boolean }
  /** Prepares that other parts forget a camera which is removed. */
  forget?: (cameraId: string) => Plan<null>
  /** Whether video of a camera is being kept now. */
  isRecorded?: (cameraId: string) => boolean
  /** Pictures that came too late are counted by the session that the camera is in. */
  refusedFrames?: (cameraId: string, pictures: number) => void
  /** When an access token runs out. */
  expiryOf: (token: string) => number | null
  /** Publishes a live event to whoever may see that camera. */
  notify: (type: 'edge_connected' | 'edge_disconnected', data: object, cameraId: string) => void
}

/** What the routes share. */
export interface CameraParts extends Omit<CamerasDeps, 'store' | 'log' | 'secret' | 'notify'> {
  register: Register
  watch: Watch
  /** How many pictures each camera was sent since the hub started. */
  pictureCounts: Map<string, number>
  /** Who looks, and phones that are a camera. */
  viewers: Viewers
  senders: Viewers
}

/** The camera of a route, for somebody who may see it; anybody else hears that there is none. */
export function seenBy({ register, clock }: CameraParts, actor: Actor, id: string): KnownCamera {
  const camera = register.get(id)
  if (!camera || !maySeeCamera(actor, camera, clock.now())) throw noSuchCamera()
  return camera
}

/** The same for somebody who may change it; who only sees it hears FORBIDDEN. */
export function changeableBy(parts: CameraParts, actor: Actor, id: string): KnownCamera {
  const camera = seenBy(parts, actor, id)
  if (mayChangeCamera(actor, camera)) return camera
  throw new HubError('FORBIDDEN', 'Only the owner and whoever added this camera may do this.')
}

/** The same for somebody who may send its pictures. */
export function sentBy(parts: CameraParts, actor: Actor, id: string): KnownCamera {
  const camera = seenBy(parts, actor, id)
  if (maySendFor(actor, camera, parts.clock.now())) return camera
  throw new HubError(
    'FORBIDDEN',
    'Only the owner, whoever added this camera and who films with it may do this.',
  )
}

/** What runs of a camera; throws OVERLOADED with the reason while nothing does. */
export function runningOf({ watch }: CameraParts, camera: KnownCamera): Running {
  const running = watch.of(camera.id)
  if (running) return running
  throw new HubError('OVERLOADED', 'This camera is switched off. Switch it on first.', { retryAfterS: 60 })
}
