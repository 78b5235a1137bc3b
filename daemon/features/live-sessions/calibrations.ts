/** How each camera's picture lies on the pitch, and whether the camera still stands where it stood then. */
import type { Box } from '../../../models/vision/boxes.ts'
import {
  fitHomography,
  groundAt,
  type Homography,
  type PitchPoint,
} from '../../../models/vision/calibrate/homography.ts'
import type { GroundPlan } from '../../../models/vision/kpi/ground.ts'
import { compareViews, createWatcher, type Luma, type Watcher } from '../../../models/vision/kpi/moved.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'

export interface CalibrationDraft {
  points: readonly PitchPoint[]
  width: number
  height: number
  pitch: { length: number; width: number }
}

export interface CalibratedPoint extends PitchPoint {
  errorPx: number
  /** Null where the map puts the point at the horizon. */
  errorM: number | null
  used: boolean
}

export interface Calibration extends GroundPlan {
  cameraId: string
  points: CalibratedPoint[]
  rmsPx: number
  rmsM: number
  /** When the camera was found to have moved since. */
  movedAtMs: number | null
  createdAtMs: number
}

export interface Calibrations {
  get(cameraId: string): Calibration | null
  /** What metres may be taken from: null without calibration, and once the camera has moved. */
  plan(cameraId: string): GroundPlan | null
  /** Throws UNCALIBRATED, naming the points, when they do not fix the ground. */
  set(cameraId: string, draft: CalibrationDraft, view: Luma | null): Promise<Calibration>
  remove(cameraId: string): Promise<void>
  /** The same as part of the unit that removes the camera. */
  planRemove(cameraId: string): Plan<null>
  /** The user says that it looks where it looked: from now on it is compared with this picture. Throws NOT_FOUND. */
  dismiss(cameraId: string, view: Luma | null): Promise<Calibration>
  /** Compares what the camera shows now; resolves with true when this look found that it has moved. */
  look(cameraId: string, view: Luma, people: readonly Box[]): Promise<boolean>
  calibrated(): string[]
}

interface Row {
  camera: string
  calibration: string
  viewWidth: number | null
  viewHeight: number | null
  view: Uint8Array | null
  movedAtMs: number | null
  createdAtMs: number
}

interface Entry {
  calibration: Calibration
  view: Luma | null
  watcher: Watcher
}

type Kept = Omit<Calibration, 'movedAtMs' | 'createdAtMs' | 'cameraId'>

const SELECT = `SELECT camera, calibration, view_width AS viewWidth, view_height AS viewHeight, view, moved_at AS movedAtMs,
    created_at AS createdAtMs
  FROM camera_calibration ORDER BY camera`
const PUT = `INSERT INTO camera_calibration (camera, calibration, view_width, view_height, view, moved_at, created_at)
  VALUES (:camera, :calibration, :viewWidth, :viewHeight, :view, NULL, :nowMs)
  ON CONFLICT (camera) DO UPDATE SET calibration = :calibration, view_width = :viewWidth, view_height = :viewHeight,
    view = :view, moved_at = NULL, created_at = :nowMs`
const VIEW = `UPDATE camera_calibration SET view_width = :viewWidth, view_height = :viewHeight, view = :view, moved_at = NULL
  WHERE camera = :camera`
const MOVED = 'UPDATE camera_calibration SET moved_at = :nowMs WHERE camera = :camera'

export function createCalibrations({ store, now }: { store: Store; now: () => number }): Calibrations {
  const entries = new Map<string, Entry>(store.all<Row>(SELECT).map((row) => [row.camera, entryOf(row)]))
  const planRemove = (cameraId: string): Plan<null> => ({
    result: null,
    writes: [{ sql: 'DELETE FROM camera_calibration WHERE camera = :camera', params: { camera: cameraId } }],
    committed: () => void entries.delete(cameraId),
  })

  return {
    get: (cameraId) => entries.get(cameraId)?.calibration ?? null,
    plan(cameraId) {
      const calibration = entries.get(cameraId)?.calibration
      return calibration && calibration.movedAtMs === null ? calibration : null
    },
    async set(cameraId, draft, view) {
      const kept = calibrate(draft)
      await store.write([
        {
          sql: PUT,
          params: { camera: cameraId, calibration: JSON.stringify(kept), nowMs: now(), ...columnsOf(view) },
        },
      ])
      const calibration = { ...kept, cameraId, movedAtMs: null, createdAtMs: now() }
      entries.set(cameraId, { calibration, view, watcher: createWatcher() })
      return calibration
    },
    planRemove,
    async remove(cameraId) {
      const planned = planRemove(cameraId)
      await store.write(planned.writes)
      planned.committed()
    },
    async dismiss(cameraId, view) {
      const entry = entries.get(cameraId)
      if (!entry) throw notCalibrated()
      await store.write([{ sql: VIEW, params: { camera: cameraId, ...columnsOf(view) } }])
      const calibration = { ...entry.calibration, movedAtMs: null }
      entries.set(cameraId, { calibration, view, watcher: createWatcher() })
      return calibration
    },
    async look(cameraId, view, people) {
      const entry = entries.get(cameraId)
      if (!entry || entry.calibration.movedAtMs !== null) return false
      if (entry.view === null) {
        // It was calibrated while there was no picture: the first one since is what later ones are compared with.
        entry.view = view
        await store.write([{ sql: VIEW, params: { camera: cameraId, ...columnsOf(view) } }])
        return false
      }
      if (!entry.watcher.look(compareViews(entry.view, view, people))) return false
      entry.calibration = { ...entry.calibration, movedAtMs: now() }
      await store.write([{ sql: MOVED, params: { camera: cameraId, nowMs: now() } }])
      return true
    },
    calibrated: () => [...entries.keys()],
  }
}

