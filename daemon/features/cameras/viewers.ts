/** Who looks through a camera, or is one, right now; it ends when the right to it does. */
import type { Actor } from '../../domain/access.ts'
import type { CameraAccess } from '../../domain/camera.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { KnownCamera } from './directory.ts'

export interface Viewer {
  actor: Actor
  cameraId: string
  /** When the token that it came with runs out; null: when it is revoked. */
  expiresAtMs: number | null
  end(): void
}

export interface Viewers {
  /** Notes a viewer; the returned function forgets it. Throws OVERLOADED when as many look as may. */
  add(viewer: Viewer): () => void
  /** Looks at everybody's rights again. */
  recheck(): void
  /** Ends everybody's view of this camera. */
  endCamera(cameraId: string): void
  endAll(): void
  count(): number
}

export interface ViewersDeps {
  clock: Clock
  /** The same principal with the rights of now; null when it may no longer sign in. */
  current: (actor: Actor) => Actor | null
  camera: (cameraId: string) => KnownCamera | undefined
  /** The right that they need. */
  may: (actor: Actor, camera: CameraAccess, nowMs: number) => boolean
}

const VIEWERS_MAX = 8
const LOOK_AGAIN_MS = 1000

export function createViewers({ clock, current, camera, may }: ViewersDeps): Viewers {
  const viewers = new Set<Viewer>()
  let stopLooking: (() => void) | null = null

  function mayLook({ actor, cameraId, expiresAtMs }: Viewer): boolean {
    const nowMs = clock.now()
    if (expiresAtMs !== null && nowMs >= expiresAtMs) return false
    const known = camera(cameraId)
    const now = current(actor)
    return known !== undefined && now !== null && may(now, known, nowMs)
  }

  function endThose(isMeant: (viewer: Viewer) => boolean): void {
    for (const viewer of [...viewers].filter(isMeant)) {
      forget(viewer)
      viewer.end()
    }
  }

  const recheck = () => endThose((viewer) => !mayLook(viewer))

  function forget(viewer: Viewer): void {
    viewers.delete(viewer)
    if (viewers.size > 0) return
    stopLooking?.()
    stopLooking = null
  }

  return {
    add(viewer) {
      const looking = [...viewers].filter(({ cameraId }) => cameraId === viewer.cameraId).length
      if (looking >= VIEWERS_MAX) {
        throw new HubError(
          'OVERLOADED',
          `${VIEWERS_MAX} use this camera already. Try again when somebody has left.`,
          { retryAfterS: 10 },
        )
      }
      viewers.add(viewer)
      // Tokens and grants run out without anybody telling.
      stopLooking ??= clock.every(LOOK_AGAIN_MS, recheck)
      return () => forget(viewer)
    },
    recheck,
    endCamera: (cameraId) => endThose((viewer) => viewer.cameraId === cameraId),
    endAll: () => endThose(() => true),
    count: () => viewers.size,
  }
}
