/** Reads the files and settings of the pattern computations. */
import type { ItemTable } from '../../../models/series/association-rules.ts'
import type { Table } from '../../../models/series/statistics.ts'
import { HubError } from '../../kernel/errors.ts'
import type { InputFile, Settings } from './computation.ts'

const MISSING = new Set(['', 'nan', 'null', 'na'])
const INFINITIES = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])

/**
 * A comma-separated file with a header as columns of numbers. Empty and NaN are missing; in a file of one column an empty line
 * is a missing value, not the end. Columns named in `aside` (dates, numbers of days) are left out.
 * Throws HubError VALIDATION_ERROR for anything else that is no number.
 */
export async function readTable(file: InputFile, aside: readonly string[] = ['date']): Promise<Table> {
  const [header = '', ...lines] = (await file.text()).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const names = cellsOf(header)
  const rows = names.length === 1 ? lines : lines.filter((line) => line !== '')
  const cells = rows.map(cellsOf)
  const kept = names.flatMap((name, index) => (aside.includes(name.toLowerCase()) ? [] : [{ name, index }]))
  if (kept.length === 0 || cells.length === 0)
    throw new HubError('VALIDATION_ERROR', `${file.path} holds no rows of values below a header line.`)
  return {
    names: kept.map(({ name }) => name),
    columns: kept.map(({ name, index }) =>
      Float64Array.from(cells, (row, at) => numberIn(row[index] ?? '', () => `row ${at + 1}, ${name}`)),
    ),
  }
}

/** A table of 0 and 1 (or true and false): one column per item. Throws HubError VALIDATION_ERROR for other values. */
export async function readItems(file: InputFile): Promise<ItemTable> {
  const rows = await file.csv()
  const names = Object.keys(rows[0] ?? {}).filter((name) => name.toLowerCase() !== 'date')
  if (names.length === 0)
    throw new HubError('VALIDATION_ERROR', `${file.path} holds no rows of items below a header line.`)
  return {
    names,
    rows: rows.length,
    columns: names.map((name) => Uint8Array.from(rows, (row, at) => flagIn(row[name] ?? '', at, name))),
  }
}

/** A setting that is a whole number from `least` up. Throws HubError VALIDATION_ERROR when it is not. */
export function wholeNumber(set: Settings, name: string, least: number, fallback?: number): number {
  return checkedWhole(set.number(name, fallback), name, least)
}

/** A setting that is a list of whole numbers from `least` up. */
export function wholeNumbers(set: Settings, name: string, least: number, fallback: number): number[] {
  return set.list(name, [String(fallback)]).map((text) =>
    checkedWhole(
      numberIn(text, () => name),
      name,
      least,
    ),
  )
}

/** A setting from 0 to 1. */
export function share(set: Settings, name: string, fallback: number): number {
  return checkedShare(set.number(name, fallback), name)
}

/** A number from 0 to 1 as it stands in a list. */
export function shareIn(text: string, name: string): number {
  return checkedShare(
    numberIn(text, () => name),
    name,
  )
}

function checkedWhole(value: number, name: string, least: number): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new HubError('VALIDATION_ERROR', `${name} must be a whole number from ${least} up, not ${value}.`)
}

function checkedShare(value: number, name: string): number {
  if (value >= 0 && value <= 1) return value
  throw new HubError('VALIDATION_ERROR', `${name} must be from 0 to 1, not ${value}.`)
}

function cellsOf(line: string): string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
}

function numberIn(cell: string, where: () => string): number {
  const word = cell.toLowerCase()
  if (MISSING.has(word)) return Number.NaN
  const value = INFINITIES.get(word) ?? Number(cell)
  if (Number.isNaN(value)) throw new HubError('VALIDATION_ERROR', `"${cell}" is not a number (${where()}).`)
  return value
}

function flagIn(cell: string, row: number, name: string): number {
  const word = cell.toLowerCase()
  if (word === '1' || word === 'true' || word === '1.0') return 1
  if (word === '0' || word === 'false' || word === '0.0') return 0
  throw new HubError('VALIDATION_ERROR', `"${cell}" is neither 0 nor 1 (row ${row + 1}, ${name}).`)
}
