import type { Undecodable } from '../message.ts'
import { type PayloadLimits, readPayload } from './payload.ts'

/** A sample as our own firmware sent it, shape known, values not yet judged. */
export interface HfSample {
  metric: string
  value: unknown
  ts?: unknown
  tEnd?: unknown
  unit?: unknown
  scale?: unknown
  quality?: unknown
  censored?: unknown
  person?: unknown
}

/** One entry of a payload in order: a sample, or why it is none. `path` says where it stood. */
export type HfItem =
  | { index: number; path: string; sample: HfSample }
  | { index: number; path: string; refused: string }

export type HfDecoded = { items: HfItem[] } | Undecodable

/** The other spellings that firmware in the field uses for our own field names. */
const FIELDS: ReadonlyMap<string, keyof HfSample> = new Map([
  ['metric', 'metric'],
  ['value', 'value'],
  ['ts', 'ts'],
  ['t', 'ts'],
  ['timestamp', 'ts'],
  ['tEnd', 'tEnd'],
  ['t_end', 'tEnd'],
  ['unit', 'unit'],
  ['scale', 'scale'],
  ['quality', 'quality'],
  ['censored', 'censored'],
  ['person', 'person'],
  ['person_id', 'person'],
])
const POSITION_FIELDS: ReadonlySet<string> = new Set(['lat', 'lon', 'accuracy', 'accuracy_m'])
/** In the wide form these belong to one value, so they say nothing where several stand side by side. */
const OF_ONE_VALUE: readonly string[] = ['unit', 'censored']
/** The only metric whose `scale` differs from how the hub keeps it. */
const SCALED: ReadonlySet<string> = new Set(['stress', 'stress_level', 'activity', 'activity_intensity'])

/**
 * Reads the payload of `hf/<deviceId>/obs`: one sample or a list, each `{"ts","metric","value"}` or wide
 * (`{"ts","hr":72,"spo2":98}`), as JSON or CBOR. A field we do not know is refused by name, for its item alone.
 */
export function decodeObservations(payload: Uint8Array, limits?: PayloadLimits): HfDecoded {
  const read = readPayload(payload, limits)
  if ('error' in read) return read
  if (Array.isArray(read.value)) return { items: readSamples(read.value) }
  if (!isObject(read.value)) return { error: 'malformed', detail: 'expected a sample or a list of samples' }
  return { items: itemsOf(read.value, 0, '') }
}

/** Reads samples of the same two shapes that another protocol has parsed already. */
export function readSamples(entries: readonly unknown[]): HfItem[] {
  return entries.flatMap((entry, index) => itemsOf(entry, index, `[${index}]`))
}

function itemsOf(entry: unknown, index: number, path: string): HfItem[] {
  if (!isObject(entry)) return [{ index, path, refused: 'a sample is an object' }]
  return Object.hasOwn(entry, 'metric') ? [singleItem(entry, index, path)] : wideItems(entry, index, path)
}

function singleItem(entry: Record<string, unknown>, index: number, path: string): HfItem {
  const read = readFields(entry)
  const isPosition = entry['metric'] === 'position'
  const stranger = read.unknown.find((name) => !isPosition || !POSITION_FIELDS.has(name))
  if (stranger !== undefined)
    return { index, path: joined(path, stranger), refused: `unknown field ${quoted(stranger)}` }
  const { metric } = read
  if (typeof metric !== 'string') return { index, path: joined(path, 'metric'), refused: 'metric is a text' }
  if (!read.hasValue && read.unknown.length === 0)
    return { index, path: joined(path, 'value'), refused: 'value is missing' }
  const value = read.value === undefined ? picked(entry, read.unknown) : read.value
  return { index, path, sample: sampleOf(metric, value, read, read.scale) }
}

function wideItems(entry: Record<string, unknown>, index: number, path: string): HfItem[] {
  const read = readFields(entry)
  const metrics = read.hasValue ? Object.keys(entry).filter(namesMetric) : read.unknown
  if (metrics.length === 0) return [{ index, path, refused: 'the sample names no metric' }]
  const unclear =
    metrics.length > 1 ? OF_ONE_VALUE.find((name) => read.others && name in read.others) : undefined
  if (unclear) {
    return [
      {
        index,
        path: joined(path, unclear),
        refused: `${unclear} beside several metrics: send {"metric","value","${unclear}"}`,
      },
    ]
  }
  return metrics.map((metric) => {
    const scale = metrics.length === 1 || SCALED.has(metric) ? read.scale : undefined
    return { index, path: joined(path, metric), sample: sampleOf(metric, entry[metric], read, scale) }
  })
}

/** `value` is a field of a single sample only; beside several values it is a name like any other, and an unknown one. */
function namesMetric(name: string): boolean {
  return name === 'value' || !FIELDS.has(name)
}

/** The fields of an entry under our own names. */
interface Fields {
  metric: unknown
  value: unknown
  hasValue: boolean
  ts: unknown
  scale: unknown
  /** What else of ours it says, null when nothing. */
  others: Record<string, unknown> | null
  /** Names that are none of ours, in order. */
  unknown: string[]
}

/** Almost every sample holds a time and values and nothing else, so the rest alone costs an object without a fixed shape. */
function readFields(entry: Record<string, unknown>): Fields {
  const fields: Fields = {
    metric: undefined,
    value: undefined,
    hasValue: false,
    ts: undefined,
    scale: undefined,
    others: null,
    unknown: [],
  }
  for (const name of Object.keys(entry)) {
    const field = FIELDS.get(name)
    if (!field) fields.unknown.push(name)
    else if (field === 'value') {
      fields.value = entry[name]
      fields.hasValue = true
    } else if (field === 'ts' || field === 'metric' || field === 'scale') fields[field] = entry[name]
    else {
      fields.others ??= {}
      fields.others[field] = entry[name]
    }
  }
  return fields
}

function sampleOf(metric: string, value: unknown, { ts, others }: Fields, scale: unknown): HfSample {
  const sample: HfSample = ts === undefined ? { metric, value } : { metric, value, ts }
  if (scale !== undefined) sample.scale = scale
  return others ? Object.assign(sample, others) : sample
}

function picked(entry: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, entry[name]]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function joined(path: string, name: string): string {
  return path === '' ? name.slice(0, 64) : `${path}.${name.slice(0, 64)}`
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}
