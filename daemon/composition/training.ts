/** Puts training together: sessions, calibrated cameras, and what players do in front of them. */
import { join } from 'node:path'
import type { Feature } from '../domain/route.ts'
import { createCalibrations } from '../features/live-sessions/calibrations.ts'
import type { LiveCameras } from '../features/live-sessions/cameras.ts'
import { createLiveSessions } from '../features/live-sessions/live-sessions.ts'
import { createSessions } from '../features/sessions/sessions.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Alarms } from './alarms.ts'
import type { HubCameras } from './cameras.ts'

export type Training = ReturnType<typeof openTraining>

interface Neighbours {
  cameras: HubCameras
  groups: Alarms['groups']
}

/** Nothing is looked at before the features start. */
export function openTraining(house: House, { cameras, groups }: Neighbours) {
  const { store, clock, log, dataDir } = house
  const id = () => newId(clock.now())
  const sessions = createSessions({
    ...{ store, now: clock.now, newId: id, log: log.child({ part: 'sessions' }) },
    folder: join(dataDir, 'sessions'),
    groupExists: (groupId) => groups.get(groupId) !== undefined,
    playersOf: groups.playersOf,
  })
  const liveCameras = camerasFor(cameras)
  const live = createLiveSessions({
    ...{ clock, log: log.child({ part: 'live-sessions' }), cameras: liveCameras },
    calibrations: createCalibrations({ store, now: clock.now }),
  })
  const features: Feature[] = [sessions.feature, live.feature]
  return { features, sessions, live }
}

function camerasFor(cameras: HubCameras): LiveCameras {
  const find = (cameraId: string) => cameras.all().find(({ camera }) => camera.id === cameraId)
  return {
    get(cameraId) {
      const found = find(cameraId)
      return found ? { ...found.camera, online: found.running?.state().status === 'online' } : null
    },
    luma: (cameraId) => find(cameraId)?.running?.luma() ?? null,
  }
}
