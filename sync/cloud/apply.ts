/** Applies one batch of a hub in one transaction: rows, watermark and token are there together or not at all. */
import { randomBytes } from 'node:crypto'
import type { Failpoints } from '../failpoint.ts'
import type { Erasure } from '../rows.ts'
import type { SyncAnswer, SyncConflict, SyncRequest, SyncRow } from '../wire.ts'
import { type Batch, type SetAside, subjectOf } from './batch.ts'
import type { Cloudbase, Queries, Transaction } from './database.ts'
import { editOf, erase, erasedSubjects, isFeedKind, lockHousehold, mergeIntoFeed } from './feed.ts'
import { judge, type LaneState, NEW_LANE, readRecent, writeRecent } from './lane.ts'
import type { Months } from './months.ts'
import { type Origin, writerOf } from './tables.ts'

export interface Hub {
  id: string
  household: string
}

export type Applied =
  | { kind: 'acknowledged'; answer: Omit<SyncAnswer, 'server_time'>; aside: readonly SetAside[] }
  | { kind: 'conflict'; answer: Omit<SyncConflict, 'server_time'> }

export interface ApplyDeps {
  base: Cloudbase
  months: Months
  now(): number
  failpoints: Failpoints
}

/** Set aside rows that a hub may have at most; the oldest go first, the lane's counter keeps counting. */
const QUARANTINE_ROWS = 10_000

/** Idempotent: the same rows again change nothing and are acknowledged again. Rejects when nothing was applied. */
export async function applyBatch(
  deps: ApplyDeps,
  hub: Hub,
  request: SyncRequest,
  batch: Batch,
  bytes: number,
): Promise<Applied> {
  await deps.months.make(batch.rows, deps.now())
  try {
    return await inOneTransaction(deps, hub, request, batch, bytes, writeAll)
  } catch (cause) {
    if (!isAboutData(cause)) throw cause
    // A row that Postgres itself refuses must not stop the lane: it is found by trying halves.
    return inOneTransaction(deps, hub, request, batch, bytes, writeCarefully)
  }
}

/** Data exceptions and violated constraints: trying again will not help. */
function isAboutData(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && /^2[23]/.test(String(cause.code))
}

type Write = (
  queries: Transaction,
  origin: Origin,
  kind: string,
  rows: readonly SyncRow[],
) => Promise<readonly SetAside[]>

const writeAll: Write = async (queries, origin, kind, rows) => {
  await writerOf(kind)(queries, origin, rows)
  return []
}

const writeCarefully: Write = async (queries, origin, kind, rows) => {
  await queries.query('SAVEPOINT careful')
  try {
    await writerOf(kind)(queries, origin, rows)
    await queries.query('RELEASE SAVEPOINT careful')
    return []
  } catch (cause) {
    if (!isAboutData(cause)) throw cause
    await queries.query('ROLLBACK TO SAVEPOINT careful')
    const [only] = rows
    if (rows.length === 1 && only)
      return [
        { seq: only.seq, kind, subject: subjectOf(only), reason: `refused: ${String(cause)}`, row: only },
      ]
    const half = Math.ceil(rows.length / 2)
    return [
      ...(await writeCarefully(queries, origin, kind, rows.slice(0, half))),
      ...(await writeCarefully(queries, origin, kind, rows.slice(half))),
    ]
  }
}

