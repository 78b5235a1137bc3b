/** The household's feed: what hubs and people in the cloud both edit, merged field by field, and the erasures that end it. */
import { clampHlc } from '../clock.ts'
import {
  canonicalJson,
  latestEdit,
  mergeConsent,
  mergeEntity,
  mergeErasure,
  withoutErased,
} from '../merge.ts'
import type { Consent, Entity, Erasure } from '../rows.ts'
import type { SyncRow } from '../wire.ts'
import type { Queries } from './database.ts'
import { BULK_TABLES, HAPPENING_TABLES } from './schema.ts'

/** Locks a household: `exclusive` for whoever edits its feed or erases, `shared` for whoever only must not meet an erasure half done. */
export async function lockHousehold(
  queries: Queries,
  household: string,
  how: 'shared' | 'exclusive',
): Promise<void> {
  const lock = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'
  await queries.query(`SELECT ${lock}(hashtextextended($1, 0))`, [household])
}

/** Every person of the household that is erased, for good. */
export async function erasedSubjects(queries: Queries, household: string): Promise<Set<string>> {
  const { rows } = await queries.query<{ subject: string }>(
    'SELECT subject FROM erasure WHERE household_id = $1 ORDER BY subject',
    [household],
  )
  return new Set(rows.map(({ subject }) => subject))
}

export type FeedBody = Entity | Consent | Erasure
export interface FeedEdit {
  kind: string
  id: string
  body: FeedBody
}

export function isFeedKind(kind: string): boolean {
  return kind === 'consent' || kind === 'calendar' || kind === 'person' || kind === 'group'
}

/** A hub's row as an edit of the feed; readings too far ahead of our clock are set to the latest one believed. */
export function editOf({ kind, key, body }: SyncRow, nowMs: number): FeedEdit | null {
  if (body === null) return null
  if (kind !== 'consent') return { kind, id: key, body: clamped(body as Entity, nowMs) }
  const consent = body as Consent
  const at = (hlc: string) => clampHlc(hlc, nowMs)
  const grant = consent.grant === null ? null : { ...consent.grant, granted: at(consent.grant.granted) }
  const revoked = consent.revoked === null ? null : at(consent.revoked)
  return { kind, id: key, body: { subject: consent.subject, grant, revoked } }
}

function clamped({ subject, fields }: Entity, nowMs: number): Entity {
  const names = Object.entries(fields)
  return {
    subject,
    fields: Object.fromEntries(names.map(([name, [value, hlc]]) => [name, [value, clampHlc(hlc, nowMs)]])),
  }
}

/** One body out of two of the same kind. */
export function mergeBodies(kind: string, one: FeedBody, other: FeedBody): FeedBody {
  if (kind === 'consent') return mergeConsent(one as Consent, other as Consent)
  if (kind === 'erasure') return mergeErasure(one as Erasure, other as Erasure)
  return mergeEntity(one as Entity, other as Entity)
}

/**
 * Merges edits into the feed. Rows that come out as they were are not written: what nobody changed travels to nobody. The caller
 * holds the household's exclusive lock.
 */
export async function mergeIntoFeed(
  queries: Queries,
  household: string,
  edits: readonly FeedEdit[],
  erased: ReadonlySet<string>,
): Promise<void> {
  if (edits.length === 0) return
  const stored = await feedRows(queries, household, edits)
  const changed = new Map<string, FeedEdit>()
  for (const { kind, id, body } of edits) {
    const name = `${kind} ${id}`
    const before = changed.get(name)?.body ?? stored.get(name)
    const merged = before ? mergeBodies(kind, before, body) : body
    const left = allowed(kind, merged, erased)
    if (left === null || (before && canonicalJson(before) === canonicalJson(left))) continue
    changed.set(name, { kind, id, body: left })
  }
  await writeFeed(queries, household, [...changed.values()])
}

