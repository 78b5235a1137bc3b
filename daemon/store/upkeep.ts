import type Database from 'better-sqlite3'
import type { LettingGo } from './letting-go.ts'
import type { Sealing } from './sealing.ts'
import type { UpkeepDone, UpkeepOrder } from './upkeep-order.ts'

export interface Upkeep {
  /** Each `next()` is one short step. */
  run(order: UpkeepOrder): Generator<void, UpkeepDone>
}

export interface UpkeepDeps {
  db: Database.Database
  sealing: Sealing
  lettingGo: LettingGo
}

/** Free room that stays in the file: tomorrow's values go there without making it grow again. */
const SPARE_BYTES = 4 * 1024 ** 2
const SPARE_SHARE = 0.05
const STEP_PAGES = 25

export function createUpkeep({ db, sealing, lettingGo }: UpkeepDeps): Upkeep {
  const pragma = (name: string) => Number(db.pragma(name, { simple: true }))

  function* giveBack(): Generator<void, number> {
    const pageBytes = pragma('page_size')
    const before = pragma('page_count')
    for (;;) {
      const [pages, free] = [pragma('page_count'), pragma('freelist_count')]
      if (free <= Math.max(SPARE_BYTES / pageBytes, pages * SPARE_SHARE)) break
      db.pragma(`incremental_vacuum(${STEP_PAGES})`)
      // A file that was made without it cannot shrink.
      if (pragma('freelist_count') >= free) break
      yield
    }
    return (before - pragma('page_count')) * pageBytes
  }

  /** What was erased must not stay readable in the log. Where somebody reads just now the next round does it. */
  function truncateLog(): void {
    const waitMs = pragma('busy_timeout')
    db.pragma('busy_timeout = 0')
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.pragma(`busy_timeout = ${waitMs}`)
  }

  return {
    *run({ nowMs, limits }) {
      const sealed = yield* sealing.seal(nowMs)
      const letGo = limits === null ? null : yield* lettingGo.letGo(limits, nowMs)
      const freedBytes = yield* giveBack()
      truncateLog()
      return { sealed, letGo, freedBytes }
    },
  }
}
