/** How a household or team is, without saying how anybody is: days of a metric over at least five people. */
import { METRICS } from '../../domain/metric.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

/** Fewer people than this are not shown: one could be told from the others. */
export const K_MIN = 5

export interface CrowdDay {
  /** Local day. */
  day: string
  /** Rounded down to fives, so that one who joins or leaves does not show. */
  people: number
  /** Mean of everybody's own mean, rounded to the metric's step. */
  mean: number
}

export interface CrowdDeps {
  store: Pick<Store, 'observations'>
  people: () => readonly { id: string; timezone: string }[]
}

const DAY_MS = 86_400_000

/** Days ascending, those with too few people left out. Throws UNKNOWN_METRIC, and NOT_ENOUGH_DATA when none is left. */
export async function crowdDays(
  name: string,
  days: number,
  nowMs: number,
  { store, people }: CrowdDeps,
): Promise<CrowdDay[]> {
  const metric = METRICS.find((one) => one.name === name)
  if (metric?.kind !== 'number')
    throw new HubError('UNKNOWN_METRIC', `There is no measured number ${JSON.stringify(name.slice(0, 64))}.`)
  const means = new Map<string, number[]>()
  for (const { id, timezone } of people()) {
    const range = {
      personId: id,
      metric: name,
      fromMs: nowMs - days * DAY_MS,
      toMs: nowMs + 1,
      limit: days + 2,
    }
    const { points } = await store.observations.level({ ...range, level: '1d' })
    for (const { atMs, mean } of points) {
      const day = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone }).format(atMs)
      means.set(day, [...(means.get(day) ?? []), mean])
    }
  }
  const shown = [...means]
    .filter(([, of]) => of.length >= K_MIN)
    .map(([day, of]) => {
      const mean = of.reduce((sum, one) => sum + one, 0) / of.length
      return {
        day,
        people: Math.floor(of.length / K_MIN) * K_MIN,
        mean: Math.round(mean * metric.scale) / metric.scale,
      }
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1))
  if (shown.length === 0) {
    throw new HubError(
      'NOT_ENOUGH_DATA',
      `Fewer than ${K_MIN} people have values of one day: nothing can be shown.`,
    )
  }
  return shown
}
