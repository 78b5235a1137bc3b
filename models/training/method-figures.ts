/** How methods compare on people whom none of them has seen, at the same number of false alarms. */
import type { VitalMinute } from '../series/anomaly-minute.ts'
import { addScores, alarmsOf, type EventScore, f1, scoreAlarms } from './event-score.ts'
import { CALIBRATION_MINUTES } from './pulsenet-rows.ts'
import type { MadePerson } from './vitals-events.ts'

const DAY_MINUTES = 1440
const THRESHOLDS = 400

export interface Figures {
  /** False alarms per person and day. */
  falseAlarms: number
  recall: number
  f1: number
  byKind: EventScore['byKind']
}

export interface MethodFigures {
  name: string
  best: Figures
  /** Highest recall at no more than so many false alarms a day. */
  atMost: ReadonlyMap<number, Figures | null>
}

export function figuresOf(
  name: string,
  people: readonly MadePerson[],
  method: (minutes: readonly VitalMinute[]) => Float64Array,
  limits: readonly number[],
): MethodFigures {
  const scores = people.map(({ minutes }) => method(minutes))
  const found = thresholdsFor(scores).map((threshold) => figuresAt(people, scores, threshold))
  const better = (a: Figures, b: Figures) => b.recall - a.recall || b.f1 - a.f1
  return {
    name,
    best: found.toSorted((a, b) => b.f1 - a.f1)[0] ?? NONE,
    atMost: new Map(
      limits.map((limit) => [
        limit,
        found.filter(({ falseAlarms }) => falseAlarms <= limit).toSorted(better)[0] ?? null,
      ]),
    ),
  }
}

const NONE: Figures = { falseAlarms: 0, recall: 0, f1: 0, byKind: {} }

export function figuresAt(
  people: readonly MadePerson[],
  scores: readonly Float64Array[],
  threshold: number,
): Figures {
  const days = people.reduce(
    (sum, { minutes }) => sum + (minutes.length - CALIBRATION_MINUTES) / DAY_MINUTES,
    0,
  )
  const sum = addScores(
    people.map(({ events }, at) =>
      scoreAlarms(alarmsOf(scores[at] ?? new Float64Array(), threshold, CALIBRATION_MINUTES), events),
    ),
  )
  return {
    falseAlarms: sum.falseAlarms / days,
    recall: sum.events === 0 ? 0 : sum.hit / sum.events,
    f1: f1(sum),
    byKind: sum.byKind,
  }
}

/** From the highest scores of all people down to two of five minutes, closer at the top. */
function thresholdsFor(scores: readonly Float64Array[]): number[] {
  const all = Float64Array.from(scores.flatMap((one) => [...one.subarray(CALIBRATION_MINUTES)])).sort()
  return Array.from({ length: THRESHOLDS }, (_, k) => {
    const place = Math.floor(all.length * 10 ** (-4.5 + (4.1 * k) / THRESHOLDS))
    return all[Math.max(0, all.length - 1 - place)] ?? 0
  })
}
