/** Calendar days and wall clocks of a time zone, exact over daylight-saving changes. */

export interface DayBounds {
  fromMs: number
  toMs: number
}

interface Zone {
  wall: Intl.DateTimeFormat
  /** First instant of days already worked out. */
  starts: Map<string, number>
  /** The day of the last question: neighbouring samples fall into it. */
  recent: (DayBounds & { day: string }) | null
}

const DAY_MS = 86_400_000
/** No zone is further than this from UTC, so the instant of a wall time lies within it. */
const WIDEST_OFFSET_MS = 26 * 3_600_000
const ZONES_KEPT = 64
const DAYS_KEPT = 256
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/
const WALL_TIME = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/

/** Formatters cost about 30 KB and 50 µs to make; the oldest leaves when there are more than ZONES_KEPT. */
const zones = new Map<string, Zone>()

/** Whether `text` names an IANA time zone that this machine knows. Fixed offsets such as `+01:00` are not zones. */
export function isZone(text: string): boolean {
  if (text.length > 64 || !/^[A-Za-z]/.test(text)) return false
  try {
    zoneNamed(text)
    return true
  } catch {
    return false
  }
}

/** The local calendar day of an instant, `YYYY-MM-DD`. Throws RangeError for an unknown zone. */
export function localDay(ms: number, zone: string): string {
  const known = zoneNamed(zone)
  const recent = known.recent
  if (recent && ms >= recent.fromMs && ms < recent.toMs) return recent.day
  let day = dayOfWall(wallOf(ms, known))
  // A clock set back across midnight shows the day before once more; a day is one stretch, so the new day keeps it.
  if (ms >= startOf(nextDay(day), known)) day = nextDay(day)
  known.recent = { day, fromMs: startOf(day, known), toMs: startOf(nextDay(day), known) }
  return day
}

/**
 * The half-open stretch `[fromMs, toMs)` of a local day, 23 to 25 hours where clocks change. A day that the zone skipped
 * is empty. Throws RangeError when `day` is not a date.
 */
export function dayBounds(day: string, zone: string): DayBounds {
  const known = zoneNamed(zone)
  if (!isDay(day)) throw new RangeError(`${day} is not a day (YYYY-MM-DD)`)
  return { fromMs: startOf(day, known), toMs: startOf(nextDay(day), known) }
}

/**
 * The instant of a wall-clock time without zone (`2026-03-14T07:15:30`), null when the text is not one. A time that comes
 * twice means the first; one that the clock jumps over is moved on by the jump.
 */
export function wallTimeToMs(isoLocal: string, zone: string): number | null {
  const wallMs = parseWall(isoLocal)
  return wallMs === null ? null : instantOf(wallMs, zoneNamed(zone)).atMs
}

/** What the zone's wall clock shows at an instant, in milliseconds as if it were UTC. Throws RangeError for an unknown zone. */
export function wallClockMs(ms: number, zone: string): number {
  return wallOf(ms, zoneNamed(zone))
}

/** Whether `text` is a real calendar date, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  return DAY.test(text) && parseWall(`${text}T00:00`) !== null
}

function zoneNamed(name: string): Zone {
  const kept = zones.get(name)
  if (kept) return kept
  const wall = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const made: Zone = { wall, starts: new Map(), recent: null }
  forgetOldest(zones, ZONES_KEPT)
  zones.set(name, made)
  return made
}

function forgetOldest<Key, Value>(kept: Map<Key, Value>, limit: number): void {
  if (kept.size < limit) return
  for (const oldest of kept.keys()) {
    kept.delete(oldest)
    return
  }
}

/** The zone's wall clock at an instant, written as if it were UTC. */
function wallOf(ms: number, zone: Zone): number {
  const field: Record<string, string> = {}
  for (const part of zone.wall.formatToParts(ms)) field[part.type] = part.value
  const year = field['era'] === 'BC' ? 1 - Number(field['year']) : Number(field['year'])
  const wall = new Date(0)
  wall.setUTCFullYear(year, Number(field['month']) - 1, Number(field['day']))
  wall.setUTCHours(Number(field['hour']), Number(field['minute']), Number(field['second']))
  return wall.getTime() + (ms - Math.floor(ms / 1000) * 1000)
}

function instantOf(wallMs: number, zone: Zone): { atMs: number; exists: boolean } {
  const before = offsetAt(wallMs - WIDEST_OFFSET_MS, zone)
  const after = offsetAt(wallMs + WIDEST_OFFSET_MS, zone)
  for (const offset of [Math.max(before, after), Math.min(before, after)]) {
    if (offsetAt(wallMs - offset, zone) === offset) return { atMs: wallMs - offset, exists: true }
  }
  return { atMs: wallMs - before, exists: false }
}

function offsetAt(ms: number, zone: Zone): number {
  return wallOf(ms, zone) - ms
}

/** First instant whose wall clock has reached midnight of `day`. */
function startOf(day: string, zone: Zone): number {
  const kept = zone.starts.get(day)
  if (kept !== undefined) return kept
  const midnightMs = Date.parse(`${day}T00:00:00Z`)
  const found = instantOf(midnightMs, zone)
  const startMs = found.exists ? found.atMs : firstAtOrPast(midnightMs, zone)
  forgetOldest(zone.starts, DAYS_KEPT)
  zone.starts.set(day, startMs)
  return startMs
}

/** Finds the jump over a wall time that never came; around a forward jump the wall clock only grows. */
function firstAtOrPast(wallMs: number, zone: Zone): number {
  let low = wallMs - WIDEST_OFFSET_MS
  let high = wallMs + WIDEST_OFFSET_MS
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (wallOf(middle, zone) >= wallMs) high = middle
    else low = middle
  }
  return high
}

function dayOfWall(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10)
}

function nextDay(day: string): string {
  return dayOfWall(Date.parse(`${day}T00:00:00Z`) + DAY_MS)
}

function parseWall(text: string): number | null {
  const match = WALL_TIME.exec(text)
  if (!match) return null
  const [, year, month, day, hour, minute, second = '00', fraction = ''] = match
  const ms = fraction.padEnd(3, '0').slice(0, 3)
  const wallMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
  // Date.parse takes 31 February for 3 March, and 24:00.
  if (Number.isNaN(wallMs) || dayOfWall(wallMs) !== `${year}-${month}-${day}`) return null
  return wallMs
}
