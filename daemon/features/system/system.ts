import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Type } from 'typebox'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { diskEncryption } from '../../kernel/disk-encryption.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import type { TrustedClock } from '../../kernel/trusted-clock.ts'
import type { DiskGuard } from '../../store/disk-guard.ts'
import type { ToldRecovery } from '../../store/recovery-note.ts'
import type { SnapshotState, Snapshots } from '../../store/snapshots.ts'
import type { WriteLog } from '../../store/write-log.ts'
import { routeSupport, type SupportDeps } from './support.ts'
import { cardHealth, daysLeft, type RoomThen, yearsOfCard } from './wear.ts'

/** A trial in which the newest copies were restored beside the hub. */
export interface DrilledCopies {
  atMs: number
  snapshotAtMs: number | null
  persons: number | null
  values: number | null
  backupAtMs: number | null
  problem: string | null
}

export interface SystemDeps extends SupportDeps {
  hubId: string
  /** Path of the database. */
  database: string
  snapshots: Pick<Snapshots, 'take' | 'state'>
  recovery: { read(): ToldRecovery | null; dismiss(): Promise<void> }
  /** Since the program started; null where the kernel does not count. */
  bytesWritten: () => number | null
  disk: Pick<DiskGuard, 'report'>
  clock: Pick<TrustedClock, 'state' | 'jumps'> & { moved(): number }
  writeLog: Pick<WriteLog, 'bytesADay' | 'days'>
  /** What the last trial of the copies found; null before the first. */
  drilled: () => DrilledCopies | null
  /** The listener without TLS for uploaders; null while it is shut. */
  plainUploads: () => { port: number; expiresAtMs: number } | null
}

const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()])
const Snapshot = Type.Object({
  newest_at: Maybe(Timestamp),
  bytes: Type.Integer(),
  problem: Maybe(Type.String()),
})
const Drilled = Type.Object({
  at: Timestamp,
  snapshot_at: Maybe(Timestamp),
  persons: Maybe(Type.Integer()),
  values: Maybe(Type.Integer()),
  backup_at: Maybe(Timestamp),
  problem: Maybe(Type.String()),
})
const Recovered = Type.Object({
  at: Timestamp,
  reason: Type.String(),
  snapshot_at: Timestamp,
  damaged_file_kept: Type.Boolean(),
  values_read_from_it: Maybe(Type.Integer()),
  hours_lost: Maybe(Type.Integer()),
})
const System = Type.Object({
  version: Type.String(),
  hub_id: Type.String(),
  node: Type.String(),
  started_at: Timestamp,
  memory_bytes: Type.Integer(),
  parts: Type.Array(
    Type.Object({
      name: Type.String(),
      state: Type.Enum(['up', 'starting', 'degraded', 'down']),
      detail: Maybe(Type.String()),
    }),
  ),
  storage: Type.Object({
    database_bytes: Type.Integer(),
    /** Null where the system does not say. */
    disk_encrypted: Maybe(Type.Boolean()),
    free_bytes: Type.Integer(),
    total_bytes: Type.Integer(),
    /** Until the disk is full, if room goes as in the last week; null where it does not get less. */
    days_left: Maybe(Type.Integer()),
    written_bytes: Maybe(Type.Integer()),
    /** What the hub writes in a day, all its files counted, and the last days one by one. */
    written_a_day_bytes: Maybe(Type.Integer()),
    written_days: Type.Array(
      Type.Object({ day: Timestamp, bytes: Type.Integer(), counted_share: Type.Number() }),
    ),
    card_years: Maybe(Type.Number()),
    room: Type.Object({
      state: Type.Enum(['roomy', 'low', 'full', 'stuck']),
      reserve_bytes: Type.Integer(),
      refused_rows: Type.Integer(),
    }),
    card_used_share: Maybe(Type.Number()),
    card_reason: Maybe(Type.String()),
    snapshots: Snapshot,
    /** The newest copies restored beside the hub, once a month; null before the first time. */
    restore_drill: Maybe(Drilled),
  }),
  clock: Type.Object({
    state: Type.Enum(['unset', 'guessed', 'set']),
    jumps: Type.Array(Type.Object({ at: Timestamp, by_ms: Type.Integer() })),
    /** Values that were dated anew when the time became known, since the start. */
    moved_values: Type.Integer(),
  }),
  recovered: Maybe(Recovered),
  plain_uploads: Maybe(Type.Object({ port: Type.Integer(), expires_at: Timestamp })),
})

const OWNERS: Policy = { access: 'signed-in', roles: ['owner'] }
const TAGS = ['hub']

/** The box itself, for its owner: room, wear, copies of the database, and whether it had to be brought back from one. */
export function createSystem(deps: SystemDeps): Feature {
  return {
    name: 'system',
    routes(http) {
      routeSystem(http, deps)
      routeSnapshot(http, deps)
      routeDismiss(http, deps)
      routeSupport(http, deps)
    },
  }
}

