import { unitOf } from '../quantity.ts'
import { exerciseType } from './exercise-types.ts'
import { minutesOf } from './nights.ts'
import { type ImportRecord, present, type SleepStage, type StageStretch, unreadable } from './record.ts'
import { createTally, type Tally } from './tally.ts'
import { dayAt, numberFrom, text } from './when.ts'

type Row = Readonly<Record<string, unknown>>

/** The tables of an export's database, opened read-only by the caller. */
export interface Tables {
  /** Columns of a table; null when the database has no such table (a view is none). */
  columns(table: string): readonly string[] | null
  rows(table: string, orderBy: string): Iterable<Row>
  /**
   * Each row of `parent` once per row of `child` whose `parent_key` names its `row_id`, with the columns of both; once
   * where it has none. Ordered by the parent, then the child.
   */
  family(parent: string, child: string, order: { parent: string; child: string }): Iterable<Row>
}

interface Measured {
  table: string
  column: string
  metric: string
  /** From the unit of the database to ours: it keeps grams and calories. */
  factor?: number
}

const MG_PER_DL_PER_MMOL_PER_L = 18.0156
const INSTANTS: readonly Measured[] = [
  { table: 'weight_record_table', column: 'weight', metric: 'weight', factor: 0.001 },
]
const INTERVALS: readonly Measured[] = [
  { table: 'steps_record_table', column: 'count', metric: 'steps' },
  { table: 'distance_record_table', column: 'distance', metric: 'distance' },
  { table: 'total_calories_burned_record_table', column: 'energy', metric: 'energy_total', factor: 0.001 },
  { table: 'active_calories_burned_record_table', column: 'energy', metric: 'active_energy', factor: 0.001 },
]
const FURTHER_INSTANTS: readonly Measured[] = [
  { table: 'resting_heart_rate_record_table', column: 'beats_per_minute', metric: 'resting_heart_rate' },
  {
    table: 'heart_rate_variability_rmssd_record_table',
    column: 'heart_rate_variability_millis',
    metric: 'hrv_rmssd',
  },
  { table: 'oxygen_saturation_record_table', column: 'percentage', metric: 'spo2' },
  { table: 'respiratory_rate_record_table', column: 'rate', metric: 'respiratory_rate' },
  { table: 'body_temperature_record_table', column: 'temperature', metric: 'body_temp' },
  { table: 'height_record_table', column: 'height', metric: 'height' },
  {
    table: 'blood_glucose_record_table',
    column: 'level',
    metric: 'glucose',
    factor: MG_PER_DL_PER_MMOL_PER_L,
  },
  { table: 'blood_pressure_record_table', column: 'systolic', metric: 'bp_sys' },
  { table: 'blood_pressure_record_table', column: 'diastolic', metric: 'bp_dia' },
]
const HEART_RATE = 'heart_rate_record_table'
const HEART_RATE_SERIES = 'heart_rate_record_series_table'
const SLEEP = 'sleep_session_record_table'
const STAGES_TABLE = 'sleep_stages_table'
const EXERCISE = 'exercise_session_record_table'
const STAGES: Readonly<Record<number, SleepStage>> = {
  1: 'awake',
  2: 'asleep',
  4: 'light',
  5: 'deep',
  6: 'rem',
  7: 'awake',
}
const MAX_STAGES = 5000

/** Health Connect's export database. There is no official schema: a table or column that is not there is not read. */
export function* readHealthConnect(tables: Tables): Generator<ImportRecord> {
  const known = [
    SLEEP,
    HEART_RATE,
    EXERCISE,
    ...[...INSTANTS, ...INTERVALS, ...FURTHER_INSTANTS].map(({ table }) => table),
  ]
  if (known.every((table) => tables.columns(table) === null))
    return yield unreadable('database', 'none of the tables of a Health Connect export')
  const source: Source = { tables, apps: appNames(tables), tally: createTally() }
  yield* readTables(source, INSTANTS, { start: 'time', end: null })
  yield* readTables(source, INTERVALS, { start: 'start_time', end: 'end_time' })
  yield* readHeartRate(source)
  yield* readTables(source, FURTHER_INSTANTS, { start: 'time', end: null })
  yield* readSleep(source)
  yield* readExercise(source)
  yield* source.tally.entries()
}

interface Source {
  tables: Tables
  apps: ReadonlyMap<number, string>
  tally: Tally
}

function* readTables(
  { tables, apps, tally }: Source,
  measured: readonly Measured[],
  at: { start: string; end: string | null },
): Generator<ImportRecord> {
  for (const { table, column, metric, factor = 1 } of measured) {
    const columns = tables.columns(table)
    if (!columns?.includes(column) || !columns.includes(at.start)) continue
    for (const row of tables.rows(table, at.start)) {
      const atMs = instant(row[at.start])
      const endMs = at.end === null ? null : instant(row[at.end])
      const number = numberFrom(row[column])
      if (atMs === null || number === null) tally.add(table, 'a row without time or value')
      else {
        const value = Number((number * factor).toFixed(6))
        const span = { atMs, ...(endMs !== null && endMs > atMs ? { endMs } : {}) }
        yield { kind: 'sample', metric, value, unit: unitOf(metric) ?? '', ...span, ...origin(row, apps) }
      }
    }
  }
}

