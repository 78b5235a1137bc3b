/** What this feature needs of the household's cameras. */
import type { Box } from '../../../models/vision/boxes.ts'
import { LUMA_WIDTH, type Luma } from '../../../models/vision/kpi/moved.ts'
import type { Actor } from '../../domain/access.ts'
import type { CameraAccess } from '../../domain/camera.ts'
import { mayChangeCamera, maySeeCamera } from '../../domain/camera.ts'
import { HubError } from '../../kernel/errors.ts'

export interface LiveCamera extends CameraAccess {
  id: string
  name: string
  kind: string
  enabled: boolean
  analyse: boolean
  online: boolean
}

export interface LiveCameras {
  get(cameraId: string): LiveCamera | null
  /** The newest picture, small and grey; null while there is none. */
  luma(cameraId: string): Luma | null
}

/** Phones of users as cameras of running sessions. */
export interface Lending {
  /** Those that film for one now. */
  lent(): LiveCamera[]
  /** Takes the phone of a user for a session; answers the camera that it is from now on. Throws CONFLICT. */
  lend(loan: {
    lender: string
    sessionId: string
    name: string
    addedBy: string | null
    personIds: readonly string[]
  }): Promise<string>
  /** Ends that at once. */
  takeBack(cameraId: string): Promise<void>
}

/** The camera of a route, for somebody who may see it; anybody else hears that there is none. */
export function seenCamera(cameras: LiveCameras, actor: Actor, id: string, nowMs: number): LiveCamera {
  const camera = cameras.get(id)
  if (camera && maySeeCamera(actor, camera, nowMs)) return camera
  throw new HubError('NOT_FOUND', 'There is no camera with this id.')
}

/** The same for somebody who may change it; who only sees it hears FORBIDDEN. */
export function changeableCamera(cameras: LiveCameras, actor: Actor, id: string, nowMs: number): LiveCamera {
  const camera = seenCamera(cameras, actor, id, nowMs)
  if (mayChangeCamera(actor, camera)) return camera
  throw new HubError('FORBIDDEN', 'Only the owner and whoever added this camera may do this.')
}

/** A box of a picture so wide, in the small grey picture of the same camera. */
export function inLuma({ x, y, w, h }: Box, width: number): Box {
  const scale = LUMA_WIDTH / width
  return { x: x * scale, y: y * scale, w: w * scale, h: h * scale }
}
