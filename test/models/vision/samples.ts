/** Recorded sample data that is not in the repository: HOMEFIELD_SAMPLES, or the folder beside it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = process.env['HOMEFIELD_SAMPLES'] ?? join('..', 'shared', 'data')

export function samplePath(...parts: string[]): string {
  return join(ROOT, ...parts)
}

export function sampleText(...parts: string[]): string {
  return readFileSync(samplePath(...parts), 'utf8')
}

/** The reason to skip a test that needs this sample, or false when it is there. */
export function missing(...parts: string[]): string | false {
  return existsSync(samplePath(...parts))
    ? false
    : `no sample data at ${samplePath(...parts)} (set HOMEFIELD_SAMPLES)`
}

/** Repeatable numbers in [0, 1): a linear congruential generator (Numerical Recipes). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
}

/** A normally distributed number (Box & Muller). */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
