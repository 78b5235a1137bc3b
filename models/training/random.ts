import { seededRandom } from '../series/cluster-days-random.ts'

/** Draws that repeat for a seed; generators take one, so that a model can be trained again to the byte. */
export interface Draw {
  uniform(low: number, high: number): number
  whole(low: number, high: number): number
  normal(mean: number, deviation: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** In place (Fisher & Yates). */
  shuffle(list: unknown[]): void
}

export function createDraw(seed: number): Draw {
  const random = seededRandom(seed)
  const uniform = (low: number, high: number) => low + (high - low) * random()
  const whole = (low: number, high: number) => Math.floor(uniform(low, high + 1))
  return {
    uniform,
    whole,
    chance: (probability) => random() < probability,
    // Box and Muller 1958; the second of each pair is left, which keeps the order of draws plain.
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
    pick(from) {
      const found = from[whole(0, from.length - 1)]
      if (found === undefined) throw new RangeError('nothing to pick from')
      return found
    },
    shuffle(list) {
      for (let i = list.length - 1; i > 0; i -= 1) {
        const j = whole(0, i)
        const kept = list[i]
        list[i] = list[j]
        list[j] = kept
      }
    },
  }
}
