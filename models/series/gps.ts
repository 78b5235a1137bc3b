/** Football KPIs from speed at an even rate: one accumulator for a live session and for a file. */
import { valueAt } from './moments.ts'

/** Thresholds in m/s and s. Whoever shows a number from these prints the thresholds beside it. */
export interface GpsSettings {
  hz: number
  /** Ascending borders; zone i is from border i up to, but not including, border i + 1. */
  zonesMps: readonly number[]
  highSpeedMps: number
  sprintMps: number
  /** An effort is this long above its threshold. */
  minEffortS: number
  accelerationMps2: number
  minAccelerationS: number
  /** Acceleration is the central difference over this much time on either side. */
  accelerationHalfWindowS: number
}

/** Adults: high speed from 19.8 km/h, sprint from 25.2 km/h (Premier League definitions); see `youthThresholds` for the young. */
export const ADULT_GPS: GpsSettings = {
  hz: 10,
  zonesMps: [0, 0.55, 2, 4, 5.5, 7, 99],
  highSpeedMps: 5.5,
  sprintMps: 7,
  minEffortS: 1,
  accelerationMps2: 2,
  minAccelerationS: 0.5,
  accelerationHalfWindowS: 0.3,
}

export interface GpsKpis {
  /** Samples with a speed; 0 means that every other number is about nothing. */
  samples: number
  distanceM: number
  zoneDistanceM: number[]
  /** How many samples lay in each zone. */
  zoneSamples: number[]
  highSpeedDistanceM: number
  sprintDistanceM: number
  highSpeedEfforts: number
  sprints: number
  /** Null without samples. */
  maxSpeedMps: number | null
  /** Best mean of one second, which a single bad fix does not reach; null before the first second. */
  bestSecondMps: number | null
  accelerations: number
  decelerations: number
}

export interface GpsAccumulator {
  /** Takes the next sample, NaN where the fix or the player was lost: that ends every effort and adds no distance. */
  add(speedMps: number): void
  /** The KPIs of everything so far; accelerations lag by the half window. */
  result(): GpsKpis
}

/** 10 cm of position noise at 15 Hz is 2 m/s; comparisons at a threshold forgive what floating point adds. */
const EPSILON = 1e-9

export function createGpsAccumulator(settings: GpsSettings): GpsAccumulator {
  const { hz, zonesMps } = settings
  const half = Math.max(1, Math.round(settings.accelerationHalfWindowS * hz))
  const recent = createRecent(Math.max(2 * half + 1, Math.round(hz)))
  const highSpeed = createEfforts(settings.minEffortS * hz)
  const sprint = createEfforts(settings.minEffortS * hz)
  const speedingUp = createEfforts(settings.minAccelerationS * hz)
  const slowingDown = createEfforts(settings.minAccelerationS * hz)
  const zoneDistanceM = zonesMps.slice(1).map(() => 0)
  const zoneSamples = zonesMps.slice(1).map(() => 0)
  const sums = { samples: 0, distanceM: 0, highSpeedM: 0, sprintM: 0 }
  let maxSpeedMps: number | null = null
  let bestSecondMps: number | null = null

  const addDistance = (speedMps: number) => {
    const metres = speedMps / hz
    sums.samples += 1
    sums.distanceM += metres
    const zone = zonesMps.findLastIndex((border) => speedMps >= border)
    if (zone >= 0 && zone < zoneDistanceM.length) {
      zoneDistanceM[zone] = (zoneDistanceM[zone] ?? 0) + metres
      zoneSamples[zone] = (zoneSamples[zone] ?? 0) + 1
    }
    if (speedMps >= settings.highSpeedMps) sums.highSpeedM += metres
    if (speedMps >= settings.sprintMps) sums.sprintM += metres
    maxSpeedMps = Math.max(maxSpeedMps ?? speedMps, speedMps)
  }

  return {
    add(speedMps) {
      recent.push(speedMps)
      if (Number.isFinite(speedMps)) addDistance(speedMps)
      highSpeed.add(speedMps >= settings.highSpeedMps)
      sprint.add(speedMps >= settings.sprintMps)
      const rise = (recent.ago(0) - recent.ago(2 * half)) / ((2 * half) / hz)
      speedingUp.add(rise >= settings.accelerationMps2 - EPSILON)
      slowingDown.add(rise <= -settings.accelerationMps2 + EPSILON)
      const second = recent.mean(Math.round(hz))
      if (Number.isFinite(second)) bestSecondMps = Math.max(bestSecondMps ?? second, second)
    },
    result: () => ({
      samples: sums.samples,
      distanceM: sums.distanceM,
      zoneDistanceM: [...zoneDistanceM],
      zoneSamples: [...zoneSamples],
      highSpeedDistanceM: sums.highSpeedM,
      sprintDistanceM: sums.sprintM,
      highSpeedEfforts: highSpeed.count(),
      sprints: sprint.count(),
      maxSpeedMps,
      bestSecondMps,
      accelerations: speedingUp.count(),
      decelerations: slowingDown.count(),
    }),
  }
}

/** KPIs of a whole series: the accumulator, fed to the end. */
export function gpsKpis(speedMps: Iterable<number>, settings: GpsSettings): GpsKpis {
  const accumulator = createGpsAccumulator(settings)
  for (const speed of speedMps) accumulator.add(speed)
  return accumulator.result()
}

/** Counts a run of true once, when it has lasted long enough. */
function createEfforts(minSamples: number) {
  const needed = Math.max(1, Math.ceil(minSamples - EPSILON))
  let run = 0
  let count = 0
  return {
    add(inside: boolean) {
      run = inside ? run + 1 : 0
      if (run === needed) count += 1
    },
    count: () => count,
  }
}

/** The last samples, NaN before there were any. */
function createRecent(length: number) {
  const ring = new Float64Array(length).fill(Number.NaN)
  let next = 0
  const ago = (steps: number) => valueAt(ring, (next - 1 - steps + 2 * length) % length)
  return {
    push(value: number) {
      ring[next] = value
      next = (next + 1) % length
    },
    ago,
    mean(samples: number) {
      let sum = 0
      for (let steps = 0; steps < samples; steps += 1) sum += ago(steps)
      return sum / samples
    },
  }
}
