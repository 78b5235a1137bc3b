import { inUnitOf } from '../quantity.ts'
import { censoredValue } from './cgm-words.ts'
import { objectOf, pathText, readJsonRecords } from './json-records.ts'
import { type Emit, type ImportedSample, present, type Reading, skipped } from './record.ts'
import { numberFrom, parseTold, text } from './when.ts'

/** A page covers thirty days at most, 8640 readings. */
const MAX_READINGS = 50_000
const NO_TREND: ReadonlySet<string> = new Set(['none', 'unknown', 'notComputable', 'rateOutOfRange'])

/** Dexcom API v3 `egvs`: newest first, so the readings of a page are turned round at its end. */
export function readDexcom(emit: Emit): Reading {
  const readings: ImportedSample[] = []
  return readJsonRecords({
    emit,
    wanted: [['records', '*']],
    onPiece(path, value) {
      const record = readingOf(objectOf(value))
      if (typeof record === 'string') emit(skipped(pathText(path), record))
      else if (readings.length >= MAX_READINGS)
        emit(skipped(pathText(path), `more than ${MAX_READINGS} readings in a page`))
      else readings.push(record)
    },
    onEnd() {
      for (const reading of readings.sort((a, b) => a.atMs - b.atMs)) emit(reading)
    },
  })
}

function readingOf(record: Record<string, unknown>): ImportedSample | string {
  const told = systemTime(record['systemTime'])
  if (told === null) return 'systemTime is no time'
  const about = {
    kind: 'sample',
    metric: 'glucose',
    unit: 'mg/dL',
    atMs: told,
    ...present({ externalId: text(record['recordId'], 128) }),
  } as const
  const number = numberFrom(record['value'])
  if (number === null) {
    const beyond = censoredValue(String(record['status']), 'dexcom')
    return beyond
      ? { ...about, value: beyond.mgPerDl, censored: beyond.censored }
      : 'neither a value nor low or high'
  }
  const unit = text(record['unit'], 16)
  const value = inUnitOf('glucose', number, unit ?? undefined)
  if (value === null) return `the unit ${unit} is not one for glucose`
  const trend = text(record['trend'], 32)
  const facts = present({
    trend: trend !== null && NO_TREND.has(trend) ? null : trend,
    rate: numberFrom(record['trendRate']),
  })
  return { ...about, value, ...(Object.keys(facts).length > 0 ? { facts } : {}) }
}

/** UTC with or without the letter that says so. */
function systemTime(value: unknown): number | null {
  if (typeof value !== 'string') return null
  return (parseTold(value) ?? parseTold(`${value}Z`))?.atMs ?? null
}
