/** One shape: a snapshot, and the log of what changed since, with everybody who waits for more of it. */
import { type Change, shown, type Transaction, type Tuple } from './pgoutput.ts'
import { type Column, keyOf, type Table } from './table.ts'
import type { Comparison } from './where.ts'

export interface Definition {
  table: Table
  /** Condition as the client wrote it, and as SQL of our own making; null for the whole table. */
  where: string | null
  whereSql: string | null
  /** The same where it only compares columns with texts: decides without Postgres. */
  comparisons: readonly Comparison[] | null
  columns: readonly Column[]
  replica: 'default' | 'full'
  log: 'full' | 'changes_only'
}

/** Where a reader is: before everything, at the end of the snapshot, at the end of an empty log, or behind an operation. */
export interface Offset {
  lsn: bigint
  /** Infinity: whatever that position holds was read. */
  op: number
}

export const BEFORE: Offset = { lsn: -1n, op: 0 }
export const SNAPSHOT_END: Offset = { lsn: 0n, op: 0 }
export const EMPTY_LOG: Offset = { lsn: 0n, op: Number.POSITIVE_INFINITY }

export function isAfter(one: Offset, other: Offset): boolean {
  return one.lsn > other.lsn || (one.lsn === other.lsn && one.op > other.op)
}

/** Null when the text is no offset. */
export function readOffset(text: string): Offset | 'now' | null {
  if (text === '-1') return BEFORE
  if (text === 'now') return 'now'
  const match = /^(\d{1,20})_(\d{1,9}|inf)$/.exec(text)
  if (!match?.[1] || !match[2]) return null
  return { lsn: BigInt(match[1]), op: match[2] === 'inf' ? Number.POSITIVE_INFINITY : Number(match[2]) }
}

export function writeOffset({ lsn, op }: Offset): string {
  return lsn < 0n ? '-1' : `${lsn}_${op === Number.POSITIVE_INFINITY ? 'inf' : op}`
}

interface Entry {
  offset: Offset
  json: string
}

export interface Snapshot {
  /** Rows as messages, JSON. */
  rows: string[]
  /** JSON of its end. */
  end: string
  /** Whether that snapshot saw a transaction. */
  saw(xid: number): boolean
}

export interface Shape {
  readonly handle: string
  readonly definition: Definition
  /** Settles when the snapshot is there; rejects when it could not be made. */
  readonly ready: Promise<Snapshot>
  /** Takes the changes of a transaction that concern its table; waits for the snapshot before it decides. */
  append(transaction: Transaction, changes: readonly Placed[]): Promise<void>
  /** Messages behind an offset, and where they end; at most about `maxBytes` of them. */
  after(offset: Offset, maxBytes: number): { messages: string[]; end: Offset; isAll: boolean }
  /** Behind everything that is in the log. */
  end(): Offset
  /** Runs `listener` once when there is more, or when the shape is over; the returned function takes it back. */
  onMore(listener: () => void): () => void
  /** Ends the shape: its readers have to begin anew. */
  rotate(): void
  isOver(): boolean
  /** Bytes held. */
  size(): number
  watchers(): number
}

/** A change and its place in its transaction, counted by two: a key that changes becomes two operations. */
export interface Placed {
  change: Exclude<Change, { kind: 'relation' | 'truncate' }>
  op: number
}

export interface ShapeDeps {
  handle: string
  definition: Definition
  /** Makes the snapshot; called at once. */
  snapshot(): Promise<Snapshot>
  /** Which of these rows the condition holds for, asked where comparisons do not decide. */
  matches(rows: readonly Tuple[]): Promise<boolean[]>
  /** Bytes that the log may hold; beyond it the shape is over, and readers begin with a fresh snapshot. */
  maxLogBytes: number
}

type Operation = { json: Record<string, unknown>; offset: Offset }

