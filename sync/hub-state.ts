/** What the hub knows about itself and its lanes, in its own database. */

import type { HubSeals, HubStore, Statement } from './ports.ts'
import { LANE_OF, LANES, type Lane, type RowKind } from './rows.ts'
import { SUBJECT_KEY_BYTES } from './seal.ts'
import { type SigningKey, signingKeyOf } from './signing.ts'

export interface HubIdentity {
  hubId: string
  householdId: string
  householdName: string
  address: string
  serverKey: string
  epoch: number
  enrolledAtMs: number
  paused: boolean
  stopped: string | null
  hlc: string | null
  stampedSeq: number
  shapeHandle: string | null
  shapeOffset: string | null
  pulledAtMs: number | null
  conflicts: number
}

export interface LaneState {
  lane: Lane
  acked: number
  token: string | null
  pushedAtMs: number | null
  rows: number
  bytes: number
  day: number
  dayBytes: number
  /** Entries up to here are gone from the feed. */
  pruned: number
}

export interface FeedEntry {
  seq: number
  kind: string
  key: string
}

export const DAY_MS = 86_400_000
const KEY_OWNER = 'hub'
const IDENTITY = `SELECT hub_id AS hubId, household_id AS householdId, household_name AS householdName, address,
    server_key AS serverKey, epoch, enrolled_at AS enrolledAtMs, paused, stopped, hlc, stamped_seq AS stampedSeq,
    shape_handle AS shapeHandle, shape_offset AS shapeOffset, pulled_at AS pulledAtMs, conflicts
  FROM sync_hub`
const LANE = `SELECT lane, acked, token, pushed_at AS pushedAtMs, rows, bytes, day, day_bytes AS dayBytes, pruned
  FROM sync_lane WHERE lane = :lane`

export interface SyncState {
  identity(): HubIdentity | null
  key(): SigningKey | null
  lane(lane: Lane): LaneState
  /** Entries behind what is acknowledged. */
  waiting(lane: Lane, limit: number): FeedEntry[]
  depth(lane: Lane): number
  /** Whether an entry of that kind is not acknowledged yet. */
  waits(kind: RowKind): boolean
  /** Greatest number ever given. */
  maxSeq(): number
  /** What a person's values are sealed with; null where there is no key, or none any more. */
  subjectKey(subject: string): Buffer | null
  /** The same key, and behind it those that values from before are opened with. */
  subjectKeys(subject: string): readonly Buffer[]
  erased(): ReadonlySet<string>
  /** The first one is what is sealed with from now on. */
  planSubjectKeys(subject: string, keys: readonly Uint8Array[]): Statement
  planIdentity(identity: HubIdentity, key: SigningKey): Statement[]
  /** Everything about the household in the cloud is forgotten here. */
  planLeave(): Statement[]
}

