/** This phone as a sensor: what its camera shows is looked at here, and only where joints are goes to the hub. */
import { type ReadonlySignal, signal } from '@preact/signals'
import { ApiError } from '../../../net/api.ts'
import type { Session } from '../../../net/session.ts'
import type { Connect } from '../filming.ts'
import { createEye, type Eye } from './eye.ts'
import { sensorFiles } from './files.ts'
import { type Counts, type Line, openLine } from './line.ts'
import type { SeenHere } from './messages.ts'

/** How looking goes, a few times a second. */
export interface Progress {
  /** Looks a second. */
  fps: number
  /** Mean time of one. */
  tookMs: number
  isSomebody: boolean
  lost: number
}

export interface Sensor {
  connect: Connect
  /** The newest look; null: nothing was looked at yet. */
  seen: ReadonlySignal<SeenHere | null>
  progress: ReadonlySignal<Progress | null>
  /** Why this phone cannot look; null: it can, as far as is known. */
  failed: ReadonlySignal<string | null>
}

const TELL_MS = 1_000
/** A look in so many may get lost without anybody being bothered: cameras' rates and the hub's are not the same. */
const FEW = 20

export function createSensor({
  session,
  cameraId,
}: {
  session: Pick<Session, 'freshToken'>
  cameraId: string
}): Sensor {
  const seen = signal<SeenHere | null>(null)
  const progress = signal<Progress | null>(null)
  const failed = signal<string | null>(null)

  return { connect, seen, progress, failed }

  async function connect(
    stream: MediaStream,
    onLost: (error: ApiError | null) => void,
  ): Promise<{ close(): void }> {
    failed.value = null
    const eye: { now: Eye | null } = { now: null }
    const line: { now: Line | null } = { now: null }
    const since = { atMs: performance.now(), looks: 0, tookMs: 0 }
    const timer = setInterval(tell, TELL_MS)
    const close = () => {
      clearInterval(timer)
      eye.now?.stop()
      line.now?.close()
      seen.value = null
      progress.value = null
    }
    try {
      await new Promise<void>((resolve, reject) => {
        eye.now = createEye({
          stream,
          onReady: resolve,
          onFailed(why) {
            failed.value = why
            const error = new ApiError('UNSUPPORTED_HERE', why)
            reject(error)
            onLost(error)
          },
          onSeen: saw,
        })
      })
      await new Promise<void>((resolve, reject) => {
        const ended = (error: ApiError | null) => {
          reject(error ?? new ApiError('OFFLINE', 'The connection broke.'))
          onLost(error)
        }
        openLine({ session, onFirst: resolve, onLost: ended }).then((opened) => {
          line.now = opened
        }, reject)
      })
      return { close }
    } catch (cause) {
      close()
      throw cause
    }

    function saw(now: SeenHere): void {
      seen.value = now
      since.looks += 1
      since.tookMs += now.tookMs
      if (!sensorFiles) return
      const { width, height, frame } = now
      line.now?.put(frame, { camera_id: cameraId, width, height, models: sensorFiles.models })
    }

    function tell(): void {
      const { atMs, looks, tookMs } = since
      const nowMs = performance.now()
      Object.assign(since, { atMs: nowMs, looks: 0, tookMs: 0 })
      if (looks === 0) return
      progress.value = {
        fps: Math.round((looks * 10_000) / (nowMs - atMs)) / 10,
        tookMs: Math.round(tookMs / looks),
        isSomebody: (seen.value?.frame.people.length ?? 0) > 0,
        lost: shownLoss(line.now?.counts()),
      }
    }
  }
}

function shownLoss(counts: Counts | undefined): number {
  return counts && counts.lost * FEW > counts.taken ? counts.lost : 0
}
