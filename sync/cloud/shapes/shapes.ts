/** All shapes of one database: made when somebody asks, fed from the replication log, ended when their table changes form. */
import { createHash, randomInt } from 'node:crypto'
import pg from 'pg'
import type { CloudClock, CloudLog } from '../parts.ts'
import type { Relation, Transaction, Tuple } from './pgoutput.ts'
import {
  dropSlot,
  makePublication,
  makeSlot,
  matching,
  publish,
  type Subset,
  snapshotOf,
  subsetOf,
} from './reading.ts'
import { type Follower, follow, SESSION } from './replication.ts'
import { createShape, type Definition, type Placed, type Shape } from './shape.ts'
import { readTable, type Table } from './table.ts'

export interface Shapes {
  /** Makes slot and publication ready and begins to follow the log. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Null for a table that is not there. */
  table(schema: string, name: string): Promise<Table | null>
  /** The shape of a definition; made when there is none, or when the one there is over. */
  of(definition: Definition): Shape
  /** The shape behind a handle while it lives. */
  byHandle(handle: string): Shape | null
  /** A part of a shape, read now. */
  subset(definition: Definition, part: Subset): Promise<{ metadata: object; data: string[] }>
  /** Position up to which the log was told to the shapes. */
  reached(): bigint
  /** Resolves once everything that is committed now has been told to the shapes. */
  caughtUp(): Promise<void>
  /** Whether the log is followed at this moment. */
  isFollowing(): boolean
  count(): number
}

export interface ShapesDeps {
  url: string
  clock: CloudClock
  log: CloudLog
  /** Names of the slot and the publication; one server a slot. */
  slot: string
  publication: string
  /** Adds tables to the publication and gives them the full identity when somebody asks for them; else they must have both. */
  publishes: boolean
  /** Shapes at most; at the limit the one asked for longest ago is ended. */
  maxShapes?: number
  /** Bytes of one shape, snapshot and log; beyond it the shape begins anew. */
  maxShapeBytes?: number
  /** Shapes to end when that row is written: what was erased must not be served from a log. */
  endsShape?: (relation: Relation, row: Tuple, definition: Definition) => boolean
}

const TAKEN_AGAIN_MS = [250, 1000, 3000, 10_000] as const

