/** Puts the cameras together: who may look, where their pictures come from, and how they are shown. */
import { Gauge, type Registry } from 'prom-client'
import type { Actor } from '../domain/access.ts'
import type { Accounts } from '../features/accounts/accounts.ts'
import { createCameras } from '../features/cameras/cameras.ts'
import type { Consents } from '../features/consents/consents.ts'
import type { Devices } from '../features/devices/devices.ts'
import { expiryOf } from '../features/live-channel/conversation.ts'
import type { PartState } from '../features/operations/operations.ts'
import type { People } from '../features/people/people.ts'
import type { House } from '../house.ts'
import type { Live } from '../live/live.ts'
import { openFootage } from './footage.ts'
import type { HubVision } from './vision.ts'

export type HubCameras = ReturnType<typeof openCameras>

interface Neighbours {
  accounts: Accounts
  devices: Devices
  people: People
  consents: Consents
  live: Live
  vision: HubVision
  /** The same principal with the rights of now; null when it may no longer sign in. */
  current: (actor: Actor) => Actor | null
  /** Where the hub itself listens. */
  ownPorts: () => readonly number[]
  /** What is known of a removed camera besides. */
  forget: NonNullable<Parameters<typeof createCameras>[0]['forget']>
  /** Looks at a picture that is sent for a live session. */
  admitFrame: NonNullable<Parameters<typeof createCameras>[0]['admitFrame']>
  isRecorded: NonNullable<Parameters<typeof createCameras>[0]['isRecorded']>
  refusedFrames: NonNullable<Parameters<typeof createCameras>[0]['refusedFrames']>
}

/** Nothing is fetched before the feature starts. */
export function openCameras(
  house: House,
  { accounts, devices, people, consents, live, vision, current, ownPorts, forget, ...sessions }: Neighbours,
) {
  const { store, clock, log, secret, config, network } = house
  const cameraLog = log.child({ part: 'cameras' })
  const cameras = createCameras({
    store,
    clock,
    log: cameraLog,
    secret,
    footage: openFootage({
      clock,
      log: cameraLog,
      allowPublic: config.cameras.allowPublic,
      vision,
      own: () => ({ addresses: network().addresses, ports: ownPorts() }),
    }),
    personExists: people.exists,
    device: (deviceId) => {
      if (devices.actorOf(deviceId) === null) return null
      const { type, person_id: personId } = devices.view(deviceId)
      return { type, personId }
    },
    current,
    forget,
    ...sessions,
    expiryOf,
    notify: (type, data, cameraId) => void live.publish('edge', type, data, { cameraId }),
  })
  people.onRemoved(cameras.reload)
  consents.onChanged(cameras.recheck)
  accounts.onRevoked(cameras.recheck)
  devices.onRevoked(cameras.recheck)
  return cameras
}

/** Frames and drops by camera; ids, because names are personal. */
export function exposeCameras(registry: Registry, cameras: HubCameras): void {
  const gauge = (
    name: string,
    help: string,
    read: (camera: ReturnType<HubCameras['all']>[number]) => number,
  ) =>
    new Gauge({
      name: `homefield_camera_${name}`,
      help,
      labelNames: ['camera'],
      registers: [registry],
      collect() {
        this.reset()
        for (const one of cameras.all()) this.labels(one.camera.id).set(read(one))
      },
    })
  gauge(
    'frames',
    'Pictures taken in since the camera was started',
    ({ running }) => running?.state().frames ?? 0,
  )
  gauge(
    'dropped',
    'Pictures left out because nobody was ready for them',
    ({ running }) => running?.state().dropped ?? 0,
  )
  gauge(
    'restarts',
    'Attempts to reach the camera after the first',
    ({ running }) => running?.state().restarts ?? 0,
  )
  gauge('online', 'Whether pictures come', ({ running }) => (running?.state().status === 'online' ? 1 : 0))
  new Gauge({
    name: 'homefield_camera_viewers',
    help: 'People looking through cameras now',
    registers: [registry],
    collect() {
      this.set(cameras.viewers())
    },
  })
}

/** A camera that is away is the camera's trouble, not the hub's: it is named, and the hub stays ready. */
export function camerasState(cameras: HubCameras): Omit<PartState, 'name'> {
  const enabled = cameras.all().filter(({ camera }) => camera.enabled)
  const away = enabled.filter(({ running }) => running?.state().status !== 'online')
  const detail = away.length > 0 ? `${away.length} of ${enabled.length} give no picture` : null
  return { state: 'up', detail }
}
