/** Variability of glucose over time, on the even grid of a trace; definitions as documented by iglu and its sources. */
import type { GlucoseGrid } from './cgm-grid.ts'
import { finiteOf, mean, sampleSd, valueAt } from './moments.ts'

const HOUR_MIN = 60
const DAY_HOURS = 24

/** Differences between points that are `minutes` apart, where both are known. */
function differences(grid: GlucoseGrid, minutes: number): Float64Array {
  const lag = Math.max(1, Math.round(minutes / grid.stepMin))
  return finiteOf(grid.mgPerDl.subarray(lag).map((later, index) => later - valueAt(grid.mgPerDl, index)))
}

/** CONGA(n): SD of differences n hours apart (McDonnell 2005, doi 10.1089/dia.2005.7.253). iglu's default is 24, most papers use 1 to 4. */
export function conga(grid: GlucoseGrid, hours: number): number | null {
  return sampleSd(differences(grid, hours * HOUR_MIN))
}

/** MODD: mean absolute difference to the same time `days` before (Service 1980). Null when no two days meet. */
export function modd(grid: GlucoseGrid, days = 1): number | null {
  return mean(differences(grid, days * DAY_HOURS * HOUR_MIN).map(Math.abs))
}

/**
 * MAG: absolute change per hour over steps of `minutes` (Hermanides 2010); every `minutes`-th point from the first midnight step on.
 * On the sensor's own step it counts noise too, which is why 5 and 60 minutes differ by half.
 */
export function mag(grid: GlucoseGrid, minutes = grid.stepMin): number | null {
  const stride = Math.max(1, Math.round(minutes / grid.stepMin))
  const picked = grid.mgPerDl.filter((_, index) => index % stride === 0)
  const changes = finiteOf(picked.subarray(1).map((later, index) => Math.abs(later - valueAt(picked, index))))
  const perStep = mean(changes)
  return perStep === null ? null : (perStep * HOUR_MIN) / (stride * grid.stepMin)
}

/** GVP in %: how much longer the trace is than a flat one (Peyser 2018, doi 10.1089/dia.2017.0187). */
export function glycemicVariabilityPercent(grid: GlucoseGrid): number | null {
  const stepMin = grid.stepMin
  const length = mean(differences(grid, stepMin).map((rise) => Math.hypot(stepMin, rise)))
  return length === null ? null : 100 * (length / stepMin - 1)
}

/** SD of the rate of change over 15 minutes, mg/dL per minute (Clarke 2009, doi 10.1089/dia.2008.0138). */
export function sdOfRate(grid: GlucoseGrid): number | null {
  return sampleSd(differences(grid, 15).map((rise) => rise / 15))
}

/** Mean height of the trapezoids under the curve where both ends are known: the time-true mean of the trace. */
export function meanUnderCurve(grid: GlucoseGrid): number | null {
  return mean(trapezoids(grid.mgPerDl))
}

/**
 * Hourly AUC as iglu prints it, for comparison with published tables: it takes every n-th point of the grid together (n the days
 * laid out), so its trapezoids span n steps. `meanUnderCurve` is the number that the name promises.
 */
export function igluHourlyAuc(grid: GlucoseGrid): number | null {
  const heights: number[] = []
  for (let comb = 0; comb < grid.daysLaidOut; comb += 1) {
    heights.push(...trapezoids(grid.mgPerDl.filter((_, index) => index % grid.daysLaidOut === comb)))
  }
  return mean(heights)
}

function trapezoids(values: Float64Array): Float64Array {
  return finiteOf(values.subarray(1).map((later, index) => (later + valueAt(values, index)) / 2))
}

/** Rodbard's spreads in mg/dL (Rodbard 2009, doi 10.1089/dia.2009.0015). Each is null where fewer than two parts are known. */
export interface SdMeasures {
  withinDays: number | null
  betweenTimesOfDay: number | null
  withinHours: number | null
  betweenDailyMeans: number | null
  betweenDaysSameTime: number | null
  betweenDaysCorrected: number | null
}

export function sdMeasures(grid: GlucoseGrid): SdMeasures {
  const days = grouped(grid, grid.day)
  const times = grouped(grid, grid.slot)
  const dayMeans = new Map([...days].map(([day, values]) => [day, mean(values) ?? Number.NaN]))
  const corrected = {
    ...grid,
    mgPerDl: grid.mgPerDl.map(
      (value, index) => value - (dayMeans.get(valueAt32(grid.day, index)) ?? Number.NaN),
    ),
  }
  return {
    withinDays: mean(spreads(days)),
    betweenTimesOfDay: sampleSd([...times.values()].map((values) => mean(values) ?? Number.NaN)),
    withinHours: mean(hourlySpreads(grid)),
    betweenDailyMeans: sampleSd([...dayMeans.values()]),
    betweenDaysSameTime: mean(spreads(times)),
    betweenDaysCorrected: mean(spreads(grouped(corrected, grid.slot))),
  }
}

/** Mean and SD over days of each day's coefficient of variation, % (Umpierrez 2018, doi 10.1016/j.amjms.2018.09.010). */
export function cvMeasures(grid: GlucoseGrid): { mean: number | null; sd: number | null } {
  const perDay = [...grouped(grid, grid.day).values()].map((values) => {
    const sd = sampleSd(values)
    const centre = mean(values)
    return sd === null || centre === null ? Number.NaN : (100 * sd) / centre
  })
  return { mean: mean(perDay), sd: sampleSd(perDay) }
}

function grouped(grid: GlucoseGrid, place: Int32Array): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  grid.mgPerDl.forEach((value, index) => {
    if (!Number.isFinite(value)) return
    const key = valueAt32(place, index)
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  })
  return groups
}

function valueAt32(places: Int32Array, index: number): number {
  return places[index] ?? -1
}

function spreads(groups: ReadonlyMap<number, number[]>): number[] {
  return [...groups.values()].map((values) => sampleSd(values) ?? Number.NaN)
}

/** SD of the hour that starts at each point, of as many values as it has. */
function hourlySpreads(grid: GlucoseGrid): Float64Array {
  const span = Math.max(1, Math.round(HOUR_MIN / grid.stepMin))
  return Float64Array.from(
    grid.mgPerDl,
    (_, index) => sampleSd(grid.mgPerDl.subarray(index, index + span)) ?? Number.NaN,
  )
}
