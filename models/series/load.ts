/** Training load from session RPE; numbers to look at, never an injury probability. */
import { mean, sampleSd } from './moments.ts'

/** Days of the acute and of the chronic window. */
export const ACUTE_DAYS = 7
export const CHRONIC_DAYS = 28

/** A load is rising fast above this ratio, where the week is also the heaviest of four (our own rule, see `risingFast`). */
export const FAST_RATIO = 1.5

/** Monotony above this is worth a word (Foster 1998). */
export const HIGH_MONOTONY = 2

export interface LoadDay {
  /** Mean daily load of the last 7 days; null before the seventh. */
  acute: number | null
  /** Mean of 7 days over the mean of the 28 that include them. */
  ratioCoupled: number | null
  /** Mean of 7 days over the mean of the 21 before them. */
  ratioUncoupled: number | null
  ewmaAcute: number
  ewmaChronic: number
  /** Shown after 28 days only. */
  ratioEwma: number | null
  weekLoad: number | null
  /** Mean over sample SD of 7 days; null for a week of equal days, where it has no limit. */
  monotony: number | null
  strain: number | null
}

/** Session load in arbitrary units: RPE (0 to 10) times minutes (Foster 2001). Null for an RPE or a duration that cannot be. */
export function sessionLoad(rpe: number, minutes: number): number | null {
  const possible = rpe >= 0 && rpe <= 10 && minutes >= 0 && Number.isFinite(minutes)
  return possible ? rpe * minutes : null
}

/**
 * Load of each day in a row of days without holes (a rest day is 0). Rolling ratios after Gabbett 2016 and, uncoupled, Windt & Gabbett
 * 2018 (coupling alone induces r ≈ 0.5); EWMA after Williams 2017 (BJSM 51:209), λ = 2/(N+1), seeded with the first day. No band of
 * these ratios is supported as an injury threshold (Impellizzeri 2020).
 */
export function loadDays(dailyLoad: readonly number[]): LoadDay[] {
  let ewmaAcute = dailyLoad[0] ?? 0
  let ewmaChronic = ewmaAcute
  return dailyLoad.map((load, index) => {
    if (index > 0) {
      ewmaAcute = smoothed(load, ewmaAcute, ACUTE_DAYS)
      ewmaChronic = smoothed(load, ewmaChronic, CHRONIC_DAYS)
    }
    return {
      ...rolling(dailyLoad, index),
      ewmaAcute,
      ewmaChronic,
      ratioEwma: ewmaRatio(index, ewmaAcute, ewmaChronic),
    }
  })
}

function smoothed(load: number, before: number, days: number): number {
  const share = 2 / (days + 1)
  return load * share + before * (1 - share)
}

function ewmaRatio(index: number, acute: number, chronic: number): number | null {
  return index + 1 < CHRONIC_DAYS ? null : ratio(acute, chronic)
}

function rolling(dailyLoad: readonly number[], index: number) {
  const window = (from: number, to: number) => (from < 0 ? null : mean(dailyLoad.slice(from, to)))
  const acute = window(index + 1 - ACUTE_DAYS, index + 1)
  const chronic = window(index + 1 - CHRONIC_DAYS, index + 1)
  const before = chronic === null ? null : window(index + 1 - CHRONIC_DAYS, index + 1 - ACUTE_DAYS)
  const week = acute === null ? [] : dailyLoad.slice(index + 1 - ACUTE_DAYS, index + 1)
  const weekLoad = acute === null ? null : week.reduce((sum, load) => sum + load, 0)
  const monotony = ratio(acute, sampleSd(week))
  return {
    acute,
    ratioCoupled: ratio(acute, chronic),
    ratioUncoupled: ratio(acute, before),
    weekLoad,
    monotony,
    strain: weekLoad === null || monotony === null ? null : weekLoad * monotony,
  }
}

function ratio(part: number | null, base: number | null): number | null {
  return part === null || base === null || base === 0 ? null : part / base
}

/** Whether the last day deserves the note "load is rising fast": EWMA ratio above 1.5 and the heaviest of the last four weeks. Null before 28 days. */
export function risingFast(days: readonly LoadDay[]): boolean | null {
  const last = days.at(-1)
  if (!last || last.ratioEwma === null || last.weekLoad === null) return null
  const weeks = [7, 14, 21].map((back) => days.at(-1 - back)?.weekLoad ?? 0)
  return last.ratioEwma > FAST_RATIO && Math.max(...weeks) < last.weekLoad
}
