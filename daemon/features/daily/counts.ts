/** Steps, energy and distance of local days: what a phone and a watch both counted counts once, and who counted is said. */
import { setImmediate } from 'node:timers/promises'
import { COUNT_MAX_MS, type Counted, leadingCounts, type QuarterCount } from '../../domain/counts.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import type { RankOf } from '../../domain/rivals.ts'
import { dayBounds } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

export const COUNTS = ['steps', 'active_energy', 'distance'] as const
export type CountMetric = (typeof COUNTS)[number]

/** How much of a day's count came from whom. */
export interface CountShare {
  source: string
  device: string
  value: number
}

export interface DayCount {
  value: number
  from: CountShare[]
}

interface Window {
  personId: string
  fromMs: number
  toMs: number
}

const DAY_MS = 86_400_000
const STEP_MS = 7 * DAY_MS
const ROWS_AT_ONCE = 50_000
const ROWS_MAX = 1_000_000
const QUARTERS_A_DAY = 100

/** A metric's count of each day that has one, by date. Values older than the raw ones are taken from the quarter hours kept of them. */
export async function countsOf(
  metric: CountMetric,
  { window, dates, dayOf }: { window: Window; dates: readonly string[]; dayOf: (atMs: number) => string },
  { store, rankOf, zone }: { store: Pick<Store, 'observations'>; rankOf: RankOf; zone: string },
): Promise<Map<string, DayCount>> {
  const samples = await samplesOf(metric, window, store)
  const within = ({ atMs }: { atMs: number }) => atMs >= window.fromMs && atMs < window.toMs
  const days = totals(leadingCounts(samples, rankOf).filter(within), dayOf, metric)
  const [first, ...others] = dates.filter((date) => !days.has(date))
  if (first === undefined) return days
  const { fromMs } = dayBounds(first, zone)
  const { toMs } = dayBounds(others.at(-1) ?? first, zone)
  const limit = QUARTERS_A_DAY * (others.length + 1) + QUARTERS_A_DAY * dates.length
  const { points } = await store.observations.level({ ...window, fromMs, toMs, metric, level: '15m', limit })
  const sealed = new Map<string, number>()
  for (const { atMs, mean, count } of points) {
    const date = dayOf(atMs)
    if (!days.has(date)) sealed.set(date, (sealed.get(date) ?? 0) + mean * count)
  }
  for (const [date, value] of sealed) days.set(date, { value: rounded(value, metric), from: [] })
  return days
}

async function samplesOf(metric: CountMetric, window: Window, store: Pick<Store, 'observations'>) {
  const samples: Counted[] = []
  let fromMs = window.fromMs - COUNT_MAX_MS
  while (fromMs < window.toMs) {
    const toMs = Math.min(window.toMs, fromMs + STEP_MS)
    const range = { personId: window.personId, metric, fromMs, toMs, limit: ROWS_AT_ONCE }
    const page = await store.observations.range(range)
    for (const point of page.points) samples.push(countedBy(point))
    if (samples.length > ROWS_MAX)
      throw new HubError('TOO_LARGE', 'There are too many values in this period. Ask for a shorter one.')
    fromMs = page.nextFromMs ?? toMs
    if (fromMs < window.toMs) await setImmediate()
  }
  return samples
}

function countedBy({ deviceId, source, atMs, value, extra }: StoredObservation): Counted {
  const end = extra?.['t_end']
  return { deviceId, source, atMs, endMs: typeof end === 'string' ? Date.parse(end) : null, value }
}

function totals(
  quarters: readonly QuarterCount[],
  dayOf: (atMs: number) => string,
  metric: CountMetric,
): Map<string, DayCount> {
  const byDay = new Map<string, Map<string, CountShare>>()
  for (const { atMs, value, told } of quarters) {
    const date = dayOf(atMs)
    const shares = byDay.get(date) ?? new Map<string, CountShare>()
    byDay.set(date, shares)
    const name = `${told.deviceId}\n${told.source}`
    const share = shares.get(name) ?? { source: told.source, device: told.deviceId, value: 0 }
    shares.set(name, { ...share, value: share.value + value })
  }
  return new Map(
    [...byDay].map(([date, shares]) => {
      const from = [...shares.values()].sort((a, b) => b.value - a.value || (a.device < b.device ? -1 : 1))
      const value = from.reduce((sum, one) => sum + one.value, 0)
      const said = from.map((one) => ({ ...one, value: rounded(one.value, metric) }))
      return [date, { value: rounded(value, metric), from: said }]
    }),
  )
}

/** Steps are whole; kilocalories and metres are told to a tenth. */
function rounded(value: number, metric: CountMetric): number {
  return metric === 'steps' ? Math.round(value) : Math.round(value * 10) / 10
}
