/** Tries a condition on past values: when it would have fired. Bounded in days, values and findings. */
import type { Metric } from '../../domain/metric.ts'
import { type Condition, type Firing, replay, replaySilence } from '../../domain/rule.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

const DAY_MS = 86_400_000
/** Longer windows are tried on the minute's mean. */
const RAW_SPAN_MS = DAY_MS
export const REHEARSAL_DAYS = 31
const VALUES_MAX = 100_000
const PAGE_ROWS = 5000
export const FIRINGS_SHOWN = 200

export interface Rehearsal {
  level: 'raw' | '1m'
  values: number
  /** False: there were more values than are read at once, and the window ends early. */
  complete: boolean
  toMs: number
  firings: Firing[]
}

/** One value of a device; roll-ups know none. */
interface Past {
  atMs: number
  value: number
  deviceId: string
}

export interface Window {
  personId: string
  fromMs: number
  toMs: number
}

/** Throws VALIDATION_ERROR for a window that is empty or longer than `REHEARSAL_DAYS`. */
export async function rehearse(
  { observations }: Pick<Store, 'observations'>,
  condition: Condition,
  metric: Metric,
  window: Window,
): Promise<Rehearsal> {
  const { fromMs, toMs } = window
  if (fromMs >= toMs || toMs - fromMs > REHEARSAL_DAYS * DAY_MS)
    throw new HubError('VALIDATION_ERROR', `A rule is tried on up to ${REHEARSAL_DAYS} days: from before to.`)
  const level = toMs - fromMs <= RAW_SPAN_MS || metric.kind !== 'number' ? 'raw' : '1m'
  const { past, nextFromMs } = await read(observations, level, { ...window, metric: metric.name })
  const endMs = nextFromMs ?? toMs
  return {
    level,
    values: past.length,
    complete: nextFromMs === null,
    toMs: endMs,
    firings: firingsOf(condition, metric, past, { fromMs, toMs: endMs }),
  }
}

async function read(
  observations: Store['observations'],
  level: 'raw' | '1m',
  { toMs, ...range }: Window & { metric: string },
): Promise<{ past: Past[]; nextFromMs: number | null }> {
  const past: Past[] = []
  let next: number | null = range.fromMs
  while (next !== null && past.length < VALUES_MAX) {
    const asked = { ...range, fromMs: next, toMs, limit: PAGE_ROWS }
    if (level === 'raw') {
      const page = await observations.range(asked)
      for (const { atMs, value, deviceId } of page.points) past.push({ atMs, value, deviceId })
      next = page.nextFromMs
    } else {
      const page = await observations.level({ ...asked, level })
      for (const { atMs, mean } of page.points) past.push({ atMs, value: mean, deviceId: '' })
      next = page.nextFromMs
    }
  }
  return { past, nextFromMs: next }
}

function firingsOf(
  condition: Condition,
  metric: Metric,
  past: readonly Past[],
  window: { fromMs: number; toMs: number },
): Firing[] {
  if (condition.type === 'no_data' || condition.type === 'stale') {
    return past.length === 0
      ? []
      : replaySilence(
          condition,
          past.map(({ atMs }) => atMs),
          window,
        )
  }
  const byDevice = new Map<string, Past[]>()
  for (const one of past) {
    const own = byDevice.get(one.deviceId)
    if (own) own.push(one)
    else byDevice.set(one.deviceId, [one])
  }
  const firings = [...byDevice.values()].flatMap((values) => replay(condition, values, metric.maxGapMs))
  return firings.sort((one, other) => one.firedMs - other.firedMs)
}
