/** Live sessions: what players do in front of calibrated cameras, while they do it. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Calibrations } from './calibrations.ts'
import type { LiveCameras } from './cameras.ts'
import { calibrationRoutes } from './routes-calibration.ts'

export interface LiveSessionsDeps {
  clock: Clock
  log: Log
  cameras: LiveCameras
  calibrations: Calibrations
}

export interface LiveSessions {
  feature: Feature
}

/** How often calibrated cameras are looked at: three looks that find them moved are over within half a minute. */
const LOOK_MS = 5000

export function createLiveSessions({ clock, log, cameras, calibrations }: LiveSessionsDeps): LiveSessions {
  let stopLooking = () => {}

  async function look(cameraId: string): Promise<void> {
    const view = cameras.luma(cameraId)
    if (view === null) return
    if (await calibrations.look(cameraId, view, []))
      log.warn({ cameraId }, 'the camera has moved: it gives no metres until it is calibrated again')
  }

  return {
    feature: {
      name: 'live-sessions',
      routes: (http) => calibrationRoutes(http, { calibrations, cameras, now: clock.now }),
      start() {
        stopLooking = clock.every(LOOK_MS, () => {
          for (const cameraId of calibrations.calibrated())
            look(cameraId).catch((cause: unknown) =>
              log.warn({ cameraId, reason: messageOf(cause) }, 'a camera could not be compared'),
            )
        })
      },
      stop: () => stopLooking(),
    },
  }
}
