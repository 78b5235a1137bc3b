import { METRICS } from '../domain/metric.ts'
import type { Observation, StoredObservation } from '../domain/observation.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { TrustedClock } from '../kernel/trusted-clock.ts'
import { startOf } from './rollup-rows.ts'
import { DAY_MS } from './sealed-days.ts'
import type { Page, Store } from './store.ts'

/** Marks what was dated by a clock that nobody trusts, and dates it anew once the time is known. */
export interface Redating {
  /** The store with the mark on every value that the hub's clock dated meanwhile. */
  marked(store: Store): Store
  stats(): { marked: number; moved: number }
  stop(): void
}

export interface RedatingDeps {
  /** The store beneath. */
  store: Store
  clock: TrustedClock & Pick<Clock, 'every'>
  log: Log
  /** Of this start: what an earlier one marked cannot be dated any better and keeps its mark. */
  startId: string
}

/** A value that lies this near to the clock has its time from it, or from a device that has its own from it. */
const NEAR_MS = 10 * 60_000
const AT_ONCE = 500
const PAGE = 5000
const KEEP_EVERY_MS = 3_600_000
const KNOWN = `INSERT INTO meta (name, value) VALUES ('clock_known_at', :value) ON CONFLICT (name) DO UPDATE SET value = :value`

/** When this hub last knew the time: no true clock stands before it. */
export function clockKnownAt(store: Pick<Store, 'get'>): number | null {
  const row = store.get<{ value: string }>(`SELECT value FROM meta WHERE name = 'clock_known_at'`)
  return row === undefined ? null : Number(row.value)
}

export function createRedating({ store, clock, log, startId }: RedatingDeps): Redating {
  const stats = { marked: 0, moved: 0 }
  /** Where the values of a stretch lie. */
  const spans = new Map<string, { fromMs: number; toMs: number }>()
  let moving = Promise.resolve()

  function mark(rows: readonly Observation[], stretch: number): Observation[] {
    const nowMs = clock.now()
    const name = `${startId} ${stretch}`
    return rows.map((row) => {
      if (Math.abs(row.atMs - nowMs) > NEAR_MS) return row
      const span = spans.get(name) ?? { fromMs: row.atMs, toMs: row.atMs }
      spans.set(name, { fromMs: Math.min(span.fromMs, row.atMs), toMs: Math.max(span.toMs, row.atMs) })
      stats.marked += 1
      return { ...row, extra: { ...row.extra, hub_clock: name } }
    })
  }

  async function redate(name: string, byMs: number): Promise<void> {
    const span = spans.get(name)
    spans.delete(name)
    if (span === undefined) return
    const before = stats.moved
    const persons = store.all<{ id: string }>('SELECT id FROM person WHERE deleted_at IS NULL ORDER BY key')
    for (const { id: personId } of persons)
      for (const { name: metric } of METRICS) await redateSeries({ personId, metric, ...span }, name, byMs)
    log.info({ values: stats.moved - before, byMs }, 'the time is known: values were dated anew')
  }

  async function redateSeries(
    of: { personId: string; metric: string; fromMs: number; toMs: number },
    name: string,
    byMs: number,
  ): Promise<void> {
    // Those go first that nobody stands in the way of.
    const days: number[] = []
    for (let dayMs = startOf(of.fromMs, DAY_MS); dayMs <= of.toMs; dayMs += DAY_MS) days.push(dayMs)
    if (byMs > 0) days.reverse()
    for (const dayMs of days) {
      const rows = await markedIn({ ...of, fromMs: dayMs, toMs: dayMs + DAY_MS }, name)
      if (byMs > 0) rows.reverse()
      for (let at = 0; at < rows.length; at += AT_ONCE) {
        const moved = rows.slice(at, at + AT_ONCE).map(({ personId, deviceId, metric, atMs, extra }) => ({
          ...{ personId, deviceId, metric, atMs },
          extra: { ...extra, hub_clock: 'dated anew' },
        }))
        stats.moved += await store.observations.move(moved, byMs)
      }
    }
  }

  async function markedIn(
    of: { personId: string; metric: string; fromMs: number; toMs: number },
    name: string,
  ): Promise<StoredObservation[]> {
    const rows: StoredObservation[] = []
    for (let fromMs: number | null = of.fromMs; fromMs !== null; ) {
      const page: Page<StoredObservation> = await store.observations.range({ ...of, fromMs, limit: PAGE })
      rows.push(...page.points.filter(({ extra }) => extra?.['hub_clock'] === name))
      fromMs = page.nextFromMs
    }
    return rows
  }

  const keepKnown = () => {
    if (clock.stretch() !== null) return
    const writes = [{ sql: KNOWN, params: { value: String(clock.now()) } }]
    store
      .write(writes)
      .catch((cause: unknown) => log.warn({ reason: messageOf(cause) }, 'the time is not kept'))
  }
  const stops = [
    clock.every(KEEP_EVERY_MS, keepKnown),
    clock.onLearnt(({ stretch, byMs }) => {
      moving = moving
        .then(() => redate(`${startId} ${stretch}`, byMs))
        .catch((cause: unknown) => log.error({ reason: messageOf(cause) }, 'values keep a guessed time'))
    }),
  ]

  return {
    marked: (over) => ({
      ...over,
      observations: {
        ...over.observations,
        append(rows) {
          const stretch = clock.stretch()
          return over.observations.append(stretch === null ? rows : mark(rows, stretch))
        },
      },
    }),
    stats: () => ({ ...stats }),
    stop() {
      for (const stop of stops) stop()
    },
  }
}