function allowed(kind: string, body: FeedBody, erased: ReadonlySet<string>): FeedBody | null {
  if (kind === 'erasure') return body
  if (body.subject !== null && erased.has(body.subject)) return null
  return kind === 'consent' ? body : withoutErased(body as Entity, erased)
}

async function feedRows(queries: Queries, household: string, edits: readonly FeedEdit[]) {
  const { rows } = await queries.query<{ kind: string; id: string; body: FeedBody }>(
    `SELECT kind, id, body FROM household_feed
     WHERE household_id = $1 AND (kind, id) IN (SELECT * FROM unnest($2::text[], $3::text[])) ORDER BY kind, id`,
    [household, edits.map(({ kind }) => kind), edits.map(({ id }) => id)],
  )
  return new Map(rows.map(({ kind, id, body }) => [`${kind} ${id}`, body]))
}

async function writeFeed(queries: Queries, household: string, edits: readonly FeedEdit[]): Promise<void> {
  if (edits.length === 0) return
  await queries.query(
    `INSERT INTO household_feed AS t (household_id, kind, id, subject, hlc, body)
     SELECT $1, r.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) r
     ON CONFLICT (household_id, kind, id) DO UPDATE
       SET subject = excluded.subject, hlc = excluded.hlc, body = excluded.body`,
    [
      household,
      edits.map(({ kind }) => kind),
      edits.map(({ id }) => id),
      edits.map(({ body }) => body.subject),
      edits.map(({ kind, body }) => hlcOf(kind, body)),
      edits.map(({ body }) => canonicalJson(body)),
    ],
  )
}

function hlcOf(kind: string, body: FeedBody): string {
  if (kind === 'erasure') return ''
  if (kind !== 'consent') return latestEdit(body as Entity)
  const { grant, revoked } = body as Consent
  return revoked ?? grant?.granted ?? ''
}

const PURGED = [
  'rollup_hour',
  'rollup_day',
  ...BULK_TABLES,
  ...HAPPENING_TABLES,
  'other_row',
  'sync_quarantine',
] as const

/**
 * Erases a person: every row about them, every mention as a member, their key. What is left in write-ahead logs, backups and shape
 * logs was sealed with that key. The erasure itself stays in the feed for ever. The caller holds the household's exclusive lock.
 */
export async function erase(
  queries: Queries,
  household: string,
  erasure: Erasure,
  nowMs: number,
): Promise<void> {
  const { subject } = erasure
  await queries.query(
    `INSERT INTO erasure (household_id, subject, requested_at, requested_by, purged_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (household_id, subject) DO NOTHING`,
    [household, subject, erasure.requested_at, erasure.requested_by, nowMs],
  )
  for (const table of PURGED) {
    // Who has purged the person is told after their erasure, and must outlive it.
    if (table === 'erasure_done') continue
    await queries.query(`DELETE FROM ${table} WHERE household_id = $1 AND subject = $2`, [household, subject])
  }
  await queries.query('DELETE FROM vault.subject_key WHERE household_id = $1 AND subject = $2', [
    household,
    subject,
  ])
  await queries.query(
    `DELETE FROM household_feed WHERE household_id = $1 AND subject = $2 AND kind <> 'erasure'`,
    [household, subject],
  )
  await forgetMember(queries, household, subject)
  await queries.query('UPDATE household SET feed_generation = feed_generation + 1 WHERE id = $1', [household])
  await mergeIntoFeed(queries, household, [{ kind: 'erasure', id: subject, body: erasure }], new Set())
}

async function forgetMember(queries: Queries, household: string, subject: string): Promise<void> {
  const { rows } = await queries.query<{ kind: string; id: string; body: Entity }>(
    `SELECT kind, id, body FROM household_feed
     WHERE household_id = $1 AND body -> 'fields' ? ('member:' || $2) ORDER BY kind, id`,
    [household, subject],
  )
  const left = rows.flatMap(({ kind, id, body }) => {
    const without = withoutErased(body, new Set([subject]))
    return without ? [{ kind, id, body: without }] : []
  })
  await writeFeed(queries, household, left)
}
