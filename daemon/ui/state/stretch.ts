/** The part of time that a person's screen shows, as its address says: a local day, or one hour of it. */
import { dayBounds, isDay, localDay, wallTimeToMs } from '../../domain/zone.ts'

export interface Stretch {
  day: string
  span: 'day' | 'hour'
  fromMs: number
  toMs: number
  /** The address's query that means this stretch; empty for today. */
  search: string
}

const HOUR_MS = 3_600_000

/** Reads `?d=2026-11-20&t=14:00`; what cannot be read means today. */
export function stretchOf(query: URLSearchParams, zone: string, nowMs: number, today: string): Stretch {
  const asked = query.get('d')
  const day = asked !== null && isDay(asked) && asked <= today ? asked : today
  const time = query.get('t')
  if (time !== null && /^([01]\d|2[0-3]):[0-5]\d$/.test(time)) {
    const atMs = wallTimeToMs(`${day}T${time}`, zone)
    if (atMs !== null && atMs <= nowMs) return hourAt(atMs, zone)
  }
  const { fromMs, toMs } = dayBounds(day, zone)
  return { day, span: 'day', fromMs, toMs, search: day === today ? '' : `?d=${day}` }
}

/** The full hour that an instant lies in, by the wall clock of the zone. */
export function hourAt(atMs: number, zone: string): Stretch {
  const { fromMs: midnightMs } = dayBounds(localDay(atMs, zone), zone)
  const fromMs = midnightMs + Math.floor((atMs - midnightMs) / HOUR_MS) * HOUR_MS
  const day = localDay(fromMs, zone)
  const time = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(fromMs)
  return { day, span: 'hour', fromMs, toMs: fromMs + HOUR_MS, search: `?d=${day}&t=${time}` }
}

/** The neighbouring day or hour; null when it has not begun yet. */
export function neighbour(stretch: Stretch, step: -1 | 1, zone: string, nowMs: number): Stretch | null {
  const atMs = step === 1 ? stretch.toMs : stretch.fromMs - 1
  if (atMs > nowMs) return null
  if (stretch.span === 'hour') return hourAt(atMs, zone)
  const day = localDay(atMs, zone)
  return stretchOf(new URLSearchParams({ d: day }), zone, nowMs, localDay(nowMs, zone))
}

/** What is drawn of a stretch. */
export interface View {
  fromMs: number
  toMs: number
  /** Instants to label. */
  ticks: number[]
}

/** A day with less recorded than this is drawn around what there is; a full day would show it as a splinter. */
const SPLINTER_MS = 4 * HOUR_MS
const QUARTER_MS = HOUR_MS / 4

/** The whole stretch, or the full hours around its readings when a day has only a few of them. */
export function viewOf(stretch: Stretch, zone: string, firstMs: number | null, lastMs: number | null): View {
  const whole = { fromMs: stretch.fromMs, toMs: stretch.toMs, ticks: ticksOf(stretch, zone) }
  if (stretch.span === 'hour' || firstMs === null || lastMs === null) return whole
  const hours = (atMs: number) => (atMs - stretch.fromMs) / HOUR_MS
  const fromMs = stretch.fromMs + Math.floor(hours(firstMs)) * HOUR_MS
  const toMs = Math.min(stretch.toMs, stretch.fromMs + Math.ceil(hours(lastMs)) * HOUR_MS)
  if (toMs - fromMs > SPLINTER_MS || toMs <= fromMs) return whole
  const stepMs =
    toMs - fromMs <= HOUR_MS ? QUARTER_MS : toMs - fromMs <= 2 * HOUR_MS ? 2 * QUARTER_MS : HOUR_MS
  const steps = Math.round((toMs - fromMs) / stepMs)
  return { fromMs, toMs, ticks: Array.from({ length: steps + 1 }, (_, index) => fromMs + index * stepMs) }
}

/** Every six hours of a day by the wall clock, every quarter of an hour. */
function ticksOf(stretch: Stretch, zone: string): number[] {
  if (stretch.span === 'hour') {
    return Array.from({ length: 5 }, (_, index) => stretch.fromMs + index * QUARTER_MS)
  }
  const hours = [0, 6, 12, 18].map((hour) =>
    wallTimeToMs(`${stretch.day}T${String(hour).padStart(2, '0')}:00`, zone),
  )
  return [...hours.filter((atMs) => atMs !== null), stretch.toMs]
}