export function createSyncState({ store, seals }: { store: HubStore; seals: HubSeals }): SyncState {
  function subjectKeys(subject: string): Buffer[] {
    const sql = 'SELECT sealed_key AS sealed FROM sync_subject WHERE subject = :subject AND erased_at IS NULL'
    const row = store.get<{ sealed: Uint8Array | null }>(sql, { subject })
    const texts = row?.sealed ? seals.open(subject, row.sealed) : null
    return (Array.isArray(texts) ? texts : [texts])
      .filter((text) => typeof text === 'string')
      .map((text) => Buffer.from(text, 'base64'))
      .filter(({ length }) => length === SUBJECT_KEY_BYTES)
  }
  return {
    identity() {
      const row = store.get<Omit<HubIdentity, 'paused'> & { paused: number }>(IDENTITY)
      return row ? { ...row, paused: row.paused === 1 } : null
    },
    key() {
      const row = store.get<{ sealed: Uint8Array }>('SELECT sealed_key AS sealed FROM sync_hub')
      const pem = row ? seals.open(KEY_OWNER, row.sealed) : null
      return typeof pem === 'string' ? signingKeyOf(pem) : null
    },
    lane(lane) {
      const fresh = {
        acked: 0,
        token: null,
        pushedAtMs: null,
        rows: 0,
        bytes: 0,
        day: 0,
        dayBytes: 0,
        pruned: 0,
      }
      return store.get<LaneState>(LANE, { lane }) ?? { lane, ...fresh }
    },
    waiting: (lane, limit) =>
      store.all<FeedEntry>(
        `SELECT seq, kind, key FROM sync_feed
         WHERE lane = :lane AND seq > coalesce((SELECT acked FROM sync_lane WHERE lane = :lane), 0) ORDER BY seq LIMIT :limit`,
        { lane, limit },
      ),
    depth: (lane) =>
      store.get<{ depth: number }>(
        `SELECT count(*) AS depth FROM sync_feed
         WHERE lane = :lane AND seq > coalesce((SELECT acked FROM sync_lane WHERE lane = :lane), 0)`,
        { lane },
      )?.depth ?? 0,
    waits: (kind) =>
      store.get(
        `SELECT 1 FROM sync_feed
         WHERE kind = :kind AND lane = :lane AND seq > coalesce((SELECT acked FROM sync_lane WHERE lane = :lane), 0) LIMIT 1`,
        { kind, lane: LANE_OF[kind] },
      ) !== undefined,
    maxSeq: () =>
      store.get<{ seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'sync_feed'`)?.seq ?? 0,
    subjectKey: (subject) => subjectKeys(subject)[0] ?? null,
    subjectKeys,
    erased: () =>
      new Set(
        store
          .all<{ subject: string }>(
            `SELECT subject FROM sync_subject WHERE erased_at IS NOT NULL UNION SELECT person_id FROM erasures`,
          )
          .map(({ subject }) => subject),
      ),
    planSubjectKeys: (subject, keys) => ({
      sql: `INSERT INTO sync_subject (subject, sealed_key) VALUES (:subject, :sealed)
        ON CONFLICT (subject) DO UPDATE SET sealed_key = excluded.sealed_key WHERE erased_at IS NULL`,
      params: {
        subject,
        sealed: seals.close(
          subject,
          keys.map((key) => Buffer.from(key).toString('base64')),
        ),
      },
    }),
    planIdentity: (identity, key) => [
      {
        sql: `INSERT INTO sync_hub (one, hub_id, household_id, household_name, address, server_key, sealed_key, epoch, enrolled_at)
          VALUES (1, :hubId, :householdId, :householdName, :address, :serverKey, :sealed, :epoch, :enrolledAtMs)`,
        params: {
          hubId: identity.hubId,
          householdId: identity.householdId,
          householdName: identity.householdName,
          address: identity.address,
          serverKey: identity.serverKey,
          sealed: seals.close(KEY_OWNER, key.pem),
          epoch: identity.epoch,
          enrolledAtMs: identity.enrolledAtMs,
        },
      },
      ...LANES.map((lane) => ({ sql: 'INSERT INTO sync_lane (lane) VALUES (:lane)', params: { lane } })),
    ],
    planLeave: () =>
      // Erasures stay: they only ever grow.
      [
        'DELETE FROM sync_hub',
        'DELETE FROM sync_lane',
        'DELETE FROM sync_mark',
        'DELETE FROM sync_feed',
        'DELETE FROM sync_later',
        'DELETE FROM sync_choice',
        'DELETE FROM sync_entity',
        'DELETE FROM sync_incoming',
        'DELETE FROM sync_job',
        'DELETE FROM sync_gap',
        'DELETE FROM sync_aside',
        'DELETE FROM sync_subject WHERE erased_at IS NULL',
      ].map((sql) => ({ sql })),
  }
}

/** Puts keys at the end of the feed, as the triggers do. */
export function planFeed(lane: Lane, kind: string, key: string): Statement[] {
  return [
    { sql: 'DELETE FROM sync_feed WHERE kind = :kind AND key = :key', params: { kind, key } },
    {
      sql: 'INSERT INTO sync_feed (lane, kind, key) VALUES (:lane, :kind, :key)',
      params: { lane, kind, key },
    },
  ]
}

/** The same for whatever a SELECT with the column `key` finds. */
export function planFeedAll(
  lane: Lane,
  kind: string,
  select: string,
  params: Statement['params'] = {},
): Statement[] {
  return [
    {
      sql: `DELETE FROM sync_feed WHERE kind = :kind AND key IN (SELECT key FROM (${select}))`,
      params: { ...params, kind },
    },
    {
      sql: `INSERT INTO sync_feed (lane, kind, key) SELECT :lane, :kind, key FROM (${select})`,
      params: { ...params, lane, kind },
    },
  ]
}
