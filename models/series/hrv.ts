/** Heart rate variability in the time domain, from beat intervals. */
import { mean, median, type Numbers, populationSd, sampleSd, valueAt } from './moments.ts'

/** Beat intervals in the order of beats, ms. A beat that is missing or not trusted is NaN: nothing is measured across it. */
export type Beats = Float64Array

export interface HrvMetrics {
  /** Beats that count. */
  n: number
  meanNn: number
  medianNn: number
  minNn: number
  maxNn: number
  /** Mean, extremes and spread of 60 000 / interval, 1/min. */
  meanHr: number
  minHr: number
  maxHr: number
  sdHrPopulation: number
  sdnn: number
  sdnnPopulation: number
  rmssd: number
  sdsd: number | null
  sdsdPopulation: number
  /** Pairs of neighbouring beats, the base of every number about differences. */
  differences: number
  nn50: number
  nn20: number
  /** Poincaré plot: short and long axis, ms. */
  sd1: number | null
  sd2: number | null
}

/** Why there is no HRV: nothing to measure, or no two beats in a row. */
export interface HrvGap {
  n: number
  reason: 'no_beats' | 'no_neighbouring_beats'
}

/**
 * Task Force of ESC and NASPE 1996 (Eur Heart J 17:354): SDNN over n − 1, RMSSD over the pairs of neighbouring beats. Poincaré
 * axes after Brennan 2001. Answers the reason where there is nothing to say.
 */
export function hrv(beats: Beats): HrvMetrics | HrvGap {
  const known = beats.filter(Number.isFinite)
  const steps = neighbourSteps(beats)
  const sdnn = sampleSd(known)
  const [meanNn, medianNn, sdnnPopulation] = [mean(known), median(known), populationSd(known)]
  if (meanNn === null || medianNn === null || sdnnPopulation === null) return { n: 0, reason: 'no_beats' }
  const meanSquare = mean(steps.map((step) => step * step))
  const sdsdPopulation = populationSd(steps)
  if (sdnn === null || meanSquare === null || sdsdPopulation === null)
    return { n: known.length, reason: 'no_neighbouring_beats' }
  const sdsd = sampleSd(steps)
  const rates = known.map((ms) => 60_000 / ms)
  const count = (limitMs: number) => steps.filter((step) => Math.abs(step) > limitMs).length
  return {
    n: known.length,
    meanNn,
    medianNn,
    minNn: least(known),
    maxNn: -least(known.map((ms) => -ms)),
    meanHr: mean(rates) ?? Number.NaN,
    minHr: least(rates),
    maxHr: -least(rates.map((rate) => -rate)),
    sdHrPopulation: populationSd(rates) ?? Number.NaN,
    sdnn,
    sdnnPopulation,
    rmssd: Math.sqrt(meanSquare),
    sdsd,
    sdsdPopulation,
    differences: steps.length,
    nn50: count(50),
    nn20: count(20),
    sd1: sdsd === null ? null : Math.sqrt(0.5 * sdsd ** 2),
    sd2: sdsd === null ? null : rootOf(2 * sdnn ** 2 - 0.5 * sdsd ** 2),
  }
}

/** Differences between beats that follow each other. */
function neighbourSteps(beats: Beats): Float64Array {
  return beats
    .subarray(1)
    .map((later, index) => later - valueAt(beats, index))
    .filter(Number.isFinite)
}

function least(numbers: Numbers): number {
  let found = Number.POSITIVE_INFINITY
  for (const value of numbers) found = Math.min(found, value)
  return found
}

function rootOf(square: number): number | null {
  return square < 0 ? null : Math.sqrt(square)
}
