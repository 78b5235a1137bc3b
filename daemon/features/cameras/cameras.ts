/** The cameras of a household: who they are, who may look, and where their pictures come in and go out. */
import type { Actor } from '../../domain/access.ts'
import { maySeeCamera, maySendFor } from '../../domain/camera.ts'
import type { LandmarkBatch, LandmarkVerdict } from '../../domain/landmarks.ts'
import type { Feature } from '../../domain/route.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import { createDirectory, type KnownCamera } from './directory.ts'
import type { Running } from './footage.ts'
import type { CameraParts, CamerasDeps } from './parts.ts'
import { createRegister, type Loan } from './register.ts'
import { cameraRoutes } from './routes.ts'
import { lookRoutes } from './routes-look.ts'
import { pushRoutes, type SentPicture, takePicture } from './routes-push.ts'
import { seekRoutes } from './routes-seek.ts'
import { webrtcRoutes } from './routes-webrtc.ts'
import { createSeal } from './seal.ts'
import { senseWith } from './sense.ts'
import { createViewers } from './viewers.ts'
import { createWatch } from './watch.ts'

export interface Cameras {
  feature: Feature
  /** Takes one JPEG that a device sent; throws NOT_FOUND, VALIDATION_ERROR or TOO_LARGE. */
  frame(deviceId: string, jpeg: Uint8Array, arrivedAtMs: number): void
  /** As `POST /live/frame`. */
  picture(actor: Actor, sent: SentPicture): { frame_seq: number; accepted: boolean }
  /** Takes what a phone saw by itself, on the connection of that name; throws HubError. */
  landmarks(actor: Actor, batch: LandmarkBatch, from: string): LandmarkVerdict
  /** Looks again at who may look: call it when a grant, a role, a sign-in or a person changed. */
  recheck(): void
  /** Reads again after persons or users changed. */
  reload(): void
  /** Whether this actor may see this camera now. */
  maySee(actor: Actor, cameraId: string): boolean
  /** Takes a phone that somebody lends to a running session; answers the camera that it is. Throws CONFLICT. */
  lend(loan: Loan): Promise<string>
  /** Ends that: who films is cut off, and the camera is switched off. */
  takeBack(cameraId: string): Promise<void>
  /** Every camera with how it is doing, for `/metrics` and `/ready`. */
  all(): { camera: KnownCamera; running: Running | undefined }[]
  viewers(): number
}

export function createCameras(deps: CamerasDeps): Cameras {
  const { store, clock, log, footage, notify } = deps
  const isCameraDevice = (deviceId: string) => deps.device(deviceId)?.type === 'camera'
  const register = createRegister({
    ...{ store, clock, isCameraDevice, personExists: deps.personExists },
    ...(deps.forget && { forget: deps.forget }),
    ...{ directory: createDirectory(store), seal: createSeal(deps.secret) },
  })
  const watch = createWatch({
    ...{ footage, register, log },
    tell: (camera, online, reason) =>
      notify(
        online ? 'edge_connected' : 'edge_disconnected',
        { camera_id: camera.id, online, reason },
        camera.id,
      ),
  })
  const rights = { clock, current: deps.current, camera: register.get }
  const viewers = createViewers({ ...rights, may: maySeeCamera })
  const senders = createViewers({ ...rights, may: maySendFor })
  const parts: CameraParts = { ...deps, register, watch, viewers, senders, pictureCounts: new Map() }
  const recheck = () => {
    viewers.recheck()
    senders.recheck()
  }
  const endAll = () => {
    viewers.endAll()
    senders.endAll()
  }

  return {
    feature: {
      name: 'cameras',
      routes(http) {
        cameraRoutes(http, parts)
        seekRoutes(http, parts)
        lookRoutes(http, parts)
        pushRoutes(http, parts)
        webrtcRoutes(http, parts)
        // Open pictures would hold the server's end up.
        http.addHook('preClose', async () => endAll())
      },
      start() {
        // Trying out what this machine has takes a while that nobody else needs to wait for.
        watch
          .start()
          .catch((cause: unknown) => log.error({ cause: messageOf(cause) }, 'cameras could not be started'))
      },
      async stop() {
        endAll()
        await watch.stop()
      },
    },
    frame(deviceId, jpeg, arrivedAtMs) {
      const camera = register.ofDevice(deviceId)
      if (!camera)
        throw new HubError('NOT_FOUND', 'No camera shows this device. Add one of kind mqtt for it.')
      const push = watch.of(camera.id)?.push
      if (!push) throw new HubError('CONFLICT', 'This camera is switched off.')
      push(jpeg, arrivedAtMs)
    },
    picture: (actor, sent) => takePicture(parts, actor, sent),
    landmarks: (actor, batch, from) => senseWith(parts, actor, batch, from),
    recheck,
    reload() {
      register.reload()
      recheck()
    },
    maySee(actor, cameraId) {
      const camera = register.get(cameraId)
      return camera !== undefined && maySeeCamera(actor, camera, clock.now())
    },
    async lend(loan) {
      const { id } = await register.lend(loan)
      await watch.follow(id)
      return id
    },
    async takeBack(cameraId) {
      if (!register.get(cameraId)) return
      await register.takeBack(cameraId)
      await watch.follow(cameraId)
      for (const guests of [viewers, senders]) guests.endCamera(cameraId)
    },
    all: () => register.all().map((camera) => ({ camera, running: watch.of(camera.id) })),
    viewers: () => viewers.count(),
  }
}
