/** Sends what waits in one lane, batch by batch: what is acknowledged is stored with the acknowledgement's token in one unit. */
import { Compile } from 'typebox/compile'
import type { Compactor } from './compact.ts'
import { STAMPED_KINDS } from './entities.ts'
import { type Answer, type HubClient, packed } from './hub-client.ts'
import { type Lost, planGaps } from './hub-plans.ts'
import {
  DAY_MS,
  type FeedEntry,
  type HubIdentity,
  type LaneState,
  planFeedAll,
  type SyncState,
} from './hub-state.ts'
import { packRollups, ROLLUP_KINDS } from './pack.ts'
import type { Statement, SyncPorts } from './ports.ts'
import { ENTITY_KINDS, type Lane, type Rollup } from './rows.ts'
import { PATHS, SCHEMA, SyncAnswer, SyncConflict, type SyncRequest, type SyncRow } from './wire.ts'

/** What became of one try. `wait` 0: at once again; null: as the back-off says. */
export type Pushed =
  | { kind: 'done' }
  | { kind: 'sent' }
  | { kind: 'held'; why: 'bytes' | 'hours' }
  | { kind: 'failed'; why: string; waitMs: number | null }
  | { kind: 'stopped'; why: string }

export interface Pusher {
  /** Sends the next batch of the lane. Never rejects for what the network or the cloud does. */
  push(lane: Lane): Promise<Pushed>
  /** What was made for a lane and not acknowledged is made anew. */
  forget(): void
  /** Up to which number a batch of the lane is made and will be sent as it is; 0 when there is none. */
  inHand(lane: Lane): number
}

export interface PusherDeps
  extends Pick<
    SyncPorts,
    'store' | 'clock' | 'log' | 'failpoints' | 'limits' | 'hourOfDay' | 'turn' | 'newId'
  > {
  state: SyncState
  identity(): HubIdentity
  client(): HubClient
  compactor: Compactor
  /** Gives edits their instants; true when there may be more. */
  stamp(): Promise<boolean>
  /** Puts everything that may leave into the feed again. */
  refill(): Promise<void>
  /** The cloud asks for a person to be erased. */
  onErase(subject: string): Promise<void>
}

/** A batch as it was sent: sent again as it is, for as long as the program runs and nobody has answered. */
interface Batch {
  prev: number
  upto: number
  epoch: number
  entries: number
  bytes: Uint8Array
  rows: number
  aside: { kind: string; key: string; reason: string }[]
  later: { kind: string; key: string; dueAtMs: number }[]
  lost: Lost[]
}

const answerCheck = Compile(SyncAnswer)
const conflictCheck = Compile(SyncConflict)
const ROWS_A_TURN = 100
/** A chunk of one series' day is large: rows of so many letters end a batch. Five times as many cost 100 MB for nothing. */
const BATCH_CHARS = 400_000
const ASIDE_KEPT = 1000
const SLOW_MS = 5 * 60_000