async function inOneTransaction(
  { base, now, failpoints }: ApplyDeps,
  hub: Hub,
  request: SyncRequest,
  batch: Batch,
  bytes: number,
  write: Write,
): Promise<Applied> {
  const applied = await base.household(hub.household, async (queries): Promise<Applied> => {
    const { lane, hubEpoch } = await laneOf(queries, hub, request)
    const verdict = judge(lane, hubEpoch, request, batch.rows)
    if (verdict.kind === 'conflict') {
      if (verdict.retire) await retire(queries, hub, request.lane, lane.token)
      if (verdict.reason === 'forked') await markForked(queries, hub, now())
      return {
        kind: 'conflict',
        answer: {
          reason: verdict.reason,
          watermark: lane.watermark,
          token: lane.token,
          next_epoch: hubEpoch + 1,
        },
      }
    }
    const origin = { household: hub.household, hub: hub.id, epoch: request.epoch }
    const { dropped, refused } = await applyRows(queries, origin, batch.rows, write, now())
    const aside = [...batch.aside, ...refused]
    const added = await quarantine(queries, hub, request, aside, now())
    const token = await moveLane(queries, hub, request, verdict.lane, batch, {
      bytes,
      quarantined: added,
      nowMs: now(),
    })
    if (request.epoch > hubEpoch)
      await queries.query('UPDATE hub SET epoch = $2 WHERE id = $1 AND epoch < $2', [hub.id, request.epoch])
    const answer = {
      watermark: Math.max(verdict.lane.watermark, batch.upto),
      token,
      directives: [],
      quarantined: aside.map(({ seq, kind, reason }) => ({ seq, kind, reason })),
      dropped,
    }
    failpoints.hit('cloud.before-commit')
    return { kind: 'acknowledged', answer, aside }
  })
  failpoints.hit('cloud.after-commit')
  return applied
}

interface LaneRow {
  epoch: number
  watermark: number
  token: string | null
  previous_token: string | null
  retired_token: string | null
  retired_seen: boolean
  hub_epoch: number
}

/** The lane's state, locked until the transaction ends: one batch of a lane at a time, whichever instance it came to. */
async function laneOf(queries: Queries, hub: Hub, { lane, token }: SyncRequest) {
  const select = () =>
    queries.query<LaneRow>(
      `SELECT l.epoch, l.watermark, l.token, l.previous_token, l.retired_token, l.retired_seen, h.epoch AS hub_epoch
       FROM hub_lane l JOIN hub h ON h.id = l.hub_id WHERE l.hub_id = $1 AND l.lane = $2 FOR UPDATE OF l`,
      [hub.id, lane],
    )
  let [row] = (await select()).rows
  if (!row) {
    await queries.query(
      `INSERT INTO hub_lane (household_id, hub_id, lane, epoch) SELECT $1, id, $3, epoch FROM hub WHERE id = $2
       ON CONFLICT (hub_id, lane) DO NOTHING`,
      [hub.household, hub.id, lane],
    )
    ;[row] = (await select()).rows
  }
  if (!row) throw new Error('The lane of a hub that is known could not be opened')
  const state: LaneState = {
    ...NEW_LANE,
    epoch: row.epoch,
    watermark: row.watermark,
    token: row.token,
    previousToken: row.previous_token,
    // Only who shows another token is asked what the last batch was.
    recent: row.token === token ? NEW_LANE.recent : await recentOf(queries, hub, lane),
    retiredToken: row.retired_token,
    retiredSeen: row.retired_seen,
  }
  return { lane: state, hubEpoch: row.hub_epoch }
}

async function recentOf(queries: Queries, hub: Hub, lane: string) {
  const { rows } = await queries.query<{ recent: Buffer | null }>(
    'SELECT recent FROM hub_lane WHERE hub_id = $1 AND lane = $2',
    [hub.id, lane],
  )
  return readRecent(rows[0]?.recent ?? null)
}

async function retire(queries: Queries, hub: Hub, lane: string, token: string | null): Promise<void> {
  await queries.query(
    'UPDATE hub_lane SET retired_token = $3, retired_seen = false WHERE hub_id = $1 AND lane = $2',
    [hub.id, lane, token],
  )
}

async function markForked(queries: Queries, hub: Hub, nowMs: number): Promise<void> {
  await queries.query('UPDATE hub SET forked_at = coalesce(forked_at, $2) WHERE id = $1', [hub.id, nowMs])
}

async function applyRows(
  queries: Transaction,
  origin: Origin,
  rows: readonly SyncRow[],
  write: Write,
  nowMs: number,
): Promise<{ dropped: number; refused: SetAside[] }> {
  const edits = rows.some(({ kind }) => kind === 'erasure' || isFeedKind(kind))
  await lockHousehold(queries, origin.household, edits ? 'exclusive' : 'shared')
  for (const row of rows)
    if (row.kind === 'erasure' && row.body !== null)
      await erase(queries, origin.household, row.body as Erasure, nowMs)
  const erased = await erasedSubjects(queries, origin.household)
  const kept = rows.filter((row) => isKept(row, erased))
  const feed = kept.filter(({ kind }) => isFeedKind(kind)).flatMap((row) => editOf(row, nowMs) ?? [])
  await mergeIntoFeed(queries, origin.household, feed, erased)
  const refused: SetAside[] = []
  for (const [kind, some] of byKind(kept))
    if (kind !== 'erasure' && !isFeedKind(kind)) refused.push(...(await write(queries, origin, kind, some)))
  return { dropped: rows.length - kept.length, refused }
}