function* readHeartRate({ tables, apps, tally }: Source): Generator<ImportRecord> {
  const series = tables.columns(HEART_RATE_SERIES)
  if (
    !tables.columns(HEART_RATE) ||
    !series?.includes('beats_per_minute') ||
    !series.includes('epoch_millis')
  )
    return
  const order = { parent: 'start_time', child: 'epoch_millis' }
  for (const row of tables.family(HEART_RATE, HEART_RATE_SERIES, order)) {
    const atMs = instant(row['epoch_millis'])
    const value = numberFrom(row['beats_per_minute'])
    if (atMs === null || value === null) tally.add(HEART_RATE_SERIES, 'a row without time or value')
    else {
      const { sourceName } = origin(row, apps)
      yield { kind: 'sample', metric: 'heart_rate', value, unit: 'bpm', atMs, ...present({ sourceName }) }
    }
  }
}

interface OpenSession {
  row: Row
  stages: StageStretch[]
}

function* readSleep(source: Source): Generator<ImportRecord> {
  if (!source.tables.columns(SLEEP)) return
  let open: OpenSession | null = null
  for (const row of sleepRows(source.tables)) {
    if (open === null || open.row['row_id'] !== row['row_id']) {
      if (open) yield* nightOf(open, source)
      open = { row, stages: [] }
    }
    const stage = STAGES[numberFrom(row['stage_type']) ?? 0]
    const [startMs, endMs] = [instant(row['stage_start_time']), instant(row['stage_end_time'])]
    const counts = stage !== undefined && startMs !== null && endMs !== null && endMs > startMs
    if (counts && open.stages.length < MAX_STAGES) open.stages.push({ stage, startMs, endMs })
  }
  if (open) yield* nightOf(open, source)
}

function sleepRows(tables: Tables): Iterable<Row> {
  return tables.columns(STAGES_TABLE)
    ? tables.family(SLEEP, STAGES_TABLE, { parent: 'start_time', child: 'stage_start_time' })
    : tables.rows(SLEEP, 'start_time')
}

/** The night belongs to the day of waking, at the offset of its end; `local_date` is the day of going to bed. */
function* nightOf({ row, stages }: OpenSession, { apps, tally }: Source): Generator<ImportRecord> {
  const [startMs, endMs] = [instant(row['start_time']), instant(row['end_time'])]
  if (startMs === null || endMs === null || endMs < startMs)
    return tally.add(SLEEP, 'a session without start and end')
  yield {
    kind: 'sleep',
    startMs,
    endMs,
    nightOf: dayAt(endMs, (numberFrom(row['end_zone_offset']) ?? 0) * 1000),
    minutes: stages.length > 0 ? minutesOf(stages) : { asleep: (endMs - startMs) / 60_000 },
    stages,
    ...origin(row, apps),
  }
}

function* readExercise({ tables, apps, tally }: Source): Generator<ImportRecord> {
  if (!tables.columns(EXERCISE)) return
  for (const row of tables.rows(EXERCISE, 'start_time')) {
    const [startMs, endMs] = [instant(row['start_time']), instant(row['end_time'])]
    if (startMs === null || endMs === null || endMs < startMs)
      tally.add(EXERCISE, 'a session without start and end')
    else
      yield {
        kind: 'activity',
        type: exerciseType(numberFrom(row['exercise_type']) ?? 0),
        startMs,
        endMs,
        durationS: (endMs - startMs) / 1000,
        ...origin(row, apps),
      }
  }
}

const MAX_APPS = 10_000

function appNames(tables: Tables): ReadonlyMap<number, string> {
  const apps = new Map<number, string>()
  if (!tables.columns('application_info_table')) return apps
  for (const row of tables.rows('application_info_table', 'row_id')) {
    const key = numberFrom(row['row_id'])
    const name = text(row['package_name'], 128)
    if (key !== null && name !== null && apps.size < MAX_APPS) apps.set(key, name)
  }
  return apps
}

function origin(row: Row, apps: ReadonlyMap<number, string>): { sourceName?: string; externalId?: string } {
  const app = numberFrom(row['app_info_id'])
  const uuid = row['uuid']
  return present({
    sourceName: app === null ? null : apps.get(app),
    externalId:
      uuid instanceof Uint8Array && uuid.byteLength === 16 ? Buffer.from(uuid).toString('hex') : null,
  })
}

function instant(value: unknown): number | null {
  const ms = numberFrom(value)
  return ms !== null && ms > 0 && ms < 8.64e15 ? Math.round(ms) : null
}