export function createPusher(deps: PusherDeps): Pusher {
  const { state, store, clock, limits } = deps
  const made = new Map<Lane, Batch>()
  const most = new Map<Lane, number>()

  async function batchOf(lane: Lane, at: LaneState, epoch: number): Promise<Batch | null> {
    const known = made.get(lane)
    if (known && known.prev === at.acked && known.epoch === epoch) return known
    while (lane === 'now' && (await deps.stamp())) {
      // What was edited has its instant before it leaves.
    }
    const waiting = state.waiting(lane, most.get(lane) ?? limits.rows)
    // An edit that came in between has none yet: it and what follows it are the next batch.
    const { stampedSeq } = deps.identity()
    const unstamped = waiting.findIndex(({ kind, seq }) => STAMPED_KINDS.includes(kind) && seq > stampedSeq)
    const entries = unstamped < 0 ? waiting : waiting.slice(0, unstamped)
    if (entries.length === 0) return null
    const batch = await compacted(entries)
    const request: SyncRequest = {
      ...{
        hub: deps.identity().hubId,
        epoch,
        lane,
        prev: at.acked,
        max_seq: state.maxSeq(),
        token: at.token,
      },
      ...{ schema: SCHEMA, ...columnsOf(batch.rows), upto: batch.upto },
    }
    const bytes = await packed(request)
    const fresh = { ...batch, prev: at.acked, epoch, bytes, rows: batch.rows.length }
    made.set(lane, fresh)
    return fresh
  }

  async function compacted(entries: readonly FeedEntry[]) {
    const batch = {
      rows: [] as SyncRow[],
      aside: [] as Batch['aside'],
      later: [] as Batch['later'],
      lost: [] as Batch['lost'],
      upto: 0,
      entries: 0,
    }
    let chars = 0
    for (const entry of entries) {
      if (batch.entries % ROWS_A_TURN === ROWS_A_TURN - 1) await deps.turn()
      const { kind, key } = entry
      try {
        const made = deps.compactor.compact(entry)
        if (made.to === 'send') {
          batch.rows.push(made.row)
          chars += kind === 'raw_chunk' ? JSON.stringify(made.row).length : 400
        } else if (made.to === 'wait') batch.later.push({ kind, key, dueAtMs: made.dueAtMs })
        else if (made.to === 'lose') batch.lost.push(made.lost)
      } catch (cause) {
        batch.aside.push({ kind, key, reason: cause instanceof Error ? cause.message : String(cause) })
      }
      batch.upto = entry.seq
      batch.entries += 1
      if (chars > BATCH_CHARS) break
    }
    return batch
  }

  async function acknowledge(
    lane: Lane,
    at: LaneState,
    batch: Batch,
    { watermark, token, ...answer }: SyncAnswer,
  ) {
    const nowMs = clock.now()
    const today = Math.floor(nowMs / DAY_MS)
    const aside = [
      ...batch.aside,
      ...answer.quarantined.map(({ seq, kind, reason }) => ({ kind, key: `#${seq}`, reason })),
    ]
    deps.failpoints.hit('hub.before-ack')
    await store.write([
      {
        sql: `UPDATE sync_lane SET acked = :watermark, token = :token, pushed_at = :nowMs, rows = rows + :rows, bytes = bytes + :bytes,
            day_bytes = CASE day WHEN :today THEN day_bytes ELSE 0 END + :bytes, day = :today
          WHERE lane = :lane AND acked = :prev`,
        params: {
          ...{ lane, token, nowMs, today, prev: at.acked, rows: batch.rows, bytes: batch.bytes.length },
          watermark: Math.max(watermark, at.acked),
        },
        expect: 1,
      },
      ...batch.later.map(({ kind, key, dueAtMs }) => ({
        sql: `INSERT INTO sync_later (kind, key, due_at) VALUES (:kind, :key, :dueAtMs)
          ON CONFLICT (kind, key) DO UPDATE SET due_at = excluded.due_at`,
        params: { kind, key, dueAtMs },
      })),
      ...planGaps(batch.lost, 'let go before it could be sent', deps),
      ...aside.map(({ kind, key, reason }) => ({
        sql: 'INSERT INTO sync_aside (kind, key, reason, at) VALUES (:kind, :key, :reason, :nowMs)',
        params: { kind, key, reason: reason.slice(0, 300), nowMs },
      })),
      ...(aside.length > 0
        ? [{ sql: `DELETE FROM sync_aside WHERE id <= (SELECT max(id) FROM sync_aside) - ${ASIDE_KEPT}` }]
        : []),
    ])
    made.delete(lane)
    deps.failpoints.hit('hub.after-ack')
    for (const { type, subject } of answer.directives)
      if (type === 'erase' && subject !== undefined) await deps.onErase(subject)
  }

  /** The cloud says that what it holds and what this hub believes differ. */
  async function reconcile(
    lane: Lane,
    { reason, watermark, token, next_epoch: epoch }: SyncConflict,
  ): Promise<Pushed> {
    made.clear()
    deps.log.warn({ lane, reason, watermark }, 'the cloud and this hub disagree')
    if (reason === 'forked') return stop('forked')
    const writes: Statement[] =
      reason === 'gap'
        ? [
            {
              sql: 'UPDATE sync_lane SET acked = :watermark, token = :token WHERE lane = :lane',
              params: { lane, watermark, token },
            },
            // What came down from the cloud may be what it has lost.
            ...(lane === 'now' ? planResendEntities() : []),
          ]
        : [
            { sql: 'UPDATE sync_hub SET epoch = max(epoch, :epoch)', params: { epoch } },
            { sql: 'UPDATE sync_lane SET acked = 0, token = NULL' },
            { sql: 'DELETE FROM sync_mark' },
            ...planResendEntities(),
          ]
    await store.write(writes)
    // What was forgotten here because the cloud had it is taken from the tables again.
    if (reason === 'gap' && watermark < state.lane(lane).pruned) await deps.refill()
    return { kind: 'failed', why: reason, waitMs: 0 }
  }

  async function stop(why: string): Promise<Pushed> {
    await store.write([{ sql: 'UPDATE sync_hub SET stopped = :why', params: { why } }])
    return { kind: 'stopped', why }
  }

  async function hear(
    lane: Lane,
    at: LaneState,
    batch: Batch,
    { status, body, retryAfterMs }: Answer,
  ): Promise<Pushed> {
    if ((status === 200 || status === 422) && answerCheck.Check(body)) {
      most.delete(lane)
      await acknowledge(lane, at, batch, body)
      return { kind: 'sent' }
    }
    if (status === 409 && conflictCheck.Check(body)) return reconcile(lane, body)
    const why = String(Object(body).reason ?? status)
    if (status === 413) return split(lane, batch)
    if (status === 403) return stop(why)
    // Only an update of the hub helps: it is asked for now and then, not again and again.
    if (status === 426) return { kind: 'failed', why, waitMs: SLOW_MS }
    return { kind: 'failed', why, waitMs: retryAfterMs > 0 ? retryAfterMs : null }
  }

  /** Half of it next time; a single row that is too large for the cloud is put aside. */
  async function split(lane: Lane, batch: Batch): Promise<Pushed> {
    made.delete(lane)
    if (batch.entries > 1) {
      most.set(lane, Math.ceil(batch.entries / 2))
      return { kind: 'failed', why: 'too_large', waitMs: 0 }
    }
    const [entry] = state.waiting(lane, 1)
    if (!entry) return { kind: 'done' }
    const nowMs = clock.now()
    await store.write([
      { sql: 'DELETE FROM sync_feed WHERE seq = :seq', params: { seq: entry.seq } },
      {
        sql: `INSERT INTO sync_aside (kind, key, reason, at) VALUES (:kind, :key, 'too large for the cloud', :nowMs)`,
        params: { kind: entry.kind, key: entry.key, nowMs },
      },
    ])
    return { kind: 'failed', why: 'too_large', waitMs: 0 }
  }

  function heldBack(lane: Lane): 'bytes' | 'hours' | null {
    if (lane === 'now') return null
    const { bulkHours, bytesPerDay } = limits
    if (lane === 'bulk' && bulkHours) {
      const [from, to] = bulkHours
      const hour = deps.hourOfDay()
      const within = from <= to ? hour >= from && hour < to : hour >= from || hour < to
      if (!within) return 'hours'
    }
    if (bytesPerDay === 0) return null
    const day = Math.floor(clock.now() / DAY_MS)
    const row = store.get<{ bytes: number | null }>(
      'SELECT sum(day_bytes) AS bytes FROM sync_lane WHERE day = :day',
      { day },
    )
    return (row?.bytes ?? 0) >= bytesPerDay ? 'bytes' : null
  }

  return {
    forget: () => made.clear(),
    inHand: (lane) => made.get(lane)?.upto ?? 0,
    async push(lane) {
      const why = heldBack(lane)
      if (why) return { kind: 'held', why }
      const at = state.lane(lane)
      const batch = await batchOf(lane, at, deps.identity().epoch)
      if (!batch) return { kind: 'done' }
      deps.failpoints.hit('hub.before-send')
      try {
        const answer = await deps.client().ask('POST', PATHS.sync, batch.bytes)
        return await hear(lane, at, batch, answer)
      } catch (cause) {
        return { kind: 'failed', why: cause instanceof Error ? cause.message : String(cause), waitMs: null }
      }
    },
  }
}

/** Roll-ups column by column, in the order in which they pack best; the rest as it is. */
function columnsOf(rows: readonly SyncRow[]): Pick<SyncRequest, 'rows' | 'rollups'> {
  const rollups = ROLLUP_KINDS.flatMap((kind) => {
    const found = rows.filter((row) => row.kind === kind && row.body !== null)
    if (found.length === 0) return []
    // Made by this program from the table of roll-ups, in this form.
    const bodies = found.map(({ seq, body }) => ({ seq, body: body as unknown as Rollup }))
    const series = ({ body }: { body: Rollup }) => `${body.subject}:${body.device}:${body.metric}`
    bodies.sort((one, other) => series(one).localeCompare(series(other)) || one.body.start - other.body.start)
    return [packRollups(kind, bodies)]
  })
  const packedKinds = ROLLUP_KINDS as readonly string[]
  return { rows: rows.filter(({ kind, body }) => !packedKinds.includes(kind) || body === null), rollups }
}

function planResendEntities(): Statement[] {
  return [...ENTITY_KINDS, 'consent'].flatMap((kind) =>
    planFeedAll('now', kind, 'SELECT id AS key FROM sync_entity WHERE kind = :entityKind', {
      entityKind: kind,
    }),
  )
}