export function createShapes(deps: ShapesDeps): Shapes {
  const { log, maxShapes = 1000, maxShapeBytes = 64 * 1024 * 1024 } = deps
  const pool = new pg.Pool({
    connectionString: deps.url,
    options: SESSION,
    max: 4,
    types: { getTypeParser: () => (text: string) => text },
  })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const byKey = new Map<string, Shape>()
  const handles = new Map<string, Shape>()
  const published = new Set<number>()
  let follower: Follower | null = null
  let reached = 0n
  let isStopped = false
  let isFollowing = false
  const waiters = new Set<() => void>()
  const end = (key: string, shape: Shape) => {
    shape.rotate()
    byKey.delete(key)
    handles.delete(shape.handle)
  }
  const endAll = (isOne: (shape: Shape) => boolean) => {
    for (const [key, shape] of byKey) if (isOne(shape)) end(key, shape)
  }
  const reach = (lsn: bigint) => {
    if (lsn > reached) reached = lsn
    for (const waiter of waiters) waiter()
  }

  const take = async (transaction: Transaction) => {
    const placed = new Map<number, Placed[]>()
    let op = 0
    for (const change of transaction.changes) {
      if (change.kind === 'relation') formTold(change.relation)
      else if (change.kind === 'truncate')
        endAll(({ definition }) => change.relations.some(({ oid }) => oid === definition.table.oid))
      else {
        const some = placed.get(change.relation.oid) ?? []
        some.push({ change, op })
        placed.set(change.relation.oid, some)
        op += 2
      }
    }
    for (const [oid, changes] of placed) {
      endErased(changes)
      for (const shape of byKey.values())
        if (shape.definition.table.oid === oid) await shape.append(transaction, changes)
    }
    endAll((shape) => shape.isOver())
  }
  const endErased = (changes: readonly Placed[]) => {
    const { endsShape } = deps
    if (!endsShape) return
    for (const { change } of changes) {
      if (change.kind === 'delete') continue
      endAll(
        ({ definition }) =>
          definition.table.oid === change.relation.oid && endsShape(change.relation, change.row, definition),
      )
    }
  }
  /** A table that has another form than when a shape of it was made ends that shape. */
  const formTold = ({ oid, columns }: Relation) => {
    const form = formOf(columns)
    endAll(({ definition: { table } }) => table.oid === oid && formOf(table.columns) !== form)
  }

  const begin = async () => {
    follower = await follow({
      url: deps.url,
      slot: deps.slot,
      publication: deps.publication,
      onTransaction: take,
      onReached: reach,
      onLost(cause) {
        isFollowing = false
        if (isStopped) return
        log.warn({ err: cause }, 'the replication log was lost; taking it up again')
        again(0)
      },
    })
    isFollowing = true
  }
  const again = (tries: number) => {
    const waitMs = TAKEN_AGAIN_MS[Math.min(tries, TAKEN_AGAIN_MS.length - 1)] ?? 10_000
    deps.clock.after(waitMs, () => {
      if (isStopped) return
      resume().catch((cause: unknown) => {
        log.warn({ err: cause }, 'the replication log cannot be followed yet')
        again(tries + 1)
      })
    })
  }
  /** The slot went on keeping the log; when it is gone, changes were missed and every shape begins anew. */
  const resume = async () => {
    if (await makeSlot(pool, deps.slot, false)) endAll(() => true)
    await begin()
  }

  const make = (definition: Definition, key: string): Shape => {
    const handle = `${createHash('sha256').update(key).digest().readUInt32BE(0)}-${deps.clock.now() * 1000 + randomInt(1000)}`
    const shape = createShape({
      handle,
      definition,
      maxLogBytes: maxShapeBytes,
      snapshot: async () => {
        if (deps.publishes && !published.has(definition.table.oid)) {
          await publish(pool, deps.publication, definition.table)
          published.add(definition.table.oid)
        }
        return snapshotOf(pool, definition)
      },
      matches: (rows) => matching(pool, definition, rows),
    })
    return shape
  }
  return {
    async start() {
      await makePublication(pool, deps.publication)
      await makeSlot(pool, deps.slot, true)
      await begin()
    },
    async stop() {
      isStopped = true
      endAll(() => true)
      await follower?.stop()
      await dropSlot(pool, deps.slot).catch((cause: unknown) =>
        log.warn({ err: cause }, 'the replication slot could not be dropped'),
      )
      await pool.end()
    },
    table: (schema, name) => readTable(pool, schema, name),
    of(definition) {
      const key = keyOfDefinition(definition)
      const known = byKey.get(key)
      if (known && !known.isOver()) {
        byKey.delete(key)
        byKey.set(key, known)
        return known
      }
      if (known) end(key, known)
      const shape = make(definition, key)
      byKey.set(key, shape)
      handles.set(shape.handle, shape)
      const [oldest] = byKey
      if (byKey.size > maxShapes && oldest) end(...oldest)
      return shape
    },
    byHandle: (handle) => handles.get(handle) ?? null,
    subset: (definition, part) => subsetOf(pool, definition, part),
    reached: () => reached,
    async caughtUp() {
      const { rows } = await pool.query<{ lsn: string }>(`SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS lsn`)
      const wanted = BigInt(rows[0]?.lsn ?? '0')
      // An idle log tells where it is only now and then; a commit makes it tell at once.
      await pool.query(`SELECT pg_logical_emit_message(true, 'homefield', '')`)
      await new Promise<void>((resolve) => {
        const waiter = () => {
          if (reached < wanted) return
          waiters.delete(waiter)
          resolve()
        }
        waiters.add(waiter)
        waiter()
      })
    },
    isFollowing: () => isFollowing,
    count: () => byKey.size,
  }
}

function formOf(columns: readonly { name: string; typeOid: number }[]): string {
  return JSON.stringify(columns.map(({ name, typeOid }) => [name, typeOid]).sort())
}

function keyOfDefinition({ table, where, whereSql, columns, replica, log }: Definition): string {
  const names = columns.map(({ name }) => name)
  return JSON.stringify([
    table.oid,
    formOf(table.columns),
    where === null ? null : whereSql,
    names,
    replica,
    log,
  ])
}
