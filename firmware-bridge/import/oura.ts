import { entry } from '../entry.ts'
import { unitOf } from '../quantity.ts'
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
import { numberFrom, parseTold, snake, text } from './when.ts'

/** One sign per five minutes. */
const PHASES: Readonly<Record<string, SleepStage>> = { '1': 'deep', '2': 'light', '3': 'rem', '4': 'awake' }
const PHASE_MS = 5 * 60_000
const MAX_ITEMS = 20_000

/** Answers of Oura's API v2 `/v2/usercollection/…`: sleep, heartrate, readiness, SpO2, activity and workout. */
export function readOura(emit: Emit): Reading {
  return readJsonRecords({
    emit,
    wanted: [['data', '*'], ['sleep', '*'], ['next_token']],
    onPiece(path, value) {
      if (path[0] === 'next_token') return emit({ kind: 'finding', name: 'next', value: text(value, 512) })
      const read = recordsOf(objectOf(value))
      if (typeof read === 'string') emit(skipped(pathText(path), read))
      else for (const one of read) emit(one)
    },
  })
}

function recordsOf(record: JsonObject): ImportRecord[] | string {
  if ('bedtime_start' in record) return sleep(record)
  if ('bpm' in record) return sampleAt('heart_rate', record['bpm'], record['timestamp'], record['source'])
  if ('spo2_percentage' in record) {
    return sampleAt('spo2', objectOf(record['spo2_percentage'])['average'], dayStart(record), null)
  }
  if ('start_datetime' in record && 'activity' in record) return workout(record)
  if ('steps' in record) return activityDay(record)
  return 'temperature_deviation' in record || 'contributors' in record
    ? 'a daily score, not a measurement'
    : 'neither sleep, heartrate, SpO2, activity nor workout'
}

function sampleAt(metric: string, raw: unknown, time: unknown, source: unknown): ImportedSample[] | string {
  const told = parseTold(time)
  const value = numberFrom(raw)
  if (!told) return 'the time is none'
  if (value === null) return 'no value'
  const facts = typeof source === 'string' ? { facts: { context: source.slice(0, 32) } } : {}
  return [{ kind: 'sample', metric, value, unit: unitOf(metric) ?? '', atMs: told.atMs, ...facts }]
}

function sleep(record: JsonObject): ImportRecord[] | string {
  const [start, end] = [parseTold(record['bedtime_start']), parseTold(record['bedtime_end'])]
  if (!start || !end || end.atMs < start.atMs) return 'the night has no start and end'
  const minutes = (field: string) => {
    const seconds = numberFrom(record[field])
    return seconds === null ? null : seconds / 60
  }
  const id = text(record['id'], 64)
  const night: ImportRecord = {
    kind: 'sleep',
    startMs: start.atMs,
    endMs: end.atMs,
    nightOf: text(record['day'], 10) ?? end.day,
    nap: record['type'] !== undefined && record['type'] !== 'long_sleep',
    minutes: present({
      asleep: minutes('total_sleep_duration'),
      light: minutes('light_sleep_duration'),
      deep: minutes('deep_sleep_duration'),
      rem: minutes('rem_sleep_duration'),
      awake: minutes('awake_time'),
      in_bed: minutes('time_in_bed'),
    }),
    stages: stagesOf(record['sleep_phase_5_min'], start.atMs, end.atMs),
    ...present({ externalId: id }),
    facts: present({ efficiency_pct: numberFrom(record['efficiency']) }),
  }
  const span = { startMs: start.atMs, endMs: end.atMs }
  return [
    night,
    ...series('heart_rate', record['heart_rate']),
    ...series('hrv_rmssd', record['hrv']),
    ...overNight('respiratory_rate', record['average_breath'], span),
    ...overNight('resting_heart_rate', record['lowest_heart_rate'], span),
  ]
}

function stagesOf(phases: unknown, startMs: number, endMs: number): StageStretch[] {
  const stages: StageStretch[] = []
  const signs = typeof phases === 'string' ? phases.slice(0, MAX_ITEMS) : ''
  for (let index = 0; index < signs.length; index++) {
    const stage = entry(PHASES, signs[index] ?? '')
    const from = startMs + index * PHASE_MS
    const until = Math.min(from + PHASE_MS, endMs)
    if (stage === undefined || until <= from) continue
    const before = stages.at(-1)
    if (before?.stage === stage && before.endMs === from) before.endMs = until
    else stages.push({ stage, startMs: from, endMs: until })
  }
  return stages
}

/** `{interval, items, timestamp}` in seconds; a null item is a gap. */
function series(metric: string, value: unknown): ImportedSample[] {
  const { interval, items, timestamp } = objectOf(value)
  const start = parseTold(timestamp)
  const step = numberFrom(interval)
  if (!start || step === null || step <= 0) return []
  return listOf(items)
    .slice(0, MAX_ITEMS)
    .flatMap((item, index): ImportedSample[] => {
      const number = numberFrom(item)
      const atMs = start.atMs + index * step * 1000
      return number === null
        ? []
        : [{ kind: 'sample', metric, value: number, unit: unitOf(metric) ?? '', atMs }]
    })
}

function overNight(metric: string, raw: unknown, span: { startMs: number; endMs: number }): ImportedSample[] {
  const value = numberFrom(raw)
  const { startMs: atMs, endMs } = span
  return value === null ? [] : [{ kind: 'sample', metric, value, unit: unitOf(metric) ?? '', atMs, endMs }]
}

function activityDay(record: JsonObject): ImportRecord[] | string {
  const told = parseTold(dayStart(record))
  if (!told) return 'the day has no time'
  const span = { atMs: told.atMs, endMs: told.atMs + 86_400_000, agg: 'sum' } as const
  return (
    [
      ['steps', record['steps']],
      ['active_energy', record['active_calories']],
      ['energy_total', record['total_calories']],
      ['distance', record['equivalent_walking_distance']],
    ] as const
  ).flatMap(([metric, raw]): ImportedSample[] => {
    const value = numberFrom(raw)
    return value === null ? [] : [{ kind: 'sample', metric, value, unit: unitOf(metric) ?? '', ...span }]
  })
}

function dayStart(record: JsonObject): unknown {
  return record['timestamp'] ?? `${String(record['day'])}T00:00:00Z`
}

function workout(record: JsonObject): ImportRecord[] | string {
  const [start, end] = [parseTold(record['start_datetime']), parseTold(record['end_datetime'])]
  if (!start || !end || end.atMs < start.atMs) return 'the workout has no start and end'
  return [
    {
      kind: 'activity',
      type: snake(text(record['activity'], 64) ?? 'other'),
      startMs: start.atMs,
      endMs: end.atMs,
      durationS: (end.atMs - start.atMs) / 1000,
      ...present({
        distanceM: numberFrom(record['distance']),
        energyKcal: numberFrom(record['calories']),
        externalId: text(record['id'], 64),
      }),
    },
  ]
}
