import type { Observation, Outcome, StoredObservation } from '../domain/observation.ts'
import { HubError } from '../kernel/errors.ts'
import type { Work } from './batch.ts'
import { type Committed, OUTCOMES } from './protocol.ts'
import type { NaturalKey, StoreLimits, WriteResult } from './store.ts'

/** One caller who waits for a commit. */
export interface Call {
  work: Work
  /** Rows it brings; a unit counts as one. */
  weight: number
  queuedMs: number
  /** Answers the caller; `row` and `call` are its positions in the commit. */
  settle(committed: Committed, row: number, call: number): void
  reject(cause: HubError): void
}

/** Calls that wait, oldest first, and the limit to how much may. */
export interface Calls {
  /** Weight of everything waiting or taken and not finished. */
  readonly weight: number
  readonly waiting: number
  /** False when it would be too much. A single call always fits, however large. */
  push(call: Call): boolean
  /** The calls of the next commit. */
  take(): Call[]
  finished(calls: readonly Call[]): void
}

export function createCalls(limits: Pick<StoreLimits, 'queuedRows' | 'commitCalls' | 'commitRows'>): Calls {
  const queue: Call[] = []
  let weight = 0
  return {
    get weight() {
      return weight
    },
    get waiting() {
      return queue.length
    },
    push(call) {
      if (weight > 0 && weight + call.weight > limits.queuedRows) return false
      queue.push(call)
      weight += call.weight
      return true
    },
    take() {
      let count = 0
      let rows = 0
      while (count < queue.length && count < limits.commitCalls && rows < limits.commitRows) {
        rows += queue[count]?.weight ?? 0
        count += 1
      }
      return queue.splice(0, count)
    },
    finished(calls) {
      for (const call of calls) weight -= call.weight
    },
  }
}

/** What became of the rows of one call. */
export function outcomesOf(committed: Committed, row: number, count: number): Outcome[] {
  const outcomes = new Array<Outcome>(count)
  for (let index = 0; index < count; index++)
    outcomes[index] = OUTCOMES[committed.outcomes[row + index] ?? 0] ?? 'accepted'
  return outcomes
}

/** What the unit of a call returned. */
export function resultsOf(committed: Committed, call: number): WriteResult[] {
  return committed.results.find(([number]) => number === call)?.[1] ?? []
}

/** The keys that the calls of a commit took back. */
export function retractedBy(calls: readonly Call[], committed: Committed): NaturalKey[] {
  const refused = new Set(committed.refused.map(([call]) => call))
  return calls.flatMap(({ work }, number) =>
    work.kind === 'unit' && work.unit.kind === 'retract' && !refused.has(number) ? work.unit.keys : [],
  )
}

/** Why calls of a commit had no effect, by call number. */
export function refusalsOf(committed: Committed): Map<number, HubError> {
  return new Map(committed.refused.map(([call, code, message]) => [call, new HubError(code, message)]))
}

/** Outcomes of a commit counted, and its new and corrected observations in commit order. */
export interface Landed {
  observations: StoredObservation[]
  revised: number
  duplicates: number
}

/** `calls` are those of the commit, in its order. */
export function landed(calls: readonly Call[], committed: Committed): Landed {
  const refused = new Set(committed.refused.map(([call]) => call))
  const revisions = new Map(committed.revisions)
  const result: Landed = { observations: [], revised: 0, duplicates: 0 }
  let row = 0
  calls.forEach(({ work }, number) => {
    if (work.kind !== 'append') return
    for (const observation of work.rows) {
      const outcome = OUTCOMES[committed.outcomes[row] ?? 0]
      const revision = revisions.get(row) ?? 0
      row += 1
      if (refused.has(number)) continue
      if (outcome === 'duplicate') {
        result.duplicates += 1
        continue
      }
      if (outcome === 'revised') result.revised += 1
      result.observations.push(stored(observation, revision))
    }
  })
  return result
}

/** Field by field, because a spread of every committed value is what a busy hub would mostly collect as garbage. */
function stored(
  { personId, deviceId, metric, atMs, value, source, quality, extra }: Observation,
  revision: number,
): StoredObservation {
  return { personId, deviceId, metric, atMs, value, source, quality, extra, revision }
}
