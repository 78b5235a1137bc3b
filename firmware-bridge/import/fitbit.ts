import { entry } from '../entry.ts'
import type { LocalClock } from '../local-clock.ts'
import { inUnitOf, unitOf } from '../quantity.ts'
import { type JsonObject, listOf, objectOf, pathText, readJsonRecords } from './json-records.ts'
import {
  type Emit,
  type ImportedSample,
  type ImportRecord,
  present,
  type Reading,
  type SleepStage,
  type StageStretch,
  skipped,
} from './record.ts'
import { createWallTimes, type WallTimes } from './wall-times.ts'
import { numberFrom, snake, text } from './when.ts'

/** Which kind of file of a Takeout this is; the values of some kinds differ in nothing but the file's name. */
export type FitbitFile =
  | 'heart_rate'
  | 'steps'
  | 'distance'
  | 'resting_heart_rate'
  | 'weight'
  | 'sleep'
  | 'exercise'

const FILES: readonly FitbitFile[] = [
  'resting_heart_rate',
  'heart_rate',
  'steps',
  'distance',
  'weight',
  'sleep',
  'exercise',
]
const STAGES: Readonly<Record<string, SleepStage>> = {
  wake: 'awake',
  awake: 'awake',
  restless: 'awake',
  light: 'light',
  deep: 'deep',
  rem: 'rem',
  asleep: 'asleep',
}
const UTC_TIME = /^(\d{2})\/(\d{2})\/(\d{2}) (\d{2}:\d{2}:\d{2})$/
/** Takeout counts distance in centimetres. */
const CM = 'cm'
const MAX_STAGES = 5000

/** The kind of a Takeout file by its name, `heart_rate-2026-03-14.json`; null for the hundred kinds that are not kept. */
export function fitbitFile(name: string): FitbitFile | null {
  const base = /([^/\\]+)\.json$/.exec(name)?.[1] ?? ''
  return FILES.find((kind) => new RegExp(`^${kind}-\\d`).test(base)) ?? null
}

/** A JSON file of Fitbit's Google Takeout. Heart rate and counts are in UTC, sleep is in local time. */
export function readFitbit(
  { clock, fileName }: { clock: LocalClock; fileName?: string },
  emit: Emit,
): Reading {
  const named = fileName === undefined ? null : fitbitFile(fileName)
  const walls = createWallTimes(clock)
  return readJsonRecords({
    emit,
    wanted: [['*']],
    onPiece(path, value) {
      const record = objectOf(value)
      const kind = named ?? kindOf(record)
      const read =
        kind === null
          ? 'a record whose kind neither its fields nor the file name say'
          : recordsOf(kind, record, walls)
      if (typeof read === 'string') emit(skipped(pathText(path), read))
      else for (const one of read) emit(one)
    },
  })
}

function kindOf(record: JsonObject): FitbitFile | null {
  if ('dateOfSleep' in record) return 'sleep'
  if ('weight' in record) return 'weight'
  if ('activityName' in record) return 'exercise'
  return 'bpm' in objectOf(record['value']) ? 'heart_rate' : null
}

function recordsOf(kind: FitbitFile, record: JsonObject, walls: WallTimes): ImportRecord[] | string {
  if (kind === 'sleep') return sleep(record, walls)
  if (kind === 'exercise') return exercise(record)
  if (kind === 'weight') {
    return one(
      'weight',
      record['weight'],
      utcTime(`${String(record['date'])} ${String(record['time'])}`),
      'lb',
    )
  }
  const atMs = utcTime(record['dateTime'])
  const value = objectOf(record['value'])
  if (kind === 'steps') return one('steps', record['value'], atMs)
  if (kind === 'distance') return one('distance', record['value'], atMs, CM)
  if (kind === 'resting_heart_rate') {
    // A day without a measurement says 0.
    return numberFrom(value['value']) === 0 ? [] : one('resting_heart_rate', value['value'], atMs)
  }
  const confidence = numberFrom(value['confidence'])
  return one('heart_rate', value['bpm'], atMs, undefined, confidence === null ? undefined : { confidence })
}

