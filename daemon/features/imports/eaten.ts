/** Carbohydrates and energy that a file tells by themselves, as the meals they were. Pure. */

import { iso } from '../../kernel/envelope.ts'
import type { LandingRecord } from './batch.ts'

export interface Eaten {
  /** Keeps an amount; false where there is no room for another minute. */
  amount(source: string, metric: string, value: number, atMs: number): boolean
  /** A meal that the file told as one, whose amounts may stand beside it once more. */
  meal(atMs: number, amounts: { carbs: unknown; energy: unknown }): void
  /** The meals that nobody told as such. */
  meals(): LandingRecord[]
}

/** What phones sum up beside meals. */
export const EATEN: ReadonlySet<string> = new Set(['carbs', 'energy_intake'])
/** Minutes of one source with something eaten: thirty years of ten a day. */
const MINUTES_MAX = 110_000
const MINUTE_MS = 60_000
/** Grams or kcal below which a difference is rounding. */
const LEAST = 0.05

type Amount = 'carbs' | 'energy'
interface Plate {
  source: string
  atMs: number
  carbs: number | null
  energy: number | null
}

/** What one source tells within a minute is one meal; a meal told as such comes before or after its amounts, so all wait for the end. */
export function createEaten(): Eaten {
  const plates = new Map<string, Plate>()
  /** Amounts by minute that meals told as such account for. */
  const told = new Map<string, number>()
  const minuteOf = (atMs: number) => Math.floor(atMs / MINUTE_MS)
  const account = (name: Amount, value: unknown, atMs: number) => {
    const key = `${name} ${minuteOf(atMs)}`
    if (typeof value === 'number' && (told.has(key) || told.size < 2 * MINUTES_MAX))
      told.set(key, (told.get(key) ?? 0) + value)
  }
  /** What of an amount no meal accounts for. */
  const rest = (name: Amount, plate: Plate): number | null => {
    const amount = plate[name]
    if (amount === null) return null
    const key = `${name} ${minuteOf(plate.atMs)}`
    const known = told.get(key) ?? 0
    told.set(key, Math.max(0, known - amount))
    return known > 0 && amount - known < LEAST ? null : amount - known
  }
  return {
    amount(source, metric, value, atMs) {
      const key = `${source}\n${minuteOf(atMs)}`
      const plate = plates.get(key) ?? { source, atMs, carbs: null, energy: null }
      if (plates.size >= MINUTES_MAX && !plates.has(key)) return false
      plates.set(key, plate)
      plate.atMs = Math.min(plate.atMs, atMs)
      const name: Amount = metric === 'carbs' ? 'carbs' : 'energy'
      plate[name] = (plate[name] ?? 0) + value
      return true
    },
    meal(atMs, { carbs, energy }) {
      account('carbs', carbs, atMs)
      account('energy', energy, atMs)
    },
    meals: () =>
      [...plates.values()].flatMap((plate) => {
        const [carbs, energy] = [rest('carbs', plate), rest('energy', plate)]
        if (carbs === null && energy === null) return []
        const { source, atMs } = plate
        const body = { timestamp: atMs, carbs_grams: carbs, calories: energy }
        return [{ kind: 'meal', source, body, where: `meal at ${iso(atMs)}` }]
      }),
  }
}
