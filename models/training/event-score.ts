/** How well alarms meet events: each event found or missed, each alarm about an event or about nothing. */
import type { VitalEvent } from './vitals-events.ts'

/** Alarms this near to each other are one; an alarm this near to an event is about it. */
export const MERGE_MINUTES = 15
export const TOLERANCE_MINUTES = 5

export interface EventScore {
  events: number
  hit: number
  alarms: number
  falseAlarms: number
  byKind: Record<string, { hit: number; events: number }>
}

/** Ranges of minutes whose score is at least the threshold, merged. */
export function alarmsOf(score: Float64Array, threshold: number, from: number): [number, number][] {
  const alarms: [number, number][] = []
  for (let t = from; t < score.length; t += 1) {
    if (!((score[t] ?? 0) >= threshold)) continue
    const last = alarms.at(-1)
    if (last && t - last[1] <= MERGE_MINUTES) last[1] = t
    else alarms.push([t, t])
  }
  return alarms
}

export function scoreAlarms(alarms: readonly [number, number][], events: readonly VitalEvent[]): EventScore {
  const touches = ([from, to]: readonly [number, number], { start, end }: VitalEvent) =>
    to >= start - TOLERANCE_MINUTES && from <= end + TOLERANCE_MINUTES
  const byKind: EventScore['byKind'] = {}
  let hit = 0
  for (const event of events) {
    const isHit = alarms.some((alarm) => touches(alarm, event))
    byKind[event.kind] ??= { hit: 0, events: 0 }
    const kind = byKind[event.kind] ?? { hit: 0, events: 0 }
    kind.events += 1
    if (isHit) {
      hit += 1
      kind.hit += 1
    }
  }
  const falseAlarms = alarms.filter((alarm) => !events.some((event) => touches(alarm, event))).length
  return { events: events.length, hit, alarms: alarms.length, falseAlarms, byKind }
}

export function addScores(scores: readonly EventScore[]): EventScore {
  const sum: EventScore = { events: 0, hit: 0, alarms: 0, falseAlarms: 0, byKind: {} }
  for (const score of scores) {
    sum.events += score.events
    sum.hit += score.hit
    sum.alarms += score.alarms
    sum.falseAlarms += score.falseAlarms
    for (const [kind, { hit, events }] of Object.entries(score.byKind)) {
      const before = sum.byKind[kind] ?? { hit: 0, events: 0 }
      sum.byKind[kind] = { hit: before.hit + hit, events: before.events + events }
    }
  }
  return sum
}

export function f1({ events, hit, alarms, falseAlarms }: EventScore): number {
  const precision = alarms === 0 ? 0 : (alarms - falseAlarms) / alarms
  const recall = events === 0 ? 0 : hit / events
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall)
}