function one(
  metric: string,
  raw: unknown,
  atMs: number | null,
  unit?: string,
  facts?: Readonly<Record<string, unknown>>,
): ImportedSample[] | string {
  if (atMs === null) return 'the time does not read MM/DD/YY hh:mm:ss'
  const number = numberFrom(raw)
  const value = number === null ? null : inUnitOf(metric, number, unit)
  if (value === null) return 'the value is no number'
  return [{ kind: 'sample', metric, value, unit: unitOf(metric) ?? '', atMs, ...(facts ? { facts } : {}) }]
}

function sleep(record: JsonObject, walls: WallTimes): ImportRecord[] | string {
  const startMs = walls.next(wall(record['startTime']))
  const endMs = walls.next(wall(record['endTime']))
  const day = text(record['dateOfSleep'], 10)
  if (startMs === null || endMs === null || endMs < startMs || day === null)
    return 'the night has no start and end'
  const levels = objectOf(record['levels'])
  const summary = objectOf(levels['summary'])
  const minutes = (level: string) => numberFrom(objectOf(summary[level])['minutes'])
  return [
    {
      kind: 'sleep',
      startMs,
      endMs,
      nightOf: day,
      ...(record['mainSleep'] === false ? { nap: true } : {}),
      minutes: present({
        asleep: numberFrom(record['minutesAsleep']),
        light: minutes('light'),
        deep: minutes('deep'),
        rem: minutes('rem'),
        awake: numberFrom(record['minutesAwake']),
        in_bed: numberFrom(record['timeInBed']),
      }),
      stages: stagesOf(levels, startMs, endMs),
      ...present({ externalId: record['logId'] === undefined ? null : String(record['logId']).slice(0, 64) }),
    },
  ]
}

/** Stages follow each other without gaps, so their lengths carry the time over a change of clocks. */
function stagesOf(levels: JsonObject, startMs: number, endMs: number): StageStretch[] {
  const stages: StageStretch[] = []
  let atMs = startMs
  for (const stretch of listOf(levels['data']).slice(0, MAX_STAGES)) {
    const { level, seconds } = objectOf(stretch)
    const stage = entry(STAGES, String(level))
    const lengthMs = (numberFrom(seconds) ?? 0) * 1000
    const until = Math.min(atMs + lengthMs, endMs)
    if (stage !== undefined && until > atMs) stages.push({ stage, startMs: atMs, endMs: until })
    atMs = until
  }
  return stages
}

function exercise(record: JsonObject): ImportRecord[] | string {
  const startMs = utcTime(record['startTime'])
  const lengthMs = numberFrom(record['duration'])
  if (startMs === null || lengthMs === null || lengthMs < 0) return 'the exercise has no start and duration'
  const distance = numberFrom(record['distance'])
  const unit = record['distanceUnit'] === 'Mile' ? 'mi' : 'km'
  return [
    {
      kind: 'activity',
      type: snake(text(record['activityName'], 64) ?? 'other'),
      startMs,
      endMs: startMs + lengthMs,
      durationS: (numberFrom(record['activeDuration']) ?? lengthMs) / 1000,
      ...present({
        distanceM: distance === null ? null : inUnitOf('distance', distance, unit),
        energyKcal: numberFrom(record['calories']),
        hrAvg: numberFrom(record['averageHeartRate']),
        externalId: record['logId'] === undefined ? null : String(record['logId']).slice(0, 64),
      }),
    },
  ]
}

function utcTime(value: unknown): number | null {
  const match = typeof value === 'string' ? UTC_TIME.exec(value) : null
  if (!match) return null
  const [, month, day, year, clock] = match
  const atMs = Date.parse(`20${year}-${month}-${day}T${clock}Z`)
  return Number.isNaN(atMs) || new Date(atMs).getUTCDate() !== Number(day) ? null : atMs
}

function wall(value: unknown): string {
  return typeof value === 'string' ? value.replace(/\.\d{1,6}$/, '') : ''
}
