/** An instant with the wall clock that its text showed. */
export interface Told {
  atMs: number
  /** Local day of the text, `YYYY-MM-DD`. */
  day: string
}

const OFFSET_TIME =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(?:(Z)|([+-])(\d{2}):?(\d{2}))$/

/** Reads `2026-03-14 08:00:58 +0100` and RFC 3339 times; null for anything without an offset or out of the calendar. */
export function parseTold(text: unknown): Told | null {
  if (typeof text !== 'string' || text.length > 48) return null
  return text.length === APPLE_LENGTH ? (appleTime(text) ?? offsetTime(text)) : offsetTime(text)
}

const APPLE_LENGTH = '2026-03-14 08:00:58 +0100'.length

/** The one form of a gigabyte of Apple Health, by its places, which takes a fifth of the time of an expression. */
function appleTime(text: string): Told | null {
  const sign = text[20] === '+' ? 1 : text[20] === '-' ? -1 : 0
  if (sign === 0 || text[4] !== '-' || text[10] !== ' ' || text[13] !== ':' || text[19] !== ' ') return null
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)]
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)]
  const offsetMinutes = digits(text, 21, 23) * 60 + digits(text, 23, 25)
  const plain =
    month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59
  if (!plain || !(year >= 1000) || !(offsetMinutes <= 24 * 60)) return null
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second)
  // A day that every month has needs no calendar.
  if (day > 28 && new Date(wallMs).getUTCDate() !== day) return null
  return { atMs: wallMs - sign * offsetMinutes * 60_000, day: text.slice(0, 10) }
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function offsetTime(text: string): Told | null {
  const match = OFFSET_TIME.exec(text)
  if (!match) return null
  const [, day = '', clock = '', utc, sign, hours, minutes] = match
  const wallMs = Date.parse(`${day}T${clock}Z`)
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString().slice(0, 10) !== day) return null
  if (utc !== undefined) return { atMs: wallMs, day }
  const offsetMinutes = Number(hours) * 60 + Number(minutes)
  if (offsetMinutes > 24 * 60) return null
  return { atMs: wallMs - (sign === '-' ? -1 : 1) * offsetMinutes * 60_000, day }
}

/** Milliseconds of an offset such as `+01:00`; 0 when it is none. */
export function offsetMs(text: unknown): number {
  const match = typeof text === 'string' ? /^([+-])(\d{2}):?(\d{2})$/.exec(text) : null
  if (!match) return 0
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000
}

/** The calendar day of an instant at a fixed offset. */
export function dayAt(atMs: number, offset: number): string {
  return new Date(atMs + offset).toISOString().slice(0, 10)
}

const NUMBER = /^[+-]?\d{1,15}(?:\.\d{1,15})?(?:e[+-]?\d{1,3})?$/i

/** A finite number from JSON or from text; null for anything else. */
export function numberFrom(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : null
}

/** A number in a table of unknown language: `5.4` and `5,4`. Null for `1,234`, which means two things. */
export function numberInAnyLocale(text: string): number | null {
  const trimmed = text.trim()
  return /^[+-]?\d{1,9},\d{1,9}$/.test(trimmed) && !/,\d{3}$/.test(trimmed)
    ? Number(trimmed.replace(',', '.'))
    : numberFrom(trimmed)
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

/** `HKWorkoutActivityTypeTableTennis`'s last words, `Outdoor Run` → `table_tennis`, `outdoor_run`. */
export function snake(text: string): string {
  return text
    .slice(0, 64)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
}

export function text(value: unknown, max = 256): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : null
}
