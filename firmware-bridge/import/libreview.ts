import type { LocalClock } from '../local-clock.ts'
import { inUnitOf } from '../quantity.ts'
import { censoredValue } from './cgm-words.ts'
import { createCsvRows } from './csv-rows.ts'
import { type Emit, type ImportRecord, present, type Reading, skipped, unreadable } from './record.ts'
import { createWallTimes } from './wall-times.ts'
import { numberInAnyLocale } from './when.ts'

/** Which comes first in a date with figures only. */
export type DateOrder = 'DMY' | 'MDY'

interface Row {
  cells: readonly string[]
  line: number
}

/** Columns by place, because their names are translated and their order is not. */
const AT = {
  device: 0,
  serial: 1,
  time: 2,
  type: 3,
  historic: 4,
  scan: 5,
  rapid: 7,
  carbs: 9,
  servings: 10,
  long: 12,
  notes: 13,
  strip: 14,
  ketone: 15,
} as const
const TYPES: ReadonlySet<string> = new Set(['0', '1', '2', '3', '4', '5', '6'])
const HEADER_WITHIN = 5
/** Two weeks of readings every minute: the days of a month decide the order long before. */
const MAX_UNDECIDED = 20_000
const FIGURES = /(\d{1,2})[-./](\d{1,2})[-./](\d{4})/
const STAMP =
  /^(?:(\d{1,2})[-./](\d{1,2})[-./](\d{4})|(\d{4})[-./](\d{1,2})[-./](\d{1,2}))[ T](\d{1,2}):(\d{2})(?::(\d{2}))? ?([AaPp][Mm])?$/

/**
 * LibreView's CSV. Whether 03-04 is March or April the file itself decides: by AM/PM, by any figure above twelve, by the
 * day it was made; otherwise by `dateOrder`, and without that nothing is read.
 */
export function readLibreView(
  { clock, dateOrder }: { clock: LocalClock; dateOrder?: DateOrder },
  emit: Emit,
): Reading {
  const times = new Map<string, ReturnType<typeof createWallTimes>>()
  const waiting: Row[] = []
  let unit: string | null = null
  let order: DateOrder | null = null
  let stopped = false
  let lines = 0

  const read = ({ cells, line }: Row, known: DateOrder) => {
    const where = `row ${line}`
    const type = cellOf(cells, AT.type)
    if (!TYPES.has(type)) return emit(skipped(where, `record type "${type.slice(0, 20)}" is not kept`))
    const wall = wallTime(cellOf(cells, AT.time), known)
    let series = times.get(type)
    if (!series) {
      series = createWallTimes(clock)
      times.set(type, series)
    }
    const atMs = wall === null ? null : series.next(wall)
    if (atMs === null)
      return emit(skipped(where, `"${cellOf(cells, AT.time).slice(0, 40)}" is no date and time`))
    const source = present({
      device: cellOf(cells, AT.serial) || null,
      sourceName: cellOf(cells, AT.device) || null,
    })
    emit({ ...recordOf(type, atMs, cells, unit ?? 'mg/dl', where), ...source } as ImportRecord)
  }
  const decide = (found: DateOrder) => {
    order = found
    emit({ kind: 'finding', name: 'date_order', value: found })
    for (const row of waiting.splice(0)) read(row, found)
  }
  const stop = (where: string, reason: string) => {
    stopped = true
    waiting.length = 0
    emit(unreadable(where, reason))
  }
  const undecided = () =>
    stop('dates', 'day and month cannot be told apart: say which comes first (date order DMY or MDY)')

  return createRows({
    onRow(cells, line) {
      if (stopped) return
      lines++
      if (unit === null) {
        unit = unitOfHeader(cells)
        const made = unit === null ? orderOf(cells.join(' ')) : null
        if (made) decide(made)
        if (unit === null && lines >= HEADER_WITHIN)
          stop(`row ${line}`, 'not a LibreView export: no column with glucose in mg/dL or mmol/L')
        return
      }
      if (order) return read({ cells, line }, order)
      waiting.push({ cells, line })
      const found = orderOf(cellOf(cells, AT.time)) ?? (waiting.length > MAX_UNDECIDED ? dateOrder : null)
      if (found) decide(found)
      else if (waiting.length > MAX_UNDECIDED) undecided()
    },
    onBroken: stop,
    onEnd() {
      if (stopped) return
      if (unit === null) stop('row 1', 'not a LibreView export: no column with glucose in mg/dL or mmol/L')
      else if (!order && waiting.length > 0) {
        if (dateOrder) decide(dateOrder)
        else undecided()
      }
    },
  })
}

