/** Who lives in a made-up household: bodies and habits that differ as those of a family do. */
import { createRandom } from './random.ts'

/** How strongly one thing moves another in this person; what an analysis should find again. */
export interface Effects {
  /** mg/dL on the mean of the night (0 to 6 h) after a dinner at nine. */
  lateMealOnNightGlucose: number
  /** mg/dL for twelve hours after exercise. */
  activityOnGlucose: number
  /** Points of mood for an hour of sleep more or less than usual. */
  sleepHourOnMood: number
  /** bpm of the resting pulse for an hour of sleep less than usual. */
  lostSleepHourOnRestingPulse: number
}

export interface Profile {
  id: string
  name: string
  age: number
  /** mg/dL, fasting and before the first bite. */
  glucoseBase: number
  /** mg/dL at the peak for a gram of carbohydrate. */
  glucosePerGram: number
  restingPulse: number
  highestPulse: number
  /** Minutes after midnight, beyond a day for those who go to bed late. */
  bedtimeMin: number
  sleepNeedMin: number
  stepsADay: number
  mood: number
  /** Grams at a main meal. */
  carbs: number
  hrvMs: number
  effects: Effects
}

type Kind = Omit<Profile, 'id' | 'effects'>

const KINDS: readonly Kind[] = [
  // Type 1 diabetes, a pump and a sensor.
  {
    ...{ name: 'Ada', age: 39, glucoseBase: 118, glucosePerGram: 1.5, restingPulse: 58, highestPulse: 181 },
    ...{ bedtimeMin: 23 * 60, sleepNeedMin: 440, stepsADay: 9000, mood: 6.6, carbs: 52, hrvMs: 46 },
  },
  {
    ...{ name: 'Ben', age: 14, glucoseBase: 90, glucosePerGram: 0.55, restingPulse: 66, highestPulse: 204 },
    ...{ bedtimeMin: 22 * 60 + 30, sleepNeedMin: 520, stepsADay: 11_500, mood: 6.2, carbs: 75, hrvMs: 62 },
  },
  {
    ...{ name: 'Cleo', age: 9, glucoseBase: 86, glucosePerGram: 0.6, restingPulse: 77, highestPulse: 208 },
    ...{ bedtimeMin: 20 * 60 + 30, sleepNeedMin: 590, stepsADay: 13_000, mood: 7.1, carbs: 58, hrvMs: 71 },
  },
]

/** The `index`th person of a household; after the first three the same kinds come again with other bodies. */
export function profileOf(seed: number, index: number): Profile {
  const random = createRandom(seed, `person ${index}`)
  const kind = KINDS[index % KINDS.length] ?? KINDS[0]
  if (!kind) throw new Error('there is no kind of person')
  const round = Math.floor(index / KINDS.length)
  const spread = (value: number, share: number) => value * (1 + share * random.normal())
  return {
    ...kind,
    id: `sample_${index + 1}`,
    name: round === 0 ? kind.name : `${kind.name} ${round + 1}`,
    glucoseBase: spread(kind.glucoseBase, 0.02),
    glucosePerGram: spread(kind.glucosePerGram, 0.05),
    restingPulse: spread(kind.restingPulse, 0.02),
    bedtimeMin: kind.bedtimeMin + 10 * random.normal(),
    stepsADay: spread(kind.stepsADay, 0.05),
    hrvMs: spread(kind.hrvMs, 0.05),
    effects: {
      lateMealOnNightGlucose: random.between(12, 22),
      activityOnGlucose: -random.between(8, 14),
      sleepHourOnMood: random.between(0.7, 1.1),
      lostSleepHourOnRestingPulse: random.between(1.2, 2.2),
    },
  }
}