function routeSystem(http: Http, deps: SystemDeps): void {
  const { version, hubId, now, database, startedAtMs, snapshots, recovery, bytesWritten } = deps
  const { disk, writeLog } = deps
  http.get(
    '/system',
    {
      config: { policy: OWNERS },
      schema: { tags: TAGS, summary: 'Room, wear and copies of the database', response: { 200: Ok(System) } },
    },
    async () => {
      const { bavail, blocks, bsize } = statfsSync(dirname(database))
      const { usedShare, reason } = cardHealth()
      const { state, reserveBytes, refusedRows } = disk.report()
      const bytesADay = writeLog.bytesADay()
      return ok(now(), {
        version,
        hub_id: hubId,
        node: process.version,
        started_at: iso(startedAtMs),
        memory_bytes: process.memoryUsage.rss(),
        parts: deps.parts().map((part) => ({ ...part })),
        storage: {
          disk_encrypted: diskEncryption(dirname(database)),
          // What was committed lately lies in the log beside it.
          database_bytes: sizeOf(database) + sizeOf(`${database}-wal`),
          free_bytes: bavail * bsize,
          total_bytes: blocks * bsize,
          days_left: daysLeft(roomBefore(writeLog, now()), { atMs: now(), freeBytes: bavail * bsize }),
          written_bytes: bytesWritten(),
          written_a_day_bytes: bytesADay,
          written_days: writeLog
            .days()
            .map(({ dayMs, bytes, share }) => ({ day: iso(dayMs), bytes, counted_share: share })),
          card_years: yearsOfCard(blocks * bsize, bytesADay),
          room: { state, reserve_bytes: reserveBytes, refused_rows: refusedRows },
          card_used_share: usedShare,
          card_reason: reason,
          snapshots: snapshotJson(snapshots.state()),
          restore_drill: drilledJson(deps.drilled()),
        },
        clock: {
          state: deps.clock.state(),
          jumps: deps.clock.jumps().map(({ atMs, byMs }) => ({ at: iso(atMs), by_ms: byMs })),
          moved_values: deps.clock.moved(),
        },
        recovered: recoveredJson(recovery.read()),
        plain_uploads: plainJson(deps.plainUploads()),
      })
    },
  )
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** What present means: the last week or what is known of it. */
const PRESENT_MS = 8 * 86_400_000

function roomBefore({ days }: SystemDeps['writeLog'], nowMs: number): RoomThen | undefined {
  for (const { freeBytes, countedAtMs } of days()) {
    if (countedAtMs === undefined || countedAtMs < nowMs - PRESENT_MS) continue
    if (typeof freeBytes === 'number') return { atMs: countedAtMs, freeBytes }
  }
  return undefined
}

function plainJson(open: ReturnType<SystemDeps['plainUploads']>) {
  return open && { port: open.port, expires_at: iso(open.expiresAtMs) }
}

function routeSnapshot(http: Http, { now, snapshots }: SystemDeps): void {
  http.post(
    '/system/snapshots',
    {
      config: { policy: OWNERS },
      schema: {
        tags: TAGS,
        summary: 'Copies the database now; `problem` says why it could not',
        response: { 200: Ok(Snapshot) },
      },
    },
    async () => ok(now(), snapshotJson(await snapshots.take())),
  )
}

function routeDismiss(http: Http, { now, recovery }: SystemDeps): void {
  http.delete(
    '/system/recovered',
    {
      config: { policy: OWNERS },
      schema: {
        tags: TAGS,
        summary: 'The note about a database that was brought back has been read',
        response: { 200: Ok(Type.Object({})) },
      },
    },
    async () => {
      await recovery.dismiss()
      return ok(now(), {})
    },
  )
}

function snapshotJson({ newestAtMs, bytes, problem }: SnapshotState) {
  return { newest_at: newestAtMs === null ? null : iso(newestAtMs), bytes, problem }
}

function drilledJson(drilled: DrilledCopies | null) {
  if (drilled === null) return null
  const { atMs, snapshotAtMs, persons, values, backupAtMs, problem } = drilled
  const at = (ms: number | null) => (ms === null ? null : iso(ms))
  return { at: iso(atMs), snapshot_at: at(snapshotAtMs), persons, values, backup_at: at(backupAtMs), problem }
}

function recoveredJson(told: ToldRecovery | null) {
  if (told === null) return null
  return {
    at: iso(told.atMs),
    reason: told.reason,
    snapshot_at: iso(told.snapshotAtMs),
    damaged_file_kept: told.damagedPath !== null,
    values_read_from_it: told.salvage?.read ?? null,
    hours_lost: told.salvage?.lostHours ?? null,
  }
}
