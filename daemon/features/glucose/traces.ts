/** Reads what is known of somebody's glucose: one trace out of all that report it. */
import { setImmediate } from 'node:timers/promises'
import { type GlucoseTrace, glucoseTrace } from '../../../models/series/cgm-trace.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import { leadingReadings, nominalMinutes, RIVAL_MARGIN_MS } from '../../domain/rivals.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Sources } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'

export interface Traces {
  /**
   * Readings in `[fromMs, toMs)`, ascending, rivals ranked: two uploaders of one sensor give the readings of one. Rejects with
   * TOO_LARGE for a period with more readings than fit in memory.
   */
  read(personId: string, fromMs: number, toMs: number): Promise<StoredObservation[]>
  /** When the last reading before an instant was, at most three months back; null for none. */
  lastMs(personId: string, beforeMs: number): Promise<number | null>
}

export interface TracesDeps {
  store: Pick<Store, 'observations'>
  sources: Pick<Sources, 'ranks'>
}

const DAY_MS = 86_400_000
/** Read at a time, so that other requests get their turn in between. */
const STEP_MS = 7 * DAY_MS
const ROWS_AT_ONCE = 50_000
const ROWS_MAX = 300_000
const BACK_MS = 92 * DAY_MS

export function createTraces({ store, sources }: TracesDeps): Traces {
  async function rows(personId: string, fromMs: number, toMs: number): Promise<StoredObservation[]> {
    const found: StoredObservation[] = []
    let from = fromMs
    while (from < toMs) {
      const end = Math.min(toMs, from + STEP_MS)
      const range = { personId, metric: 'glucose', fromMs: from, toMs: end, limit: ROWS_AT_ONCE }
      const page = await store.observations.range(range)
      for (const point of page.points) found.push(point)
      if (found.length > ROWS_MAX)
        throw new HubError('TOO_LARGE', 'There are too many readings in this period. Ask for a shorter one.')
      from = page.nextFromMs ?? end
      if (from < toMs) await setImmediate()
    }
    return found
  }

  return {
    async read(personId, fromMs, toMs) {
      const ranks = sources.ranks()
      const all = await rows(personId, fromMs - RIVAL_MARGIN_MS, toMs + RIVAL_MARGIN_MS)
      const leading = leadingReadings(all, (id) => ranks.get(id) ?? Number.POSITIVE_INFINITY)
      return leading.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
    },
    async lastMs(personId, beforeMs) {
      for (let toMs = beforeMs; toMs > beforeMs - BACK_MS; toMs -= STEP_MS) {
        const last = (await rows(personId, toMs - STEP_MS, toMs)).at(-1)
        if (last) return last.atMs
      }
      return null
    },
  }
}

/** The readings as the models take them, each standing for its source's nominal interval. */
export function traceOf(readings: readonly StoredObservation[]): GlucoseTrace {
  return glucoseTrace(
    readings.map(({ atMs, value, source }) => ({ atMs, mgPerDl: value, nominalMin: nominalMinutes(source) })),
  )
}
