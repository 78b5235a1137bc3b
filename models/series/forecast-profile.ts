/** What an hour of a school day, and of a free day, usually shows: the plain forecast, and the ground of the better one. */
import {
  before,
  DAY_HOURS,
  dayOf,
  type HourlySeries,
  hourOfDay,
  isSchoolHour,
  QUANTILES,
  type Subject,
} from './forecast-days.ts'

export interface HourProfile {
  /** QUANTILES of the hour. */
  quantiles: Float64Array
  mean: number
  sd: number
}

export interface Profile {
  at(hour: number): HourProfile
  mean: number
  sd: number
  /** Deviation from what the hours usually show: the unit of the forecast. */
  residualSd: number
  /** Days from the first to the last value. */
  days: number
}

const LOOK_BACK_DAYS = 56
/** Fewer values of an hour and kind of day are joined by those of the other kind. */
const LEAST_VALUES = 4
const LEAST_SD = 1e-6

/** From the last eight weeks before `origin`; days with an event teach the usual only where there are no others. Null without values. */
export function profileOf(series: HourlySeries, origin: number, subject: Subject): Profile | null {
  const { values, firstHour } = before(series, origin)
  const start = Math.max(0, values.length - LOOK_BACK_DAYS * DAY_HOURS)
  const cells = Array.from({ length: 2 * DAY_HOURS }, () => ({
    plain: [] as number[],
    events: [] as number[],
  }))
  const known: number[] = []
  let first = -1
  for (let at = start; at < values.length; at += 1) {
    const value = values[at] ?? Number.NaN
    if (Number.isNaN(value)) continue
    if (first < 0) first = at
    const hour = firstHour + at
    const cell = cells[cellOf(subject, hour)]
    if (subject.days(dayOf(hour)).event > 0) cell?.events.push(value)
    else cell?.plain.push(value)
    known.push(value)
  }
  if (known.length === 0) return null
  const whole = momentsOf(known)
  const usual = cells.map((_, at) => describe(valuesFor(cells, at), known))
  const none = usual[0] ?? describe(known, known)
  const of = (hour: number) => usual[cellOf(subject, hour)] ?? none
  let squares = 0
  for (let at = start; at < values.length; at += 1) {
    const value = values[at] ?? Number.NaN
    if (!Number.isNaN(value)) squares += (value - of(firstHour + at).mean) ** 2
  }
  return {
    at: of,
    ...whole,
    residualSd: Math.max(Math.sqrt(squares / known.length), whole.sd * 0.05, LEAST_SD),
    days: (values.length - first) / DAY_HOURS,
  }
}

function cellOf(subject: Subject, hour: number): number {
  return hourOfDay(hour) + (isSchoolHour(subject, hour) ? DAY_HOURS : 0)
}

function valuesFor(cells: readonly { plain: number[]; events: number[] }[], at: number): number[] {
  const own = cells[at]
  const other = cells[(at + DAY_HOURS) % (2 * DAY_HOURS)]
  const found = [...(own?.plain ?? [])]
  if (found.length < LEAST_VALUES) found.push(...(own?.events ?? []))
  if (found.length < LEAST_VALUES) found.push(...(other?.plain ?? []))
  return found
}

function describe(values: readonly number[], all: readonly number[]): HourProfile {
  const used = values.length > 0 ? values : all
  const sorted = Float64Array.from(used).sort()
  return { quantiles: Float64Array.from(QUANTILES, (share) => quantileOf(sorted, share)), ...momentsOf(used) }
}

function momentsOf(values: readonly number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, sd: Math.max(Math.sqrt(variance), LEAST_SD) }
}

/** Linear between the sorted values (Hyndman & Fan 1996, definition 7). */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1)
  const low = Math.floor(place)
  const [a = 0, b = a] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]]
  return a + (place - low) * (b - a)
}
