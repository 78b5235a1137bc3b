import { systemClock } from '../kernel/clock.ts'
import { openForReading } from './database.ts'
import { createObservations } from './observations.ts'
import { createReader } from './reader.ts'
import type { Store, StoreLimits, StoreOptions } from './store.ts'
import { startThread } from './thread.ts'
import { createWriter } from './writer.ts'

const LIMITS: StoreLimits = { queuedRows: 100_000, commitCalls: 2000, commitRows: 20_000, openSeries: 4096 }

/**
 * Opens the database, creating and migrating it as needed, and starts its writer thread. Rejects with HubError: CONFLICT when
 * a newer program made the file, DISK_FULL, or INTERNAL when the file cannot be opened with the settings that promises rest on.
 */
export async function createStore({
  path,
  now,
  onFailure,
  clock = systemClock(),
  limits,
}: StoreOptions): Promise<Store> {
  const allLimits = { ...LIMITS, ...limits }
  const thread = await startThread({ path, openSeries: allLimits.openSeries })
  const connection = openForReading(path)
  const reader = createReader(connection)
  const writer = createWriter({ thread, now, clock, limits: allLimits, onFailure })
  let closing: Promise<void> | null = null
  return {
    all: reader.all,
    get: reader.get,
    write: (writes) => writer.run({ kind: 'write', writes }),
    observations: createObservations(reader, writer),
    onCommitted: writer.onCommitted,
    onRetracted: writer.onRetracted,
    rezone: async (personId) => void (await writer.run({ kind: 'rezone', personId })),
    upkeep: (limits) => writer.upkeep({ nowMs: now(), limits }),
    stats: writer.stats,
    close() {
      closing ??= writer.close().finally(() => connection.close())
      return closing
    },
  }
}
