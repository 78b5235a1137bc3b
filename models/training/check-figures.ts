/** How rare the scores of the plain checks are among ordinary hours, and how well the checks do on people who taught nothing. */
import { calibrateAnomaly, createAnomaly, isAlarming, isFailed, scoreChecks } from '../series/anomaly.ts'
import { CHECKS, type CheckName, type CheckPopulations, repeatingOf } from '../series/anomaly-checks.ts'
import { contextRows, learnExpectations } from '../series/anomaly-expected.ts'
import type { VitalMinute } from '../series/anomaly-minute.ts'
import { hourlyHighest, type Population, populationOf } from '../series/anomaly-odds.ts'
import type { DenseNet } from '../series/dense-net.ts'
import { figuresAt } from './method-figures.ts'
import { CALIBRATION_MINUTES } from './pulsenet-rows.ts'
import { createDraw, type Draw } from './random.ts'
import type { MadePerson } from './vitals-events.ts'

export interface Shipped {
  net: DenseNet
  population: Population
  checks: CheckPopulations
}

/** What would ring in each minute: 1 where it does. */
export type Rings = Record<'net' | 'all' | CheckName, Float64Array>

const GLITCHES_A_DAY = 8

/** Odds of both checks from ordinary days of people; what calibrates them is left out. */
export function checkPopulations(calm: Iterable<readonly VitalMinute[]>): CheckPopulations {
  const highest: Record<CheckName, number[]> = { repeats: [], low_oxygen: [] }
  for (const minutes of calm) {
    const early = minutes.slice(0, CALIBRATION_MINUTES)
    const expectations = learnExpectations(early, contextRows(early))
    const scores = scoreChecks(
      expectations,
      repeatingOf(early, () => true),
      minutes,
    )
    for (const name of CHECKS)
      highest[name].push(...hourlyHighest(scores[name].subarray(CALIBRATION_MINUTES)))
  }
  return { repeats: populationOf(highest.repeats), low_oxygen: populationOf(highest.low_oxygen) }
}

/** As the hub would judge somebody whom it has known for three days. */
export function ringsOf(shipped: Shipped, minutes: readonly VitalMinute[]): Rings {
  const profile = calibrateAnomaly(shipped.net, minutes.slice(0, CALIBRATION_MINUTES))
  const anomaly = createAnomaly({ ...shipped, profile })
  const empty = () => new Float64Array(minutes.length)
  const rings: Rings = { net: empty(), all: empty(), repeats: empty(), low_oxygen: empty() }
  minutes.forEach((minute, t) => {
    const step = anomaly.step(minute)
    if (isAlarming({ p: step.p, checks: [] })) rings.net[t] = 1
    if (isAlarming(step)) rings.all[t] = 1
    for (const check of step.checks) if (isFailed(check)) rings[check.name][t] = 1
  })
  return rings
}

/** One line a method: recall, F1 and false alarms a day, each kind for itself. */
export function shippedLines(shipped: Shipped, tested: readonly MadePerson[]): string[] {
  const rings = tested.map(({ minutes }) => ringsOf(shipped, minutes))
  return (['net', ...CHECKS, 'all'] as const).map((name) => {
    const figures = figuresAt(
      tested,
      rings.map((one) => one[name]),
      1,
    )
    const kinds = Object.entries(figures.byKind).map(([kind, { hit, events }]) => `${kind} ${hit}/${events}`)
    return (
      `${name}: recall ${figures.recall.toFixed(3)}, F1 ${figures.f1.toFixed(3)}, ` +
      `${figures.falseAlarms.toFixed(4)} false alarms per person and day. ${kinds.join(', ')}`
    )
  })
}

/** Somebody whose watch sits loosely: now and then oxygen is far too low for a minute or two. */
export function loose({ minutes, events }: MadePerson, seed: number): MadePerson {
  const draw: Draw = createDraw(seed)
  const worn = minutes.map((minute) => ({ ...minute }))
  const count = Math.round((minutes.length / 1440) * GLITCHES_A_DAY)
  for (let glitch = 0; glitch < count; glitch += 1) {
    const from = draw.whole(0, minutes.length - 3)
    for (const minute of worn.slice(from, from + draw.whole(1, 2)))
      if (minute.spo2 !== null) minute.spo2 = draw.whole(72, 90)
  }
  return { minutes: worn, events }
}