export function createShape(deps: ShapeDeps): Shape {
  const { definition } = deps
  const log: Entry[] = []
  const listeners = new Set<() => void>()
  let bytes = 0
  let isOver = false
  const wake = () => {
    const woken = [...listeners]
    listeners.clear()
    for (const listener of woken) listener()
  }
  const rotate = () => {
    isOver = true
    wake()
  }
  const ready = deps.snapshot().then((snapshot) => {
    bytes += snapshot.rows.reduce((sum, row) => sum + row.length, 0)
    return snapshot
  })
  // Whoever asks for the snapshot hears of its failure; nobody may be asking.
  ready.catch(rotate)
  const put = (operations: Operation[]) => {
    const last = operations.at(-1)
    if (!last) return
    ;(last.json['headers'] as Record<string, unknown>)['last'] = true
    for (const { json, offset } of operations) {
      const text = JSON.stringify(json)
      bytes += text.length
      log.push({ offset, json: text })
    }
    if (bytes > deps.maxLogBytes) rotate()
    else wake()
  }
  return {
    handle: deps.handle,
    definition,
    ready,
    async append(transaction, changes) {
      const snapshot = await ready.catch(() => null)
      if (!snapshot || isOver || snapshot.saw(transaction.xid)) return
      const inside = await membership(deps, changes).catch((cause: unknown) => {
        if (!isAboutCondition(cause)) throw cause
        return null
      })
      // A condition that fails on a row (a division by zero) says nothing about it: who reads hears that from the next snapshot.
      if (inside === null) return rotate()
      put(changes.flatMap((placed, index) => operationsOf(definition, transaction, placed, inside[index])))
    },
    after(offset, maxBytes) {
      const from = firstAfter(log, offset)
      const messages: string[] = []
      let size = 0
      for (let index = from; index < log.length && size < maxBytes; index += 1) {
        const { json } = log[index] ?? { json: '' }
        messages.push(json)
        size += json.length
      }
      const last = messages.length === 0 ? undefined : log[from + messages.length - 1]
      return { messages, end: last?.offset ?? offset, isAll: from + messages.length >= log.length }
    },
    end: () => log.at(-1)?.offset ?? EMPTY_LOG,
    onMore(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    rotate,
    isOver: () => isOver,
    size: () => bytes,
    watchers: () => listeners.size,
  }
}

function isAboutCondition(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && /^(?:22|42)/.test(String(cause.code))
}

function firstAfter(log: readonly Entry[], offset: Offset): number {
  let [low, high] = [0, log.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = log[middle]
    if (entry && isAfter(entry.offset, offset)) high = middle
    else low = middle + 1
  }
  return low
}

interface Inside {
  before: boolean
  now: boolean
}

/** For every change whether its row belonged to the shape before it and belongs to it now. */
async function membership({ definition, matches }: ShapeDeps, changes: readonly Placed[]): Promise<Inside[]> {
  const olds = changes.map(({ change }) => (change.kind === 'insert' ? null : change.old))
  const news = changes.map(({ change }) => (change.kind === 'delete' ? null : change.row))
  const decided = await decide(definition, matches, [...olds, ...news])
  return changes.map((_, index) => ({
    before: decided[index] ?? false,
    now: decided[changes.length + index] ?? false,
  }))
}

async function decide(
  { whereSql, comparisons }: Definition,
  matches: ShapeDeps['matches'],
  rows: readonly (Tuple | null)[],
): Promise<boolean[]> {
  if (whereSql === null) return rows.map((row) => row !== null)
  if (comparisons) return rows.map((row) => row !== null && comparisons.every((one) => fits(row, one)))
  const asked = rows.filter((row) => row !== null)
  const answers = asked.length > 0 ? await matches(asked) : []
  let place = 0
  return rows.map((row) => row !== null && (answers[place++] ?? false))
}

function fits(row: Tuple, { column, value, isEqual }: Comparison): boolean {
  const held = row[column] ?? null
  return held !== null && (held === value) === isEqual
}

function operationsOf(
  definition: Definition,
  { lsn, xid }: Transaction,
  { change, op }: Placed,
  inside?: Inside,
): Operation[] {
  if (!inside || (!inside.before && !inside.now)) return []
  const { table } = definition
  const message = (
    operation: string,
    row: Tuple,
    value: object,
    offset: number,
    more: object = {},
    beside: object = {},
  ) => ({
    offset: { lsn, op: offset },
    json: {
      value,
      key: keyOf(table, row),
      headers: {
        relation: [table.schema, table.name],
        lsn: String(lsn),
        txids: [xid],
        operation,
        op_position: offset,
        ...more,
      },
      ...beside,
    },
  })
  const whole = (row: Tuple) =>
    picked(
      row,
      definition.columns.map(({ name }) => name),
    )
  const gone = (row: Tuple) => (definition.replica === 'full' ? whole(row) : picked(row, table.key))
  if (change.kind === 'insert') return [message('insert', change.row, whole(change.row), op)]
  if (change.kind === 'delete') return [message('delete', change.old, gone(change.old), op)]
  const { row, old } = change
  if (!old) return [message('update', row, whole(row), op)]
  if (!inside.now) return [message('delete', old, gone(old), op)]
  if (!inside.before) return [message('insert', row, whole(row), op)]
  const [oldKey, newKey] = [keyOf(table, old), keyOf(table, row)]
  if (oldKey !== newKey)
    return [
      message('delete', old, gone(old), op, { key_change_to: newKey }),
      message('insert', row, whole(row), op + 1, { key_change_from: oldKey }),
    ]
  return updated(definition, row, old).map(({ value, beside }) =>
    message('update', row, value, op, {}, beside),
  )
}

/** Nothing when the change touched no column of the shape. */
function updated(
  { columns, replica, table }: Definition,
  row: Tuple,
  old: Tuple,
): { value: object; beside: object }[] {
  const names = columns.map(({ name }) => name)
  const changed = names.filter((name) => row[name] !== old[name])
  if (changed.length === 0) return []
  if (replica === 'full') return [{ value: picked(row, names), beside: { old_value: picked(old, changed) } }]
  return [
    {
      value: picked(
        row,
        names.filter((name) => table.key.includes(name) || changed.includes(name)),
      ),
      beside: {},
    },
  ]
}

function picked(row: Tuple, names: readonly string[]): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]))
}

/** A row of the snapshot as a message. */
export function snapshotMessage(table: Table, columns: readonly Column[], row: Tuple, mark?: number): string {
  const texts = Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const column = table.columns.find((one) => one.name === name)
      return [name, value === null || !column ? value : shown(column.typeOid, value)]
    }),
  )
  return JSON.stringify({
    key: keyOf(table, texts),
    value: picked(
      texts,
      columns.map(({ name }) => name),
    ),
    headers: {
      relation: [table.schema, table.name],
      operation: 'insert',
      ...(mark === undefined ? {} : { snapshot_mark: mark }),
    },
  })
}
