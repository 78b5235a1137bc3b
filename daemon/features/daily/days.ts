/** Rows of days, kept as long as nothing under them changes: a late reading throws away its own day and no other. */
import { COUNT_MAX_MS } from '../../domain/counts.ts'
import { RIVAL_MARGIN_MS } from '../../domain/rivals.ts'
import { localDay } from '../../domain/zone.ts'
import type { Sources } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'
import { COUNTS } from './counts.ts'
import { type GatherDeps, gatherRows, METRICS_OF_A_DAY, OVERLAP_MS } from './gather.ts'
import type { DailyRow } from './row.ts'

export interface Days {
  /** One row for each of consecutive local days. */
  rows(personId: string, dates: readonly string[]): Promise<DailyRow[]>
  stop(): void
}

export interface DaysDeps extends GatherDeps {
  store: Pick<Store, 'observations' | 'onCommitted' | 'onRetracted' | 'get'>
  sources: Pick<Sources, 'ranks' | 'rankVersion'>
  zoneOf: (personId: string) => string
  onRecordsChanged: (
    listener: (changed: { personId: string; dayMs: readonly number[] }) => void,
  ) => () => void
}

/** What began on one day may count on the next too. */
const COUNTED: ReadonlySet<string> = new Set(COUNTS)

interface Kept {
  /** Zone and ranks that the rows were made in. */
  terms: string
  rows: Map<string, DailyRow>
  /** Grows with every change of the person's data; what was read before one is not kept. */
  changes: number
}

/** Rows of about 1 KB; beyond it the person asked for longest ago starts over. */
const ROWS_KEPT = 20_000
/** The zone that stored days are cut in; while a person moves it is not the one that the rows are asked in. */
const CUT_IN = `SELECT z.zone FROM rollup_zone z JOIN person p ON p.key = z.person WHERE p.id = :personId`

export function createDays(deps: DaysDeps): Days {
  const { store, sources, zoneOf } = deps
  const kept = new Map<string, Kept>()

  function of(personId: string): Kept {
    const terms = JSON.stringify([zoneOf(personId), sources.rankVersion()])
    const known = kept.get(personId)
    const current = known?.terms === terms ? known : { terms, rows: new Map(), changes: 0 }
    kept.delete(personId)
    kept.set(personId, current)
    return current
  }

  function forget(personId: string, fromMs: number, toMs: number): void {
    const current = kept.get(personId)
    if (!current) return
    current.changes += 1
    const zone = zoneOf(personId)
    const [first, last] = [localDay(fromMs, zone), localDay(toMs, zone)]
    if (first === last) current.rows.delete(first)
    else for (const date of current.rows.keys()) if (date >= first && date <= last) current.rows.delete(date)
  }

  function note(values: readonly { personId: string; metric: string; atMs: number }[]): void {
    for (const { personId, metric, atMs } of values) {
      if (!kept.has(personId) || !METRICS_OF_A_DAY.has(metric)) continue
      // A reading silences rivals on the other side of midnight.
      const reachMs = metric === 'glucose' ? RIVAL_MARGIN_MS : 0
      forget(personId, atMs - reachMs, atMs + (COUNTED.has(metric) ? COUNT_MAX_MS : reachMs))
    }
  }

  function keep(current: Kept, changes: number, personId: string, rows: readonly DailyRow[]): void {
    if (current.changes !== changes || kept.get(personId) !== current) return
    const cut = store.get<{ zone: string }>(CUT_IN, { personId })?.zone
    if (cut !== undefined && cut !== zoneOf(personId)) return
    for (const row of rows) current.rows.set(row.date, row)
    let count = [...kept.values()].reduce((sum, one) => sum + one.rows.size, 0)
    for (const one of kept.values()) {
      if (count <= ROWS_KEPT) break
      count -= one.rows.size
      one.rows.clear()
    }
  }

  const stops = [
    store.onCommitted(note),
    store.onRetracted(note),
    deps.onRecordsChanged(({ personId, dayMs }) => {
      for (const atMs of dayMs) forget(personId, atMs - OVERLAP_MS, atMs + OVERLAP_MS)
    }),
  ]

  return {
    async rows(personId, dates) {
      const current = of(personId)
      const { changes } = current
      const known = new Map(current.rows)
      const missing = dates.filter((date) => !known.has(date))
      const made = new Map<string, DailyRow>()
      for (const stretch of consecutive(missing)) {
        const rows = await gatherRows({ personId, zone: zoneOf(personId), dates: stretch }, deps)
        for (const row of rows) made.set(row.date, row)
      }
      keep(current, changes, personId, [...made.values()])
      return dates.flatMap((date) => made.get(date) ?? known.get(date) ?? [])
    },
    stop() {
      for (const stop of stops) stop()
    },
  }
}

/** Runs of days without a hole. */
function consecutive(dates: readonly string[]): string[][] {
  const runs: string[][] = []
  for (const date of dates) {
    const run = runs.at(-1)
    if (run && Date.parse(date) - Date.parse(run.at(-1) ?? date) === 86_400_000) run.push(date)
    else runs.push([date])
  }
  return runs
}
