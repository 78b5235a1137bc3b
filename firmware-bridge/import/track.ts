import type { Emit, ImportedActivity, ImportedSample } from './record.ts'
import { present } from './record.ts'
import { round } from './when.ts'

/** One point of a recorded session; whatever the device did not measure is absent. */
export interface TrackPoint {
  atMs: number
  lat?: number
  lon?: number
  hr?: number
  cadence?: number
  speed?: number
  /** Metres from the start, as the device counts them. */
  distanceM?: number
}

/** Sums of a session that grow with its points, so that no point need be kept. */
export interface Track {
  add(point: TrackPoint): void
  /** The next point does not continue from the last one: a pause, or a new segment. */
  interrupt(): void
  readonly points: number
  activity(told: { type: string } & Partial<ImportedActivity>): ImportedActivity | null
}

const EARTH_RADIUS_M = 6_371_000

export function createTrack(emit: Emit, sourceName: string | null): Track {
  const source = present({ sourceName })
  let points = 0
  let startMs = Number.POSITIVE_INFINITY
  let endMs = Number.NEGATIVE_INFINITY
  let walkedM = 0
  let countedM: number | null = null
  let last: TrackPoint | null = null
  let hr = { sum: 0, count: 0, max: 0 }
  const sample = (metric: string, unit: string, value: ImportedSample['value'] | undefined, atMs: number) => {
    if (value !== undefined) emit({ kind: 'sample', metric, value, unit, atMs, ...source })
  }
  return {
    add(point) {
      const { atMs, lat, lon } = point
      points++
      startMs = Math.min(startMs, atMs)
      endMs = Math.max(endMs, atMs)
      if (last) walkedM += distanceBetween(last, point)
      last = lat === undefined ? last : point
      if (point.distanceM !== undefined) countedM = point.distanceM
      if (point.hr !== undefined) {
        hr = { sum: hr.sum + point.hr, count: hr.count + 1, max: Math.max(hr.max, point.hr) }
      }
      sample('heart_rate', 'bpm', point.hr, atMs)
      if (lat !== undefined && lon !== undefined) sample('position', 'deg', { lat, lon }, atMs)
      sample('speed', 'm/s', point.speed, atMs)
      sample('cadence', '1/min', point.cadence, atMs)
    },
    interrupt() {
      last = null
    },
    get points() {
      return points
    },
    activity(told) {
      if (points === 0 && told.startMs === undefined) return null
      const fromMs = told.startMs ?? startMs
      const toMs = told.endMs ?? endMs
      return {
        kind: 'activity',
        startMs: fromMs,
        endMs: toMs,
        durationS: (toMs - fromMs) / 1000,
        ...present({
          distanceM: countedM ?? (walkedM > 0 ? round(walkedM, 2) : null),
          hrAvg: hr.count > 0 ? round(hr.sum / hr.count, 2) : null,
          hrMax: hr.count > 0 ? hr.max : null,
        }),
        ...source,
        ...told,
      }
    },
  }
}

/** Great-circle distance in metres (haversine); 0 where either point has no place. */
export function distanceBetween(from: TrackPoint, to: TrackPoint): number {
  if (from.lat === undefined || from.lon === undefined || to.lat === undefined || to.lon === undefined)
    return 0
  const radians = Math.PI / 180
  const north = Math.sin(((to.lat - from.lat) * radians) / 2) ** 2
  const east = Math.sin(((to.lon - from.lon) * radians) / 2) ** 2
  const chord = north + Math.cos(from.lat * radians) * Math.cos(to.lat * radians) * east
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)))
}

/** Degrees as a place on earth, undefined when they are none. */
export function place(
  lat: number | null,
  lon: number | null,
): { lat: number; lon: number } | Record<never, never> {
  const real = lat !== null && lon !== null && Math.abs(lat) <= 90 && Math.abs(lon) <= 180
  return real ? { lat, lon } : {}
}
