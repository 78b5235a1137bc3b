/** One window of glucose readings as lines, and what the newest of them say about where it is going. */
import { dayBounds, isDay, localDay, wallTimeToMs } from '../../../../domain/zone.ts'
import type { GlucoseReading } from '../answers.ts'
import { CUTS } from '../units.ts'

export interface Dot {
  atMs: number
  /** mg/dL */
  value: number
  censored: 'low' | 'high' | null
}

export const SPANS = [3, 6, 12, 24] as const
export type SpanHours = (typeof SPANS)[number]

/** What is shown: a whole local day, or some hours up to an instant. */
export interface Window {
  day: string
  hours: SpanHours
  fromMs: number
  toMs: number
  /** The query of the address that means this window. */
  search: string
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Reads `?h=6&d=2026-11-20&t=14:00`; what cannot be read means today, whole, and hours without an end end now. */
export function windowOf(query: URLSearchParams, zone: string, nowMs: number): Window {
  const today = localDay(nowMs, zone)
  const asked = query.get('d')
  const day = asked !== null && isDay(asked) && asked <= today ? asked : today
  const hours = SPANS.find((span) => String(span) === query.get('h')) ?? 24
  if (hours === 24) {
    const { fromMs, toMs } = dayBounds(day, zone)
    return { day, hours, fromMs, toMs, search: searchOf({ d: day === today ? null : day }) }
  }
  const time = query.get('t') ?? ''
  const wanted = /^([01]\d|2[0-3]):[0-5]\d$/.test(time) ? wallTimeToMs(`${day}T${time}`, zone) : null
  const endMs = wanted ?? (day === today ? nowMs : dayBounds(day, zone).toMs)
  return hoursUpTo(Math.min(endMs, nowMs), hours, zone, nowMs)
}

/** The same number of hours, ending at another instant; up to now it follows the clock. */
export function hoursUpTo(endMs: number, hours: SpanHours, zone: string, nowMs: number): Window {
  const isNow = endMs >= nowMs - MINUTE_MS
  const toMs = isNow ? nowMs : Math.ceil(endMs / MINUTE_MS) * MINUTE_MS
  const day = localDay(toMs - 1, zone)
  const midnight = dayBounds(localDay(toMs, zone), zone).fromMs
  const minutes = Math.round((toMs - midnight) / MINUTE_MS)
  const time = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
  const search = isNow
    ? searchOf({ h: String(hours) })
    : searchOf({ h: String(hours), d: localDay(toMs, zone), t: time })
  return { day, hours, fromMs: toMs - hours * HOUR_MS, toMs, search }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function searchOf(fields: Record<string, string | null>): string {
  const said = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null)
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`
}

export function dotsOf(readings: readonly GlucoseReading[]): Dot[] {
  return readings
    .map(({ timestamp, value, censored }) => ({
      atMs: Date.parse(timestamp),
      value,
      censored: censored ?? null,
    }))
    .sort((a, b) => a.atMs - b.atMs)
}

/** Missing readings are a hole. */
export function partsOf(dots: readonly Dot[], maxGapMs: number): Dot[][] {
  const parts: Dot[][] = []
  let before: Dot | null = null
  for (const dot of dots) {
    if (!before || dot.atMs - before.atMs > maxGapMs) parts.push([])
    parts.at(-1)?.push(dot)
    before = dot
  }
  return parts
}

export type Trend =
  | 'risingFast'
  | 'rising'
  | 'risingSlowly'
  | 'steady'
  | 'fallingSlowly'
  | 'falling'
  | 'fallingFast'

/** Readings around a quarter of an hour apart tell the trend; less is the noise of one reading. */
const TREND_MS = 15 * MINUTE_MS
const TREND_TOLERANCE_MS = 6 * MINUTE_MS
/** mg/dL a minute, as sensors draw their arrows. */
const STEPS: readonly [number, Trend][] = [
  [3, 'risingFast'],
  [2, 'rising'],
  [1, 'risingSlowly'],
  [-1, 'steady'],
  [-2, 'fallingSlowly'],
  [-3, 'falling'],
]

/** Where it goes and by how much since then; null when the readings do not say. */
export function trendOf(dots: readonly Dot[]): { trend: Trend; change: number; overMs: number } | null {
  const last = dots.at(-1)
  if (!last || last.censored) return null
  const far = ({ atMs }: Dot) => Math.abs(last.atMs - atMs - TREND_MS)
  const before = dots
    .filter((dot) => far(dot) <= TREND_TOLERANCE_MS && !dot.censored)
    .sort((a, b) => far(a) - far(b))[0]
  if (!before) return null
  const overMs = last.atMs - before.atMs
  const change = last.value - before.value
  const perMinute = change / (overMs / MINUTE_MS)
  const found = STEPS.find(([least]) => (least > 0 ? perMinute >= least : perMinute > least))
  return { trend: found?.[1] ?? 'fallingFast', change, overMs }
}

export type Zone = 'veryLow' | 'low' | 'inRange' | 'high' | 'veryHigh'

export function zoneOf(mgPerDl: number): Zone {
  if (mgPerDl < CUTS.veryLow) return 'veryLow'
  if (mgPerDl < CUTS.low) return 'low'
  if (mgPerDl <= CUTS.high) return 'inRange'
  return mgPerDl <= CUTS.veryHigh ? 'high' : 'veryHigh'
}

/** Shares of the readings in, above and below 70 to 180 mg/dL, percent; null without any. */
export function sharesOf(dots: readonly Dot[]): { below: number; within: number; above: number } | null {
  if (dots.length === 0) return null
  const share = (fits: (zone: Zone) => boolean) =>
    (100 * dots.filter(({ value }) => fits(zoneOf(value))).length) / dots.length
  return {
    below: share((zone) => zone === 'low' || zone === 'veryLow'),
    within: share((zone) => zone === 'inRange'),
    above: share((zone) => zone === 'high' || zone === 'veryHigh'),
  }
}

/** The top of the value axis: room for what was measured, never less than 300 mg/dL, so that days compare. */
export function ceilingOf(dots: readonly Dot[]): number {
  const most = Math.max(0, ...dots.map(({ value }) => value))
  return Math.max(300, Math.ceil((most + 10) / 50) * 50)
}
