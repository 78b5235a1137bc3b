import { rmSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Observation } from '../domain/observation.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Store } from './store.ts'

/**
 * How much room there is. `low`: only what is measured just now, alerts and what makes room is stored. `full`: the same, living on the room
 * of the reserve. `stuck`: not even that can be stored.
 */
export type DiskState = 'roomy' | 'low' | 'full' | 'stuck'

export interface DiskReport {
  state: DiskState
  freeBytes: number
  /** Room held back for the day when there is no other; 0 while it is given out. */
  reserveBytes: number
  /** Rows turned away for want of room since the start. */
  refusedRows: number
  /** Times that the reserve was given out since the start. */
  released: number
}

/** Keeps a full disk from stopping what matters: refuses bulk before SQLite fails, and holds a file that can be deleted, because deleting rows needs room too. */
export interface DiskGuard {
  report(): DiskReport
  /** The store with the guard before everything that writes. */
  guarded(store: Store): Store
  /** Looks now instead of at the next second. */
  look(): void
  stop(): void
}

export interface DiskGuardDeps {
  /** Where the reserve lies: on the disk of the database. */
  folder: string
  clock: Pick<Clock, 'now' | 'monotonic' | 'every' | 'after'>
  log: Log
  freeBytes: () => number
  /** SQLite found no room for a commit, and its callers wait. */
  stalled: () => boolean
  /** Called when room begins to run out: packs and deletes what may go. */
  makeRoom?: () => void
  sizes?: DiskSizes
}

export interface DiskSizes {
  reserveBytes: number
  /** Below this bulk is refused. */
  floorBytes: number
  /** Below this the reserve is given out. */
  hardBytes: number
}

const MIB = 1024 ** 2
export const DISK_SIZES: DiskSizes = { reserveBytes: 48 * MIB, floorBytes: 96 * MIB, hardBytes: 16 * MIB }

const LOOK_EVERY_MS = 1000
/** A start has other things to do than to write the reserve. */
const RESERVE_AFTER_MS = 90_000
/** So long there has to be room again before the reserve is filled anew. */
const CALM_MS = 60_000
/** The writer tries again every five seconds at the latest; after this the reserve did not help. */
const STUCK_AFTER_MS = 15_000
/** What is measured just now: a device that sends what it saw while it was away waits. */
const NEWEST_MS = 15 * 60_000
const NEWEST_ROWS = 500
const TRY_AGAIN_S = 30

export function createDiskGuard(deps: DiskGuardDeps): DiskGuard {
  const { folder, clock, log, freeBytes, stalled, makeRoom, sizes = DISK_SIZES } = deps
  const path = join(folder, 'reserve')
  const startedMs = clock.monotonic()
  let state: DiskState = 'roomy'
  let reserveBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  let refusedRows = 0
  let released = 0
  let stalledSinceMs: number | null = null
  let roomySinceMs = startedMs
  let filling = false
  let stopped = false

  function release(): void {
    if (reserveBytes === 0) return
    try {
      rmSync(path, { force: true })
      reserveBytes = 0
      released += 1
      log.warn('the disk is full: the reserve is given out')
    } catch (cause) {
      log.error({ reason: messageOf(cause) }, 'the reserve could not be deleted')
    }
  }

  function found(free: number): DiskState {
    if (stalledSinceMs !== null && clock.monotonic() - stalledSinceMs >= STUCK_AFTER_MS) return 'stuck'
    if (stalledSinceMs !== null || free < sizes.hardBytes) return 'full'
    // What was low is roomy again a little later, so that it does not change its mind every second.
    const floor = state === 'roomy' ? sizes.floorBytes : sizes.floorBytes * 1.25
    if (free >= floor) return 'roomy'
    return reserveBytes > 0 ? 'low' : 'full'
  }

  function look(): void {
    const free = freeBytes()
    stalledSinceMs = stalled() ? (stalledSinceMs ?? clock.monotonic()) : null
    if (stalledSinceMs !== null || free < sizes.hardBytes) release()
    const before = state
    state = found(free)
    if (state !== before) changed(before, free)
    if (state !== 'roomy') roomySinceMs = clock.monotonic()
    else if (mayFill(free)) void fill()
  }

  function changed(before: DiskState, free: number): void {
    if (state === 'roomy') log.info({ free }, 'there is room on the disk again')
    else log.warn({ state, free }, 'the disk is running out of room')
    if (before === 'roomy') makeRoom?.()
  }

  function mayFill(free: number): boolean {
    const nowMs = clock.monotonic()
    if (reserveBytes > 0 || filling || stopped) return false
    const isCalm = nowMs - startedMs >= RESERVE_AFTER_MS && nowMs - roomySinceMs >= CALM_MS
    return isCalm && free >= sizes.floorBytes * 1.25 + sizes.reserveBytes
  }

  async function fill(): Promise<void> {
    filling = true
    try {
      await writeReserve(path, sizes.reserveBytes, () => stopped)
      if (!stopped) reserveBytes = sizes.reserveBytes
    } catch (cause) {
      log.warn({ reason: messageOf(cause) }, 'no reserve could be put aside')
    } finally {
      filling = false
    }
  }

  const stopLooking = clock.every(LOOK_EVERY_MS, look)

  function refuseRows(rows: readonly Observation[]): HubError | null {
    if (state === 'roomy') return null
    const oldestMs = clock.now() - NEWEST_MS
    const isNewest = rows.length <= NEWEST_ROWS && rows.every(({ atMs }) => atMs >= oldestMs)
    if (state !== 'stuck' && isNewest) return null
    refusedRows += rows.length
    return diskFull()
  }

  return {
    report: () => ({ state, freeBytes: freeBytes(), reserveBytes, refusedRows, released }),
    guarded: (store) => ({
      ...store,
      observations: {
        ...store.observations,
        append(rows) {
          const refusal = refuseRows(rows)
          return refusal ? Promise.reject(refusal) : store.observations.append(rows)
        },
      },
      write: (unit) => (state === 'stuck' ? Promise.reject(diskFull()) : store.write(unit)),
    }),
    look,
    stop() {
      stopped = true
      stopLooking()
    },
  }
}

function diskFull(): HubError {
  return new HubError(
    'DISK_FULL',
    'The disk of the hub has no room for this. Make room, or wait until the hub has; then send it again.',
    { retryAfterS: TRY_AGAIN_S },
  )
}

/** Real bytes, because a file of holes takes no room that could be given back. */
async function writeReserve(path: string, bytes: number, isStopped: () => boolean): Promise<void> {
  const partial = `${path}.partial`
  const file = await open(partial, 'w', 0o600)
  const block = Buffer.alloc(MIB, 'homefield')
  try {
    for (let written = 0; written < bytes && !isStopped(); written += block.length)
      await file.write(block, 0, Math.min(block.length, bytes - written))
    await file.sync()
  } catch (cause) {
    await rm(partial, { force: true })
    throw cause
  } finally {
    await file.close()
  }
  if (isStopped()) await rm(partial, { force: true })
  else await rename(partial, path)
}
