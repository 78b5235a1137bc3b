/** Appends to the audit log off the path of whoever caused an entry: facts queue in memory and reach the disk together. */
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store, Write } from '../../store/store.ts'
import {
  type AuditEntry,
  type AuditFact,
  entryHash,
  isSealed,
  NO_HASH,
  type Sealed,
  sealOf,
} from './entry.ts'
import type { OutsideHead } from './outside.ts'
import { SHORTENED } from './verify.ts'

export interface Chain {
  /** Queues a fact; resolves once it is on disk, or was left out because too many wait. */
  append(fact: AuditFact): Promise<void>
  /** Writes what waits; resolves when it is on disk. */
  flush(): Promise<void>
  /** Seals the newest entry and notes it beside the database. */
  anchor(): Promise<void>
  /** Forgets entries older than `beforeMs` and beyond `atMost`, in whole stretches between anchors. */
  trim(beforeMs: number, atMost: number): Promise<void>
  /** Compares the database with the note beside it: a shorter database is itself an entry. */
  begin(): Promise<void>
  stop(): Promise<void>
  stats(): { queued: number; leftOut: number; entries: number }
}

export interface ChainDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  clock: Clock
  log: Log
  /** Derived from the hub's secret. */
  key: Uint8Array
  outside: OutsideHead
}

const WAIT_MS = 1000
const BATCH = 200
/** Beyond this facts are counted instead of kept; the count becomes an entry. */
const QUEUED_MAX = 10_000
const ANCHOR_EVERY = 256
const HUB = { kind: 'hub', id: null } as const

const INSERT = `INSERT INTO audit_entry (seq, at, act, who_kind, who, person, class, detail, hash)
  VALUES (:seq, :atMs, :act, :whoKind, :who, :person, :class, :detail, :hash)`
const SET_EDGE = `INSERT INTO audit_edge (name, seq, at, hash, seal) VALUES (:name, :seq, :atMs, :hash, :seal)
  ON CONFLICT (name) DO UPDATE SET seq = :seq, at = :atMs, hash = :hash, seal = :seal`
const ADD_ANCHOR = `INSERT INTO audit_anchor (seq, at, hash, seal) VALUES (:seq, :atMs, :hash, :seal)
  ON CONFLICT (seq) DO NOTHING`
const EDGE = `SELECT seq, at AS atMs, hash, seal FROM audit_edge WHERE name = :name`
const CUT = `SELECT seq, at AS atMs, hash FROM audit_anchor WHERE seq <= :seq OR at < :beforeMs
  ORDER BY seq DESC LIMIT 1`

interface Waiting {
  fact: AuditFact
  atMs: number
  done: () => void
}

