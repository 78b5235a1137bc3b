import { inUnitOf } from '../quantity.ts'
import { type JsonObject, objectOf, pathText, readJsonRecords } from './json-records.ts'
import {
  type Emit,
  type ImportedEvent,
  type ImportedSample,
  present,
  type Reading,
  skipped,
} from './record.ts'
import { numberFrom, parseTold, text } from './when.ts'

/** Readings below this are Dexcom's error codes, not glucose. */
const LOWEST_READING = 39
const NO_TREND: ReadonlySet<string> = new Set(['NONE', 'NOT COMPUTABLE', 'RATE OUT OF RANGE'])
/** Epoch seconds are below, epoch milliseconds from here on. */
const SECONDS_BELOW = 1e11

export type NightscoutRecord = ImportedSample | ImportedEvent

/** What one document of a collection holds; a text says why it holds nothing. */
export type NightscoutRead = readonly NightscoutRecord[] | string

/** A file of entries, treatments or device statuses, as Nightscout's API lists them or an uploader posts them. */
export function readNightscout(emit: Emit): Reading {
  return readJsonRecords({
    emit,
    wanted: [['*'], ['result', '*']],
    onPiece(path, value) {
      const isResult = path[0] === 'result' && path.length === 1
      if (isResult || typeof value !== 'object') return
      const read = nightscoutRecords(objectOf(value))
      if (typeof read === 'string') emit(skipped(pathText(path), read))
      else for (const record of read) emit(record)
    },
  })
}

/** Reads a document of whichever collection its fields belong to. */
export function nightscoutRecords(document: JsonObject): NightscoutRead {
  if ('sgv' in document || 'mbg' in document || document['type'] === 'cal') return entryRecords(document)
  if ('uploaderBattery' in document || 'uploader' in document || 'pump' in document)
    return statusRecords(document)
  return treatmentRecords(document)
}

/** `sgv` is the sensor's, `mbg` a meter's. Values are in mg/dL whatever the person's display shows. */
export function entryRecords(document: JsonObject): NightscoutRead {
  const atMs = timeOf(document, ['date', 'sysTime', 'dateString'])
  if (atMs === null) return 'date is no time'
  const metric = 'sgv' in document ? 'glucose' : 'glucose_strip'
  const value = numberFrom(document['sgv'] ?? document['mbg'])
  if (value === null)
    return document['type'] === 'cal' ? 'a calibration line is no reading' : 'neither sgv nor mbg'
  if (metric === 'glucose' && value < LOWEST_READING) return `${value} is an error code of the sensor`
  const direction = text(document['direction'], 32)
  const facts = present({ trend: direction !== null && NO_TREND.has(direction) ? null : direction })
  return [
    {
      kind: 'sample',
      metric,
      value,
      unit: 'mg/dL',
      atMs,
      ...origin(document, document['device']),
      ...(Object.keys(facts).length > 0 ? { facts } : {}),
    },
  ]
}

/** One treatment may be a meal and a bolus at once. */
export function treatmentRecords(document: JsonObject): NightscoutRead {
  const atMs = timeOf(document, ['created_at', 'timestamp', 'date'])
  if (atMs === null) return 'created_at is no time'
  const about = { atMs, ...origin(document, null) }
  const of = (field: string) => numberFrom(document[field])
  const type = text(document['eventType'], 64) ?? ''
  const records: NightscoutRecord[] = []
  const event = (kind: ImportedEvent['event'], facts: object) =>
    records.push({ kind: 'event', event: kind, ...about, facts: { ...facts } })
  const carbs = of('carbs')
  if (carbs !== null && carbs > 0) event('meal', { carbs_g: carbs })
  const units = of('insulin')
  if (units !== null && units > 0) event('insulin', { units, subtype: 'bolus' })
  if (type === 'Temp Basal') {
    const rate = of('absolute') ?? of('rate')
    const facts = present({
      rate_u_h: rate,
      percent: rate === null ? of('percent') : null,
      duration_min: of('duration'),
    })
    event('basal', facts)
  }
  if (type === 'Exercise') event('exercise', present({ duration_min: of('duration') }))
  const glucose = type === 'BG Check' ? stripSample(document, about) : null
  if (glucose) records.push(glucose)
  const notes = text(document['notes'], 2000)
  if (notes !== null && (type === 'Note' || type === 'Announcement' || type === 'Question'))
    event('note', { text: notes })
  return records.length > 0 ? records : `a treatment "${type}" without anything that is kept`
}

function stripSample(document: JsonObject, about: { atMs: number }): ImportedSample | null {
  const number = numberFrom(document['glucose'])
  const unit = document['units'] === 'mmol' ? 'mmol/L' : 'mg/dL'
  const value = number === null ? null : inUnitOf('glucose_strip', number, unit)
  return value === null ? null : { kind: 'sample', metric: 'glucose_strip', value, unit: 'mg/dL', ...about }
}

export function statusRecords(document: JsonObject): NightscoutRead {
  const atMs = timeOf(document, ['created_at', 'date'])
  const value = numberFrom(document['uploaderBattery'] ?? objectOf(document['uploader'])['battery'])
  if (atMs === null) return 'created_at is no time'
  if (value === null) return 'a device status without the battery of the uploader'
  return [
    { kind: 'sample', metric: 'battery', value, unit: '%', atMs, ...origin(document, document['device']) },
  ]
}

function origin(document: JsonObject, device: unknown): { device?: string; externalId?: string } {
  const id = document['identifier'] ?? document['_id']
  return present({ device: text(device, 128), externalId: text(id, 64) })
}

function timeOf(document: JsonObject, fields: readonly string[]): number | null {
  for (const field of fields) {
    const value = document[field]
    const number = numberFrom(value)
    if (number !== null && number > 0) return Math.round(number < SECONDS_BELOW ? number * 1000 : number)
    const told = parseTold(value)
    if (told) return told.atMs
  }
  return null
}
