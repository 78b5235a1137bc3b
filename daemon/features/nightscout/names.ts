/** Names of documents: 24 hexadecimal digits, as Nightscout's database made them and its clients expect. */
import { createHash } from 'node:crypto'

/** What an entry's name says: which metric, when, and a word that tells two uploaders apart. */
export interface EntryName {
  metric: EntryMetric
  atMs: number
  mark: string
}

const METRICS = ['glucose', 'glucose_strip'] as const
export type EntryMetric = (typeof METRICS)[number]

const NAME = /^[0-9a-f]{24}$/
const TIME_DIGITS = 11
const MARK_DIGITS = 12

/** The same reading has the same name for ever, and no table is needed to find it again. */
export function entryName(metric: EntryMetric, atMs: number, deviceId: string): string {
  return `${METRICS.indexOf(metric) + 1}${Math.max(0, atMs).toString(16).padStart(TIME_DIGITS, '0')}${markOf(deviceId)}`
}

export function readEntryName(name: string): EntryName | null {
  const metric = METRICS[Number(name[0]) - 1]
  if (!NAME.test(name) || !metric) return null
  return {
    metric,
    atMs: Number.parseInt(name.slice(1, 1 + TIME_DIGITS), 16),
    mark: name.slice(1 + TIME_DIGITS),
  }
}

export function markOf(deviceId: string): string {
  return createHash('sha256').update(deviceId).digest('hex').slice(0, MARK_DIGITS)
}

/** A client's own name in that form, or null. */
export function ownName(value: unknown): string | null {
  return typeof value === 'string' && NAME.test(value) ? value : null
}

export function nameFor(identifier: string): string {
  return createHash('sha256').update(identifier).digest('hex').slice(0, 24)
}