export function createChain(deps: ChainDeps): Chain {
  const { store, clock, log, key, outside } = deps
  const waiting: Waiting[] = []
  let head = headOf(store)
  let anchored = head.seq
  let leftOut = 0
  let untold = 0
  let running: Promise<void> | null = null
  let cancelWake = () => {}
  let isWoken = false

  const sealed = (what: 'anchor' | 'start' | 'head', at: Omit<Sealed, 'seal'>): Sealed => ({
    ...at,
    seal: sealOf(key, what, at),
  })

  function wake(): void {
    if (isWoken) return
    isWoken = true
    cancelWake = clock.after(WAIT_MS, () => {
      isWoken = false
      void flush().catch(() => wake())
    })
  }

  function append(fact: AuditFact): Promise<void> {
    if (waiting.length >= QUEUED_MAX) {
      leftOut += 1
      untold += 1
      return Promise.resolve()
    }
    return new Promise((done) => {
      waiting.push({ fact, atMs: clock.now(), done })
      wake()
    })
  }

  async function writeBatch(): Promise<void> {
    const untoldNow = untold
    const batch = waiting.slice(0, BATCH)
    const facts: Pick<Waiting, 'fact' | 'atMs'>[] = [...batch]
    if (untoldNow > 0) {
      const fact = { act: 'left-out', who: HUB, detail: { entries: untoldNow } }
      facts.push({ fact, atMs: clock.now() })
    }
    let last = { seq: head.seq, atMs: head.atMs, hash: head.hash }
    const writes: Write[] = []
    for (const { fact, atMs } of facts) {
      const entry = entryOf(fact, last.seq + 1, atMs)
      const hash = entryHash(last.hash, entry)
      const { atMs: at, ...columns } = entry
      writes.push({ sql: INSERT, params: { ...columns, atMs: at, hash }, expect: 1 })
      last = { seq: entry.seq, atMs, hash }
    }
    const next = sealed('head', last)
    writes.push({ sql: SET_EDGE, params: { name: 'head', ...next } })
    const isDue = next.seq - anchored >= ANCHOR_EVERY
    if (isDue) writes.push({ sql: ADD_ANCHOR, params: { ...sealed('anchor', last) } })
    await store.write(writes)
    head = next
    untold -= untoldNow
    waiting.splice(0, batch.length)
    for (const { done } of batch) done()
    if (isDue) await noted(next)
  }

  /** Beside the database and in the journal: two more places that whoever cuts the chain would have to reach. */
  async function noted(at: Sealed): Promise<void> {
    anchored = at.seq
    log.info({ seq: at.seq, hash: Buffer.from(at.hash).toString('hex') }, 'audit log sealed')
    await outside.write(at).catch((cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'the end of the audit log could not be noted beside the database')
    })
  }

  /** Batches follow each other: each needs the hash of the one before. */
  async function flush(): Promise<void> {
    while (waiting.length > 0 || untold > 0) {
      running ??= writeBatch().finally(() => {
        running = null
      })
      await running.catch((cause: unknown) => {
        if (!(cause instanceof HubError && cause.code === 'SHUTTING_DOWN'))
          log.warn({ cause: messageOf(cause), waiting: waiting.length }, 'audit entries wait')
        throw cause
      })
    }
  }

  async function anchor(): Promise<void> {
    await flush()
    if (head.seq === anchored || head.seq === 0) return
    const at = { seq: head.seq, atMs: head.atMs, hash: head.hash }
    await store.write([{ sql: ADD_ANCHOR, params: { ...sealed('anchor', at) } }])
    await noted(head)
  }

  return {
    append,
    flush,
    anchor,
    async trim(beforeMs, atMost) {
      const cut = store.get<Omit<Sealed, 'seal'>>(CUT, { seq: head.seq - atMost, beforeMs })
      const start = store.get<Sealed>(EDGE, { name: 'start' })
      if (!cut || cut.seq <= (start?.seq ?? 0)) return
      void append({ act: 'audit-trimmed', who: HUB, detail: { until: cut.seq } })
      await flush()
      await store.write([
        { sql: SET_EDGE, params: { name: 'start', ...sealed('start', cut) } },
        { sql: 'DELETE FROM audit_entry WHERE seq <= :seq', params: { seq: cut.seq } },
        { sql: 'DELETE FROM audit_anchor WHERE seq < :seq', params: { seq: cut.seq } },
      ])
    },
    async begin() {
      const edge = store.get<Sealed>(EDGE, { name: 'head' })
      if (head.seq > 0 && (edge === undefined || !isSealed(key, 'head', edge))) {
        log.error({ has: head.seq }, 'the end of the audit log is not sealed')
        void append({ act: SHORTENED, who: HUB, detail: { has: head.seq } })
        return anchor()
      }
      const note = await outside.read()
      if (note === null || note === 'damaged' || !isSealed(key, 'head', note) || note.seq <= head.seq) return
      log.error({ had: note.seq, has: head.seq }, 'the audit log is shorter than it was')
      void append({ act: SHORTENED, who: HUB, detail: { had: note.seq, has: head.seq } })
      await anchor()
    },
    async stop() {
      cancelWake()
      isWoken = true
      await anchor()
    },
    stats: () => ({ queued: waiting.length, leftOut, entries: head.seq }),
  }
}

/** The end of the chain by its rows: the sealed edge is compared by whoever verifies, not trusted here. */
function headOf(store: Pick<Store, 'get'>): Sealed {
  const last = store.get<Omit<Sealed, 'seal'>>(
    'SELECT seq, at AS atMs, hash FROM audit_entry ORDER BY seq DESC LIMIT 1',
  )
  const edge = store.get<Sealed>(EDGE, { name: 'head' })
  if (edge && (!last || edge.seq > last.seq)) return edge
  const start = store.get<Sealed>(EDGE, { name: 'start' })
  return { ...(last ?? start ?? { seq: 0, atMs: 0, hash: NO_HASH }), seal: edge?.seal ?? NO_HASH }
}

function entryOf(fact: AuditFact, seq: number, atMs: number): AuditEntry {
  return {
    seq,
    atMs,
    act: fact.act,
    whoKind: fact.who.kind,
    who: fact.who.id,
    person: fact.personId ?? null,
    class: fact.class ?? null,
    detail: fact.detail === undefined ? null : JSON.stringify(fact.detail),
  }
}
