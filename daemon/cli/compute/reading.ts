/** Numbers, times and objects as files of outside programs write them. All of these throw VALIDATION_ERROR for what they cannot read. */
import { isZone, wallTimeToMs } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Settings } from './computation.ts'

const MISSING = new Set(['', 'na', 'nan', 'null'])

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A cell as a number, null for an empty or missing one. */
export function readNumber(cell: string, what: string): number | null {
  if (MISSING.has(cell.toLowerCase())) return null
  const value = Number(cell)
  if (!Number.isFinite(value)) throw new HubError('VALIDATION_ERROR', `${what} is not a number: ${cell}`)
  return value
}

/** A JSON list as numbers, NaN for null and the words NaN, Infinity. */
export function numbersOf(list: unknown, what: string): number[] {
  if (!Array.isArray(list)) throw new HubError('VALIDATION_ERROR', `${what} must be a list of numbers.`)
  return list.map((value: unknown, index) => {
    if (typeof value === 'number') return value
    if (value === null || value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number.NaN
    throw new HubError('VALIDATION_ERROR', `${what}[${index}] is not a number.`)
  })
}

export function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (!isRecord(value)) throw new HubError('VALIDATION_ERROR', `${what} must be a JSON object.`)
  return value
}

export function recordsOf(list: unknown, what: string): Record<string, unknown>[] {
  if (!Array.isArray(list)) throw new HubError('VALIDATION_ERROR', `${what} must be a list of objects.`)
  return list.map((value: unknown, index) => recordOf(value, `${what}[${index}]`))
}

export function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new HubError('VALIDATION_ERROR', `${what} must be a number.`)
  return value
}

/** The zone of naive times and of local days: `zone`, or `timezone` as other tools call it; UTC when neither is given. */
export function zoneOf(set: Settings): string {
  const zone = set.text('zone', set.text('timezone', 'UTC'))
  if (!isZone(zone)) throw new HubError('VALIDATION_ERROR', `zone must be an IANA time zone, not "${zone}".`)
  return zone
}

/** An instant with an offset, or a wall time of `zone` without one. */
export function instantOf(text: string, zone: string, what: string): number {
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text)
  const atMs = hasOffset ? Date.parse(text) : wallTimeToMs(text, zone)
  if (atMs === null || Number.isNaN(atMs))
    throw new HubError('VALIDATION_ERROR', `${what} is not a time: ${text || '(empty)'}`)
  return atMs
}
