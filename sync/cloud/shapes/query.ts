/** Reads what a client asks for; everything that does not fit is refused with the words of the real service. */
import { BEFORE, type Definition, type Offset, readOffset } from './shape.ts'
import { type Table, tableName } from './table.ts'
import { ConditionFault, comparisonsOf, conditionSql, parseCondition } from './where.ts'

/** text and varchar: two spellings of one value there are two values. */
const TEXTUAL = new Set([25, 1043])

/** A request that is refused, and which part of it is to blame. */
export class BadRequest extends Error {
  readonly errors: Record<string, string[]>

  constructor(field: string, message: string) {
    super(message)
    this.errors = { [field]: [message] }
  }
}

export type Query = Readonly<Record<string, string | undefined>>

export interface Asked {
  definition: Definition
  offset: Offset | 'now'
  handle: string | null
  isLive: boolean
  isStream: boolean
  query: Query
}

/** What tables there are. */
export interface TableLookup {
  table(schema: string, name: string): Promise<Table | null>
}

/** The shape a query names. Throws BadRequest. */
export async function definitionOf(tables: TableLookup, query: Query): Promise<Definition> {
  const named = query['table'] ? tableName(query['table']) : null
  if (!query['table']) throw new BadRequest('table', "can't be blank")
  if (!named) throw new BadRequest('table', 'has invalid format')
  const table = await tables.table(...named)
  if (!table) throw new BadRequest('table', unknownTable(...named))
  const names = new Set(table.columns.map(({ name }) => name))
  const columns = query['columns'] === undefined ? table.columns : chosen(query['columns'], table)
  const condition = conditionOf(query['where'], paramsOf(query, 'params'), names, 'where')
  const isTextual = (name: string) =>
    TEXTUAL.has(table.columns.find((column) => column.name === name)?.typeOid ?? 0)
  return {
    table,
    where: query['where'] ?? null,
    whereSql: condition?.sql ?? null,
    comparisons: condition ? comparisonsOf(condition.expression, condition.params, isTextual) : null,
    columns,
    replica: oneOf(query, 'replica', ['default', 'full']),
    log: oneOf(query, 'log', ['full', 'changes_only']),
  }
}

/** A query for a shape's log, checked in the order in which the real service complains. Throws BadRequest. */
export async function readAsked(tables: TableLookup, query: Query): Promise<Asked> {
  if (!query['table']) throw new BadRequest('table', "can't be blank")
  if (!query['offset']) throw new BadRequest('offset', "can't be blank")
  const offset = readOffset(query['offset'])
  if (offset === null) throw new BadRequest('offset', 'has invalid format')
  const isStart = offset === BEFORE || offset === 'now'
  if (!isStart && !query['handle']) throw new BadRequest('handle', "can't be blank when offset != -1")
  const isLive = query['live'] === 'true'
  if (isLive && offset === BEFORE) throw new BadRequest('live', "can't be true when offset == -1")
  const isStream = isLive && (query['live_sse'] === 'true' || query['experimental_live_sse'] === 'true')
  return {
    definition: await definitionOf(tables, query),
    offset,
    handle: query['handle'] ?? null,
    isLive,
    isStream,
    query,
  }
}

function unknownTable(schema: string, name: string): string {
  return `Table "${schema}"."${name}" does not exist. If the table name contains capitals or special characters you must quote it.`
}

function chosen(text: string, table: Table) {
  const names = text.split(',').map((name) =>
    name
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .replaceAll('""', '"'),
  )
  const missing = table.key.filter((name) => !names.includes(name))
  const unknown = names.filter((name) => !table.columns.some((column) => column.name === name))
  if (unknown.length > 0)
    throw new BadRequest('columns', `The following columns are not found on the table: ${unknown.join(', ')}`)
  if (missing.length > 0)
    throw new BadRequest(
      'columns',
      `The list of columns must include all primary key columns, missing: ${missing.join(', ')}`,
    )
  return table.columns.filter(({ name }) => names.includes(name))
}

function oneOf<Word extends string>(query: Query, name: string, words: readonly [Word, ...Word[]]): Word {
  const given = query[name]
  if (given === undefined) return words[0]
  const word = words.find((one) => one === given)
  if (word === undefined) throw new BadRequest(name, 'is invalid')
  return word
}

function paramsOf(query: Query, name: string): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [key, value] of Object.entries(query)) {
    const index = key.startsWith(`${name}[`) ? /^\[(\d{1,4})\]$/.exec(key.slice(name.length))?.[1] : undefined
    if (index !== undefined && value !== undefined) params[index] = value
  }
  return params
}

export function textsOf(values: object): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

/** Null for none; throws BadRequest for one that is not understood. */
export function conditionOf(
  where: string | undefined,
  params: Record<string, string>,
  names: ReadonlySet<string>,
  field: string,
) {
  if (where === undefined || where.trim() === '') return null
  return faulty(field, () => {
    const expression = parseCondition(where, names)
    return { expression, params, sql: conditionSql(expression, params) }
  })
}

/** Runs work and blames `field` for what it does not understand. */
export function faulty<Result>(field: string, work: () => Result): Result {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof ConditionFault || cause instanceof RangeError)
      throw new BadRequest(field, cause.message)
    throw cause
  }
}

export function countOf(value: unknown, field: string): number | null {
  if (value === undefined || value === null) return null
  const count = Number(value)
  if (!Number.isSafeInteger(count) || count < 0) throw new BadRequest(field, 'is invalid')
  return count
}

/** The part asked for in the query itself; null when none is. */
export function subsetOfQuery(query: Query): Record<string, unknown> | null {
  const names = ['where', 'order_by', 'limit', 'offset', 'params']
  const given = names.filter((name) => query[`subset__${name}`] !== undefined)
  if (given.length === 0) return null
  const part = Object.fromEntries(given.map((name) => [name, query[`subset__${name}`]]))
  if (typeof part['params'] !== 'string') return part
  return { ...part, params: faulty('params', () => parsed(String(part['params']))) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new RangeError('is invalid')
  }
}
