import { entry } from '../entry.ts'
import type { LocalClock } from '../local-clock.ts'
import { inUnitOf } from '../quantity.ts'
import { censoredValue } from './cgm-words.ts'
import { createCsvRows } from './csv-rows.ts'
import { type Emit, type ImportRecord, type Reading, skipped, unreadable } from './record.ts'
import { createWallTimes, type WallTimes } from './wall-times.ts'
import { numberInAnyLocale, snake } from './when.ts'

interface Columns {
  time: number
  type: number
  subtype: number
  device: number
  glucose: number
  insulin: number
  carbs: number
  duration: number
  unit: string
}

interface Row {
  cells: readonly string[]
  where: string
  columns: Columns
}

/** Rows above the readings that tell about the person and the alerts. */
const ABOUT: ReadonlySet<string> = new Set(['firstname', 'lastname', 'dateofbirth', 'device', 'alert'])
const INSULIN: Readonly<Record<string, string>> = { 'fast-acting': 'fast', 'long-acting': 'long' }
/** Event words of the languages in which Clarity exports. `EGV` is the same in all of them. */
const EVENTS: Readonly<Record<string, string>> = {
  egv: 'egv',
  calibration: 'calibration',
  kalibrierung: 'calibration',
  insulin: 'insulin',
  carbs: 'carbs',
  kohlenhydrate: 'carbs',
  exercise: 'exercise',
  bewegung: 'exercise',
  training: 'exercise',
  health: 'health',
  gesundheit: 'health',
}

/** Dexcom Clarity's CSV: local times without a zone, Low and High as words, mg/dL or mmol/L by the name of the column. */
export function readClarity({ clock }: { clock: LocalClock }, emit: Emit): Reading {
  const times = createWallTimes(clock)
  let columns: Columns | null = null
  let foreign = false
  return createCsvRows({
    onRow(cells, line) {
      if (foreign) return
      if (columns)
        for (const record of recordsOf({ cells, where: `row ${line}`, columns }, times)) emit(record)
      else {
        columns = columnsOf(cells)
        if (columns) return
        foreign = true
        emit(
          unreadable(
            `row ${line}`,
            'not the header of a Clarity export: no column "Glucose Value (mg/dL or mmol/L)"',
          ),
        )
      }
    },
    onBroken: (line, reason) => emit(unreadable(`row ${line}`, reason)),
  })
}

/** By English names where they are, by place otherwise: the order of the columns is the same in every language. */
function columnsOf(cells: readonly string[]): Columns | null {
  const names = cells.map((cell) => cell.toLowerCase())
  const glucose = names.findIndex((name) => /mg\/dl|mmol\/l/.test(name) && !/min/.test(name))
  const unit = /mg\/dl|mmol\/l/.exec(names[glucose] ?? '')?.[0]
  if (unit === undefined || glucose < 5) return null
  const named = (word: RegExp, place: number) => {
    const found = names.findIndex((name) => word.test(name))
    return found < 0 ? place : found
  }
  return {
    time: named(/^timestamp/, 1),
    type: named(/^event type/, 2),
    subtype: named(/^event subtype/, 3),
    device: named(/^source device/, glucose - 1),
    glucose,
    insulin: named(/^insulin value/, glucose + 1),
    carbs: named(/^carb value/, glucose + 2),
    duration: named(/^duration/, glucose + 3),
    unit,
  }
}

function recordsOf(row: Row, times: WallTimes): ImportRecord[] {
  const { cells, where, columns } = row
  const cell = (column: number) => (cells[column] ?? '').trim()
  const word = cell(columns.type).toLowerCase()
  const wall = cell(columns.time)
  if (wall === '')
    return ABOUT.has(word.replace(/\s/g, '')) || word === '' || cells.length < 4
      ? []
      : [skipped(where, 'no time')]
  const event = entry(EVENTS, word)
  if (event === undefined) return [skipped(where, `event type "${word.slice(0, 40)}" is not kept`)]
  const atMs = times.next(wall.replace(' ', 'T'))
  if (atMs === null) return [skipped(where, `"${wall.slice(0, 40)}" is not a time like 2026-03-14T08:00:00`)]
  const source = cell(columns.device) === '' ? {} : { sourceName: cell(columns.device).slice(0, 128) }
  return [{ ...recordOf(event, atMs, row, cell), ...source } as ImportRecord]
}

function recordOf(event: string, atMs: number, row: Row, cell: (column: number) => string): ImportRecord {
  const { columns, where } = row
  if (event === 'egv' || event === 'calibration') return glucose(event, atMs, row, cell(columns.glucose))
  const subtype = cell(columns.subtype)
  if (event === 'health') return { kind: 'event', event: 'note', atMs, facts: { text: subtype || 'health' } }
  if (event === 'exercise') {
    const [hours, minutes, seconds] = cell(columns.duration).split(':').map(Number)
    const durationMin = (hours ?? 0) * 60 + (minutes ?? 0) + (seconds ?? 0) / 60
    const facts = { duration_min: durationMin, intensity: snake(subtype) }
    return Number.isFinite(durationMin)
      ? { kind: 'event', event: 'exercise', atMs, facts }
      : skipped(where, 'the duration is none')
  }
  const amount = numberInAnyLocale(cell(event === 'insulin' ? columns.insulin : columns.carbs))
  if (amount === null) return skipped(where, `${event} without a number`)
  if (event === 'carbs') return { kind: 'event', event: 'meal', atMs, facts: { carbs_g: amount } }
  const kind = entry(INSULIN, subtype.toLowerCase()) ?? snake(subtype)
  return {
    kind: 'event',
    event: 'insulin',
    atMs,
    facts: { units: amount, ...(kind === '' ? {} : { subtype: kind }) },
  }
}

function glucose(event: string, atMs: number, { columns, where }: Row, text: string): ImportRecord {
  const metric = event === 'egv' ? 'glucose' : 'glucose_calibration'
  const about = { kind: 'sample', metric, unit: 'mg/dL', atMs } as const
  const beyond = censoredValue(text, 'dexcom')
  if (beyond) return { ...about, value: beyond.mgPerDl, censored: beyond.censored }
  const number = numberInAnyLocale(text)
  const value = number === null ? null : inUnitOf(metric, number, columns.unit)
  return value === null
    ? skipped(where, `glucose "${text.slice(0, 40)}" is neither a number nor Low or High`)
    : { ...about, value }
}
