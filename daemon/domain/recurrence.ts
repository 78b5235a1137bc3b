/** The part of RFC 5545 recurrence that families and teams use; what lies outside of it is refused in words. */
import { wallClockMs, wallTimeToMs } from './zone.ts'

export type Frequency = 'DAILY' | 'WEEKLY' | 'MONTHLY'

export interface Recurrence {
  frequency: Frequency
  interval: number
  /** Days of the week, 0 is Monday; empty: the day of the first. Weekly rules only. */
  days: readonly number[]
  count: number | null
  /** UTC instant of the last start that may be, or a wall time of the event's zone (a day means its end). */
  until: { atMs: number } | { wallMs: number } | null
}

const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const DAY_MS = 86_400_000
const COUNT_MAX = 1000
const INTERVAL_MAX = 99
const RULE_LENGTH_MAX = 200
/** No zone's wall clock is further than this from UTC. */
const ZONE_SLACK_MS = 26 * 3_600_000
/** A daily event of a century. */
const STEPS_MAX = 40_000
const UNTIL = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?$/
const SUBSET = 'FREQ=DAILY, WEEKLY or MONTHLY with INTERVAL, BYDAY (weekly: MO,TU,…), COUNT or UNTIL'

/** Reads `FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20270630`; says what it does not take. */
export function parseRecurrence(text: string): Recurrence | { wrong: string } {
  const bare = text.replace(/^RRULE:/i, '').toUpperCase()
  if (bare.length > RULE_LENGTH_MAX) return { wrong: `is longer than ${RULE_LENGTH_MAX} characters` }
  const parts = new Map<string, string>()
  for (const part of bare.split(';')) {
    const [name = '', value = '', ...more] = part.split('=')
    if (value === '' || more.length > 0 || parts.has(name)) return { wrong: `reads like ${SUBSET}` }
    parts.set(name, value)
  }
  const { FREQ, INTERVAL = '1', BYDAY, COUNT, UNTIL: until, WKST = 'MO', ...rest } = Object.fromEntries(parts)
  const [foreign] = Object.keys(rest)
  if (foreign !== undefined) return { wrong: `${foreign} is not taken here: ${SUBSET}` }
  if (FREQ !== 'DAILY' && FREQ !== 'WEEKLY' && FREQ !== 'MONTHLY')
    return { wrong: `FREQ is not taken here: ${SUBSET}` }
  if (WKST !== 'MO') return { wrong: 'weeks begin on Monday here: leave WKST out' }
  const interval = wholeWithin(INTERVAL, INTERVAL_MAX)
  if (interval === null) return { wrong: `INTERVAL is 1 to ${INTERVAL_MAX}` }
  const count = COUNT === undefined ? null : wholeWithin(COUNT, COUNT_MAX)
  if (COUNT !== undefined && count === null) return { wrong: `COUNT is 1 to ${COUNT_MAX}` }
  if (COUNT !== undefined && until !== undefined) return { wrong: 'COUNT and UNTIL exclude each other' }
  const end = until === undefined ? null : parseUntil(until)
  if (end && 'wrong' in end) return end
  const days = daysOf(BYDAY, FREQ)
  return 'wrong' in days ? days : { frequency: FREQ, interval, days: days.days, count, until: end }
}

function wholeWithin(text: string, max: number): number | null {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0
  return value >= 1 && value <= max ? value : null
}

function daysOf(text: string | undefined, frequency: Frequency): { days: number[] } | { wrong: string } {
  if (text === undefined) return { days: [] }
  if (frequency !== 'WEEKLY') return { wrong: 'BYDAY goes with FREQ=WEEKLY only' }
  const days = [...new Set(text.split(','))].map((day) => DAYS.indexOf(day))
  return days.includes(-1)
    ? { wrong: 'BYDAY is a list of MO, TU, WE, TH, FR, SA, SU' }
    : { days: days.sort() }
}

function parseUntil(text: string): NonNullable<Recurrence['until']> | { wrong: string } {
  const wrong = { wrong: 'UNTIL reads like 20270630 or 20270630T180000Z' }
  const match = UNTIL.exec(text)
  if (!match) return wrong
  const [, year, month, day, hour = '23', minute = '59', second = '59', utc] = match
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(atMs) || new Date(atMs).getUTCDate() !== Number(day)) return wrong
  return utc === 'Z' ? { atMs } : { wallMs: atMs }
}

/** Monday is 0. */
export function weekdayOf(wallMs: number): number {
  return (Math.floor(wallMs / DAY_MS) + 3) % 7
}

export interface Series {
  startMs: number
  /** IANA zone whose wall clock the series keeps. */
  zone: string
  rule: Recurrence
}

/**
 * Starts within `[fromMs, toMs)`, ascending, at most `limit`. The wall-clock time stays over daylight-saving changes; a time that a
 * clock jumps over moves on by the jump. A month without the day is passed over, as RFC 5545 says.
 */
export function startsWithin(
  { startMs, zone, rule }: Series,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  limit: number,
): number[] {
  const found: number[] = []
  let told = 0
  for (const wallMs of wallTimes(wallClockMs(startMs, zone), rule)) {
    told += 1
    if (found.length >= limit || (rule.count !== null && told > rule.count)) break
    if (wallMs > toMs + ZONE_SLACK_MS || isPast(wallMs, rule.until)) break
    // Only what may lie in the window is worth asking the zone about.
    if (wallMs < fromMs - ZONE_SLACK_MS) continue
    const atMs = told === 1 ? startMs : instantOf(wallMs, zone)
    if (rule.until && 'atMs' in rule.until && atMs > rule.until.atMs) break
    if (atMs >= fromMs && atMs < toMs) found.push(atMs)
  }
  return found
}

function isPast(wallMs: number, until: Recurrence['until']): boolean {
  if (until === null) return false
  return 'wallMs' in until ? wallMs > until.wallMs : wallMs > until.atMs + ZONE_SLACK_MS
}

function instantOf(wallMs: number, zone: string): number {
  return wallTimeToMs(new Date(wallMs).toISOString().slice(0, 23), zone) ?? wallMs
}

/** Wall times of the series from its first on, as if they were UTC. */
function* wallTimes(firstMs: number, { frequency, interval, days }: Recurrence): Generator<number> {
  if (frequency === 'MONTHLY') return yield* monthly(firstMs, interval)
  if (frequency === 'DAILY') {
    for (let step = 0; step < STEPS_MAX; step += 1) yield firstMs + step * interval * DAY_MS
    return
  }
  const weekday = weekdayOf(firstMs)
  const mondayMs = firstMs - weekday * DAY_MS
  for (let step = 0; step < STEPS_MAX / 7; step += 1) {
    for (const day of days.length > 0 ? days : [weekday]) {
      const wallMs = mondayMs + (7 * step * interval + day) * DAY_MS
      if (wallMs >= firstMs) yield wallMs
    }
  }
}

function* monthly(firstMs: number, interval: number): Generator<number> {
  const first = new Date(firstMs)
  for (let step = 0; step < STEPS_MAX / 30; step += 1) {
    const made = new Date(firstMs)
    made.setUTCMonth(first.getUTCMonth() + step * interval)
    if (made.getUTCDate() === first.getUTCDate()) yield made.getTime()
  }
}