function byKind(rows: readonly SyncRow[]): Map<string, SyncRow[]> {
  const kinds = new Map<string, SyncRow[]>()
  for (const row of rows) {
    const some = kinds.get(row.kind)
    if (some) some.push(row)
    else kinds.set(row.kind, [row])
  }
  return kinds
}

function isKept(row: SyncRow, erased: ReadonlySet<string>): boolean {
  if (row.kind === 'erasure' || row.kind === 'erasure_done') return true
  const subject = subjectOf(row)
  return subject === null || !erased.has(subject)
}

async function quarantine(
  queries: Queries,
  hub: Hub,
  { lane, epoch }: SyncRequest,
  aside: readonly SetAside[],
  nowMs: number,
): Promise<number> {
  if (aside.length === 0) return 0
  const { rowCount } = await queries.query(
    `INSERT INTO sync_quarantine (household_id, hub_id, lane, epoch, seq, kind, subject, reason, row, at)
     SELECT $1, $2, $3, $4, seq, kind, subject, reason, row, $10
     FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::jsonb[]) AS r (seq, kind, subject, reason, row)
     WHERE NOT EXISTS (SELECT FROM erasure e WHERE e.household_id = $1 AND e.subject = r.subject)
     ON CONFLICT (hub_id, lane, epoch, seq) DO NOTHING`,
    [
      hub.household,
      hub.id,
      lane,
      epoch,
      aside.map(({ seq }) => seq),
      aside.map(({ kind }) => kind),
      aside.map(({ subject }) => subject),
      aside.map(({ reason }) => reason.replaceAll('\0', '')),
      // What jsonb cannot hold is kept as text that it can.
      aside.map(({ row }) => storable(row)),
      nowMs,
    ],
  )
  await queries.query(
    `DELETE FROM sync_quarantine WHERE hub_id = $1 AND (lane, epoch, seq) IN
       (SELECT lane, epoch, seq FROM sync_quarantine WHERE hub_id = $1 ORDER BY at DESC, seq DESC OFFSET $2)`,
    [hub.id, QUARANTINE_ROWS],
  )
  return rowCount ?? 0
}

function storable(row: unknown): string {
  const text = JSON.stringify(row) ?? 'null'
  return /\\u0000|\\ud[89a-f]/i.test(text) ? JSON.stringify({ text: text.replaceAll('\\', '\\\\') }) : text
}

async function moveLane(
  queries: Queries,
  hub: Hub,
  request: SyncRequest,
  lane: LaneState,
  batch: Batch,
  { bytes, quarantined, nowMs }: { bytes: number; quarantined: number; nowMs: number },
): Promise<string> {
  const isEmpty = batch.rows.length === 0 && batch.aside.length === 0 && batch.upto === lane.watermark
  const isRetired = lane.retiredSeen
  // Who only asks whether we are there costs no write.
  if (isEmpty && lane.token !== null && !isRetired && request.epoch === lane.epoch) return lane.token
  const token = randomBytes(12).toString('base64url')
  await queries.query(
    `UPDATE hub_lane SET epoch = $3, watermark = $4, token = $5, previous_token = $6, recent = $7, retired_token = $8,
       retired_seen = $9, applied_at = $10, rows = rows + $11, bytes = bytes + $12, quarantined = quarantined + $13,
       last_error = $14
     WHERE hub_id = $1 AND lane = $2`,
    [
      hub.id,
      request.lane,
      request.epoch,
      Math.max(lane.watermark, batch.upto),
      token,
      request.token,
      writeRecent(batch.rows),
      // Its holder goes on: what makes it known goes on with it.
      isRetired ? token : lane.retiredToken,
      isRetired,
      nowMs,
      batch.rows.length,
      bytes,
      quarantined,
      batch.aside[0]?.reason ?? null,
    ],
  )
  return token
}
