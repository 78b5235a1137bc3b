import { createLatencyCounter } from './latency.ts'
import type { Committed } from './protocol.ts'
import type { StoreStats } from './store.ts'
import type { UpkeepDone } from './upkeep-order.ts'

/** The numbers behind `stats()`. */
export function createCounters() {
  const commit = createLatencyCounter()
  const sync = createLatencyCounter()
  const acknowledge = createLatencyCounter()
  let last: Committed['gauges'] = {
    batchMs: 0,
    syncMs: 0,
    bytesWritten: null,
    openSeries: 0,
    dueHours: 0,
    closedRows: 0,
  }
  let commits = 0
  const upkeep = { sealedRows: 0, sealedBytes: 0, rounds: 0, failures: 0 }
  const counters = {
    rows: 0,
    duplicates: 0,
    revised: 0,
    refused: 0,
    overloaded: 0,
    retries: 0,
    diskFull: false,
    listenerFailures: 0,
    acknowledge,
    /** Commits without callers only tidy up: they are no measure of the disk. */
    committed({ gauges }: Committed, callers: number): void {
      last = gauges
      if (callers === 0) return
      commits += 1
      commit.count(gauges.batchMs)
      sync.count(gauges.syncMs)
    },
    /** Null for a round that failed. */
    upkept(done: UpkeepDone | null): void {
      upkeep.rounds += 1
      upkeep.failures += done ? 0 : 1
      upkeep.sealedRows += done?.sealed.rows ?? 0
      upkeep.sealedBytes += done?.sealed.bytes ?? 0
    },
    read(queued: number): StoreStats {
      const { rows, duplicates, revised, refused, overloaded, retries, diskFull, listenerFailures } = counters
      return {
        queued,
        commits,
        rows,
        duplicates,
        revised,
        refused,
        overloaded,
        retries,
        diskFull,
        listenerFailures,
        lastCommitMs: last.batchMs,
        commitLatency: commit.read(),
        syncLatency: sync.read(),
        acknowledgeLatency: acknowledge.read(),
        bytesWritten: last.bytesWritten,
        openSeries: last.openSeries,
        dueHours: last.dueHours,
        closedRows: last.closedRows,
        upkeep: { ...upkeep },
      }
    },
  }
  return counters
}
