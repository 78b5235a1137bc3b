import { entry } from '../entry.ts'
import { inUnitOf, unitOf } from '../quantity.ts'
import type { Path } from './json-pieces.ts'
import { type JsonObject, listOf, objectOf, pathText, readJsonRecords } from './json-records.ts'
import { groupNights, type SleepStretch } from './nights.ts'
import {
  type Emit,
  type ImportedActivity,
  type ImportedSample,
  type ImportRecord,
  present,
  type Reading,
  type SleepStage,
  skipped,
} from './record.ts'
import { createTally } from './tally.ts'
import { numberFrom, parseTold, snake, text } from './when.ts'

interface MetricMeaning {
  metric: string
  sum?: true
}

const METRICS: Readonly<Record<string, MetricMeaning>> = {
  heart_rate: { metric: 'heart_rate' },
  resting_heart_rate: { metric: 'resting_heart_rate' },
  heart_rate_variability: { metric: 'hrv_sdnn' },
  blood_oxygen_saturation: { metric: 'spo2' },
  respiratory_rate: { metric: 'respiratory_rate' },
  body_temperature: { metric: 'body_temp' },
  apple_sleeping_wrist_temperature: { metric: 'skin_temp' },
  blood_glucose: { metric: 'glucose' },
  weight_body_mass: { metric: 'weight' },
  height: { metric: 'height' },
  body_mass_index: { metric: 'bmi' },
  walking_speed: { metric: 'speed' },
  step_count: { metric: 'steps', sum: true },
  walking_running_distance: { metric: 'distance', sum: true },
  active_energy: { metric: 'active_energy', sum: true },
  carbohydrates: { metric: 'carbs', sum: true },
  dietary_energy: { metric: 'energy_intake', sum: true },
}
const MEALS: Readonly<Record<string, string>> = { 'Before Meal': 'before', 'After Meal': 'after' }
const STAGES: Readonly<Record<string, SleepStage | 'in_bed'>> = {
  core: 'light',
  deep: 'deep',
  rem: 'rem',
  awake: 'awake',
  asleep: 'asleep',
  'asleep unspecified': 'asleep',
  'in bed': 'in_bed',
  inbed: 'in_bed',
}
/** Lists of the export that hold nothing the hub keeps. */
const OTHER_LISTS = ['medications', 'symptoms', 'cycleTracking', 'ecg', 'heartRateNotifications'] as const
const MAX_STRETCHES = 200_000
/** Points that came before the name of their metric wait for it. */
const MAX_WAITING = 50_000

/** Health Auto Export's JSON (REST, MQTT or file): `{data:{metrics[],workouts[],stateOfMind[]}}`. */
export function readHealthAutoExport(emit: Emit): Reading {
  const tally = createTally()
  const stretches: SleepStretch[] = []
  let metric = { index: -1, name: null as string | null, unit: null as string | null }
  let waiting: { path: Path; point: JsonObject }[] = []

  const read = (path: Path, point: JsonObject) => {
    const where = pathText(path)
    if (metric.name === 'sleep_analysis') return readSleep(point, where, emit, stretches)
    const records = pointRecords(metric.name ?? '', metric.unit, point)
    if (typeof records === 'string') {
      if (records === 'not kept') tally.add(`metric ${metric.name ?? 'without a name'}`, records)
      else emit(skipped(where, records))
    } else for (const record of records) emit(record)
  }
  const flush = () => {
    for (const { path, point } of waiting.splice(0)) read(path, point)
  }
  return readJsonRecords({
    emit,
    wanted: [
      ['data', 'metrics', '*', 'name'],
      ['data', 'metrics', '*', 'units'],
      ['data', 'metrics', '*', 'data', '*'],
      ['data', 'workouts', '*'],
      ['data', 'stateOfMind', '*'],
      ...OTHER_LISTS.map((list) => ['data', list, '*']),
    ],
    onPiece(path, value) {
      const [, list, index, field] = path
      if (list !== 'metrics') {
        flush()
        const record =
          list === 'workouts'
            ? workout(objectOf(value))
            : list === 'stateOfMind'
              ? mood(objectOf(value))
              : null
        if (record === null) tally.add(String(list), 'not kept')
        else emit(typeof record === 'string' ? skipped(pathText(path), record) : record)
        return
      }
      if (index !== metric.index) {
        flush()
        metric = { index: Number(index), name: null, unit: null }
      }
      if (field === 'name') metric.name = text(value, 64)
      else if (field === 'units') metric.unit = text(value, 32)
      else if (metric.name !== null && metric.unit !== null) {
        flush()
        read(path, objectOf(value))
      } else if (waiting.length < MAX_WAITING) waiting.push({ path, point: objectOf(value) })
      else emit(skipped(pathText(path), 'the metric has no name and units before its points'))
    },
    onEnd() {
      flush()
      waiting = []
      for (const night of groupNights(stretches).nights) emit(night)
      tally.report(emit)
    },
  })
}

