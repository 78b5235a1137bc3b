import { wallTimeToMs } from './zone.ts'

/** Numbers below this are epoch seconds, from it on epoch milliseconds (the year 5138 against 1973). */
const SECONDS_BELOW = 1e11
/** The last instant that a JavaScript date can hold. */
const LAST_MS = 8.64e15
/** Nothing that a household measures or records is older than 2000-01-01; an earlier date is a clock that was never set. */
export const EARLIEST_MS = Date.UTC(2000, 0, 1)
const INSTANT =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)(?:([Zz])|([+-])(\d{2}):?(\d{2}))?$/
const NUMBER = /^\d{1,16}(?:\.\d{1,9})?$/

/** An instant, or what is wrong with the text or number that was to be one. */
export type ParsedInstant = { atMs: number } | { wrong: string }

/**
 * Reads RFC 3339 text, or epoch seconds or milliseconds as number or digits. Text without an offset is the wall clock of
 * `zone`; with `zone` null it is refused, because nobody could say which instant it means.
 */
export function parseInstant(value: unknown, zone: string | null): ParsedInstant {
  if (typeof value === 'number') return fromEpoch(value)
  if (typeof value !== 'string') return { wrong: 'a time is RFC 3339 text or epoch seconds or milliseconds' }
  if (NUMBER.test(value)) return fromEpoch(Number(value))
  const match = INSTANT.exec(value)
  if (!match) return { wrong: 'a time reads like 2026-03-14T08:00:00Z or 2026-03-14T09:00:00+01:00' }
  const [, day, clock, utc, sign, hours, minutes] = match
  const wall = `${day}T${clock}`
  if (utc === undefined && sign === undefined) {
    return zone === null
      ? { wrong: 'the time has no offset: end it with Z or +hh:mm' }
      : known(wallTimeToMs(wall, zone))
  }
  const offsetMinutes =
    sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  if (Math.abs(offsetMinutes) > 24 * 60 || Number(minutes ?? 0) > 59)
    return { wrong: 'the offset is no real one' }
  const wallMs = wallTimeToMs(wall, 'UTC')
  return known(wallMs === null ? null : wallMs - offsetMinutes * 60_000)
}

function known(atMs: number | null): ParsedInstant {
  return atMs === null ? { wrong: 'there is no such date or time of day' } : { atMs }
}

function fromEpoch(value: number): ParsedInstant {
  if (!Number.isFinite(value) || value < 0) return { wrong: 'an epoch time is a number from 0 on' }
  const atMs = Math.round(value < SECONDS_BELOW ? value * 1000 : value)
  return atMs > LAST_MS ? { wrong: 'the time is beyond any calendar' } : { atMs }
}