function createRows(deps: {
  onRow(cells: readonly string[], line: number): void
  onBroken(where: string, reason: string): void
  onEnd(): void
}): Reading {
  const rows = createCsvRows({
    onRow: deps.onRow,
    onBroken: (line, reason) => deps.onBroken(`row ${line}`, reason),
  })
  return {
    push: rows.push,
    end() {
      rows.end()
      deps.onEnd()
    },
  }
}

function cellOf(cells: readonly string[], at: number): string {
  return (cells[at] ?? '').trim()
}

function unitOfHeader(cells: readonly string[]): string | null {
  return /mg\/dl|mmol\/l/i.exec(cellOf(cells, AT.historic))?.[0]?.toLowerCase() ?? null
}

/** The order that a date gives away; null when both readings of it exist. */
function orderOf(text: string): DateOrder | null {
  const [, first, second] = FIGURES.exec(text) ?? []
  if (/\d ?[ap]m\b/i.test(text)) return 'MDY'
  if (Number(first) > 12) return 'DMY'
  if (Number(second) > 12) return 'MDY'
  return /^\d{4}[-./]/.test(text) ? 'DMY' : null
}

function wallTime(text: string, order: DateOrder): string | null {
  const match = STAMP.exec(text)
  if (!match) return null
  const [, first, second, year, isoYear, isoMonth, isoDay, hour, minute, seconds = '00', half] = match
  const [day, month] = order === 'DMY' ? [first, second] : [second, first]
  const two = (part: string | number | undefined) => String(part).padStart(2, '0')
  const noon = half?.toLowerCase()
  const hours = noon === undefined ? Number(hour) : (Number(hour) % 12) + (noon === 'pm' ? 12 : 0)
  return `${isoYear ?? year}-${two(isoMonth ?? month)}-${two(isoDay ?? day)}T${two(hours)}:${minute}:${seconds}`
}

function recordOf(
  type: string,
  atMs: number,
  cells: readonly string[],
  unit: string,
  where: string,
): ImportRecord {
  const amount = (at: number) => numberInAnyLocale(cellOf(cells, at))
  if (type === '0')
    return glucose('glucose', cellOf(cells, AT.historic), unit, atMs, where, { record: 'historic' })
  if (type === '1') return glucose('glucose', cellOf(cells, AT.scan), unit, atMs, where, { record: 'scan' })
  if (type === '2') return glucose('glucose_strip', cellOf(cells, AT.strip), unit, atMs, where)
  if (type === '3') {
    const value = amount(AT.ketone)
    return value === null
      ? skipped(where, 'ketone without a number')
      : { kind: 'sample', metric: 'ketone', value, unit: 'mmol/L', atMs }
  }
  if (type === '4') {
    const [rapid, long] = [amount(AT.rapid), amount(AT.long)]
    const units = rapid ?? long
    return units === null
      ? skipped(where, 'insulin without a number')
      : {
          kind: 'event',
          event: 'insulin',
          atMs,
          facts: { units, subtype: rapid === null ? 'long' : 'rapid' },
        }
  }
  if (type === '5') {
    const facts = present({ carbs_g: amount(AT.carbs), carbs_servings: amount(AT.servings) })
    return Object.keys(facts).length === 0
      ? skipped(where, 'food without a number')
      : { kind: 'event', event: 'meal', atMs, facts }
  }
  const text = cellOf(cells, AT.notes)
  return text === ''
    ? skipped(where, 'a note without text')
    : { kind: 'event', event: 'note', atMs, facts: { text: text.slice(0, 2000) } }
}

function glucose(
  metric: string,
  text: string,
  unit: string,
  atMs: number,
  where: string,
  facts?: Readonly<Record<string, unknown>>,
): ImportRecord {
  const about = { kind: 'sample', metric, unit: 'mg/dL', atMs, ...(facts ? { facts } : {}) } as const
  const beyond = censoredValue(text, 'libre')
  if (beyond) return { ...about, value: beyond.mgPerDl, censored: beyond.censored }
  const number = numberInAnyLocale(text)
  const value = number === null ? null : inUnitOf(metric, number, unit)
  return value === null
    ? skipped(where, `glucose "${text.slice(0, 40)}" is neither a number nor LO or HI`)
    : { ...about, value }
}