export function notCalibrated(): HubError {
  return new HubError('NOT_FOUND', 'This camera is not calibrated.')
}

function entryOf({ camera, calibration, view, viewWidth, viewHeight, movedAtMs, createdAtMs }: Row): Entry {
  // The hub itself wrote this column.
  const kept = JSON.parse(calibration) as Kept
  const luma = view && viewWidth !== null && viewHeight !== null
  return {
    calibration: { ...kept, cameraId: camera, movedAtMs, createdAtMs },
    view: luma ? { width: viewWidth, height: viewHeight, data: Uint8Array.from(view) } : null,
    watcher: createWatcher(),
  }
}

function columnsOf(view: Luma | null) {
  return { viewWidth: view?.width ?? null, viewHeight: view?.height ?? null, view: view?.data ?? null }
}

function calibrate({ points, width, height, pitch }: CalibrationDraft): Kept {
  const fit = fitHomography(points, { robust: points.length >= 6 })
  if (!fit.ok) {
    const wrong = onOneLine(points)
    const which =
      wrong.length > 0 ? ` Points on one line: ${wrong.map((index) => index + 1).join(', ')}.` : ''
    throw new HubError('UNCALIBRATED', `${fit.reason}${which}`, {
      details: wrong.map((index) => ({ path: `points[${index}]`, message: 'lies on one line with others' })),
    })
  }
  const { homography } = fit
  const judged = points.map((point, index) => ({
    ...point,
    errorPx: homography.reprojectionPx[index] ?? 0,
    errorM: errorOf(homography, point),
    used: !homography.outliers.includes(index),
  }))
  const used = judged.filter((point) => point.used)
  const squares = used.reduce((sum, { errorM }) => sum + (errorM ?? 0) ** 2, 0)
  return {
    ...{ homography, width, height, pitch, points: judged },
    rmsPx: homography.rmsPx,
    rmsM: Math.sqrt(squares / Math.max(1, used.length)),
  }
}

function errorOf(homography: Homography, { pixel, metres }: PitchPoint): number | null {
  const ground = groundAt(homography, pixel)
  return ground && Math.hypot(ground.x - metres.x, ground.y - metres.y)
}

/** Width of a triangle in parts of its longest side, under which its corners count as one line. */
const THIN = 0.03

/** Indices of points of which some three lie on a line, on the pitch or in the picture. */
function onOneLine(points: readonly PitchPoint[]): number[] {
  const wrong = new Set<number>()
  for (const where of ['metres', 'pixel'] as const)
    for (let a = 0; a < points.length; a++)
      for (let b = a + 1; b < points.length; b++)
        for (let c = b + 1; c < points.length; c++) {
          const [one, other, third] = [points[a]?.[where], points[b]?.[where], points[c]?.[where]]
          if (one && other && third && isThin(one, other, third))
            for (const index of [a, b, c]) wrong.add(index)
        }
  return [...wrong].sort((one, other) => one - other)
}

function isThin(a: PitchPoint['pixel'], b: PitchPoint['pixel'], c: PitchPoint['pixel']): boolean {
  const area = Math.abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y))
  const longest = Math.max(
    Math.hypot(b.x - a.x, b.y - a.y),
    Math.hypot(c.x - b.x, c.y - b.y),
    Math.hypot(a.x - c.x, a.y - c.y),
  )
  return area <= THIN * longest ** 2
}