function pointRecords(name: string, unit: string | null, point: JsonObject): ImportedSample[] | string {
  if (name === 'blood_pressure') return pressure(unit, point)
  const meaning = entry(METRICS, name)
  if (!meaning) return 'not kept'
  const told = parseTold(point['date'])
  if (!told) return 'date is no time'
  const average = numberFrom(point['Avg'])
  const number = average ?? numberFrom(point['qty'])
  if (number === null) return 'neither qty nor Avg'
  const value = ownValue(meaning.metric, number, unit)
  if (value === null) return `the unit ${unit} is not one for ${meaning.metric}`
  const meal = text(point['mealTime'])
  const facts = present({
    min: average === null ? null : numberFrom(point['Min']),
    max: average === null ? null : numberFrom(point['Max']),
    meal: meal === null ? null : entry(MEALS, meal),
  })
  const agg = average === null ? (meaning.sum ? 'sum' : null) : 'avg'
  return [
    {
      kind: 'sample',
      metric: meaning.metric,
      value,
      unit: unitOf(meaning.metric) ?? '',
      atMs: told.atMs,
      ...(agg === null ? {} : { agg }),
      ...present({ sourceName: text(point['source'], 128) }),
      ...(Object.keys(facts).length > 0 ? { facts } : {}),
    },
  ]
}

/** Saturation comes as 97 or, from older versions, as 0.97. */
function ownValue(metric: string, number: number, unit: string | null): number | null {
  if (metric === 'spo2' && number <= 1) return number * 100
  return inUnitOf(metric, number, unit ?? undefined)
}

function pressure(unit: string | null, point: JsonObject): ImportedSample[] | string {
  const told = parseTold(point['date'])
  if (!told) return 'date is no time'
  const samples: ImportedSample[] = []
  for (const [field, metric] of [
    ['systolic', 'bp_sys'],
    ['diastolic', 'bp_dia'],
  ] as const) {
    const number = numberFrom(point[field])
    const value = number === null ? null : inUnitOf(metric, number, unit ?? undefined)
    if (value !== null) samples.push({ kind: 'sample', metric, value, unit: 'mmHg', atMs: told.atMs })
  }
  return samples.length > 0 ? samples : 'neither systolic nor diastolic'
}

/** A night summed up in hours, or one raw stretch of it. */
function readSleep(point: JsonObject, where: string, emit: Emit, stretches: SleepStretch[]): void {
  const stage = entry(STAGES, (text(point['value'], 32) ?? '').toLowerCase())
  const sourceName = text(point['source'], 128)
  if (stage !== undefined) {
    const [start, end] = [parseTold(point['startDate']), parseTold(point['endDate'])]
    if (!start || !end || end.atMs < start.atMs) emit(skipped(where, 'the stretch has no start and end'))
    else if (stretches.length >= MAX_STRETCHES)
      emit(skipped(where, `more than ${MAX_STRETCHES} stretches of sleep`))
    else
      stretches.push({
        stage,
        startMs: start.atMs,
        endMs: end.atMs,
        sourceName: sourceName ?? '',
        endDay: end.day,
      })
    return
  }
  const [start, end] = [parseTold(point['sleepStart']), parseTold(point['sleepEnd'])]
  if (!start || !end) {
    emit(skipped(where, 'the night has no start and end'))
    return
  }
  const minutes = (field: string) => Math.round((numberFrom(point[field]) ?? 0) * 60)
  const bed = minutes('inBed')
  emit({
    kind: 'sleep',
    startMs: start.atMs,
    endMs: end.atMs,
    nightOf: end.day,
    minutes: {
      asleep: minutes('totalSleep') || minutes('asleep'),
      light: minutes('core'),
      deep: minutes('deep'),
      rem: minutes('rem'),
      awake: minutes('awake'),
      ...(bed > 0 ? { in_bed: bed } : {}),
    },
    stages: [],
    ...present({ sourceName }),
  })
}

/** `duration` is seconds in some versions of the app and minutes in others, so it is not read. */
function workout(record: JsonObject): ImportedActivity | string {
  const [start, end] = [parseTold(record['start']), parseTold(record['end'])]
  if (!start || !end || end.atMs < start.atMs) return 'the workout has no start and end'
  const rate = objectOf(record['heartRate'])
  return {
    kind: 'activity',
    type: snake((text(record['name'], 64) ?? 'workout').replace(/^(?:Outdoor|Indoor) /, '')),
    startMs: start.atMs,
    endMs: end.atMs,
    durationS: (end.atMs - start.atMs) / 1000,
    ...present({
      distanceM: quantity('distance', record['distance']),
      energyKcal: quantity('active_energy', record['activeEnergyBurned']),
      hrAvg: quantity('heart_rate', record['avgHeartRate'] ?? rate['avg']),
      hrMax: quantity('heart_rate', record['maxHeartRate'] ?? rate['max']),
      externalId: text(record['id'], 64),
    }),
  }
}

/** `{qty, units}`, or a list of them over the time of the workout. */
function quantity(metric: string, value: unknown): number | null {
  const parts = Array.isArray(value) ? listOf(value).map(objectOf) : [objectOf(value)]
  let sum: number | null = null
  for (const part of parts) {
    const number = numberFrom(part['qty'])
    const converted = number === null ? null : inUnitOf(metric, number, text(part['units'], 32) ?? undefined)
    if (converted !== null) sum = (sum ?? 0) + converted
  }
  return sum
}

/** Apple's State of Mind runs from -1 to 1; a mood here from 1 to 10. */
function mood(record: JsonObject): ImportRecord | string {
  const told = parseTold(record['start'] ?? record['date'])
  const valence = numberFrom(record['valence'])
  if (!told || valence === null || Math.abs(valence) > 1)
    return 'state of mind without a time and a valence from -1 to 1'
  const facts = present({
    valence,
    labels: Array.isArray(record['labels']) ? record['labels'].slice(0, 32) : null,
  })
  return { kind: 'sample', metric: 'mood', value: 1 + (valence + 1) * 4.5, unit: '1', atMs: told.atMs, facts }
}
