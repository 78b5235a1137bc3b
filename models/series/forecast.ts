/** The next 24 hours of a person as nine quantiles an hour, from their history and from what calendars know of the days to come. */
import type { DenseNet } from './dense-net.ts'
import { before, DAY_HOURS, type HourlySeries, QUANTILES, type Subject, valueAt } from './forecast-days.ts'
import { FORECAST_EVIDENCE, HORIZON, readEvidence, recentOf } from './forecast-evidence.ts'
import { type Profile, profileOf, quantileOf } from './forecast-profile.ts'

export type Method = 'forecaster' | 'usual-hours'

/** What the person's own last weeks say about the forecasts of them. */
export interface ForecastCalibration {
  /** Which of the two did better. */
  method: Method
  /** Factor on the width of the bands, so that 80 of 100 values lie between the 10 and the 90 percent quantile. */
  width: number
  /** Mean pinball loss of both, in the unit of the target; null where nothing could be compared. */
  loss: { forecaster: number; usualHours: number } | null
}

export interface Forecast {
  method: Method
  /** 24 hours from the origin on, nine ascending quantiles each. */
  quantiles: number[][]
}

const MIDDLE = 4
const BACK_DAYS = 14
/** Before that much history the usual hours are better than any model. */
const LEAST_DAYS = 5
/** Values that stand for no more than the usual width, so that few of them change little. */
const PRIOR_VALUES = 150
const WIDTHS = [0.7, 1.5] as const
/** Two weeks are few: plain usual hours have to be better by this much to be preferred. */
const CLEARLY = 0.98
export const UNCALIBRATED: ForecastCalibration = { method: 'forecaster', width: 1, loss: null }

/** Null without any value before the origin. The origin's own hour is the first of the forecast. */
export function forecast(
  net: DenseNet,
  series: HourlySeries,
  origin: number,
  subject: Subject,
  { method, width }: ForecastCalibration = UNCALIBRATED,
): Forecast | null {
  const known = before(series, origin)
  const profile = profileOf(known, origin, subject)
  if (profile === null) return null
  const raw =
    method === 'forecaster' ? byNet(net, known, origin, subject, profile) : usualHours(profile, origin)
  const range = rangeOf(known, subject)
  return { method, quantiles: raw.map((row) => settled(row, width, range)) }
}

/** Plain quantiles of the same hour on the same kind of day. */
function usualHours(profile: Profile, origin: number): number[][] {
  return Array.from({ length: HORIZON }, (_, ahead) => [...profile.at(origin + ahead).quantiles])
}

function byNet(
  net: DenseNet,
  series: HourlySeries,
  origin: number,
  subject: Subject,
  profile: Profile,
): number[][] {
  const ground = { series, origin, subject, profile, recent: recentOf(series, origin, profile) }
  const evidence = new Float64Array(FORECAST_EVIDENCE)
  return Array.from({ length: HORIZON }, (_, ahead) => {
    readEvidence(ground, ahead, evidence)
    const offsets = net.run(evidence)
    const usual = profile.at(origin + ahead).quantiles
    return QUANTILES.map((_quantile, k) => (usual[k] ?? 0) + profile.residualSd * (offsets[k] ?? 0))
  })
}

/** Values never were, and will not be, outside of what the measure allows. */
function rangeOf({ values }: HourlySeries, { kind }: Subject): readonly [number, number] {
  if (kind === 'sleep') return [0, 60]
  const isNeverNegative = values.every((value) => Number.isNaN(value) || value >= 0)
  return [isNeverNegative ? 0 : Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
}

function settled(row: readonly number[], width: number, [low, high]: readonly [number, number]): number[] {
  const sorted = row.toSorted((a, b) => a - b)
  const middle = sorted[MIDDLE] ?? 0
  return sorted.map((value) => Math.min(high, Math.max(low, middle + width * (value - middle))))
}

/**
 * Compares both methods on the last two weeks, one forecast a day at the hour of `origin`, and fits the width of the better one's
 * bands (split conformal: the 80 percent quantile of how many half-widths values were off). Uses nothing from the origin on.
 */
export function calibrateForecast(
  net: DenseNet,
  series: HourlySeries,
  origin: number,
  subject: Subject,
): ForecastCalibration {
  const known = before(series, origin)
  const tries = { forecaster: attempt('forecaster'), usualHours: attempt('usual-hours') }
  if (tries.forecaster.count === 0) return { ...UNCALIBRATED, method: 'usual-hours' }
  const loss = { forecaster: tries.forecaster.loss, usualHours: tries.usualHours.loss }
  const isBetter = loss.forecaster * CLEARLY <= loss.usualHours
  const chosen = isBetter ? tries.forecaster : tries.usualHours
  return { method: isBetter ? 'forecaster' : 'usual-hours', width: widthFor(chosen.off), loss }

  function attempt(method: Method) {
    const off: number[] = []
    let [sum, count] = [0, 0]
    for (let ago = BACK_DAYS; ago >= 1; ago -= 1) {
      const from = origin - ago * DAY_HOURS
      if (from - known.firstHour < LEAST_DAYS * DAY_HOURS) continue
      const made = forecast(net, known, from, subject, { ...UNCALIBRATED, method })
      made?.quantiles.forEach((row, ahead) => {
        const value = valueAt(known, from + ahead)
        if (Number.isNaN(value)) return
        sum += pinball(row, value)
        count += 1
        const half = halfWidth(row, value)
        if (half > 0) off.push(Math.abs(value - (row[MIDDLE] ?? 0)) / half)
      })
    }
    return { loss: count === 0 ? Number.NaN : sum / count, count, off }
  }
}

/** The half of the 80-percent band on the side on which the value lies. */
function halfWidth(row: readonly number[], value: number): number {
  const [low = 0, high = 0, middle = 0] = [row[0], row.at(-1), row[MIDDLE]]
  const half = value >= middle ? high - middle : middle - low
  return half > 1e-3 * Math.max(1, Math.abs(middle)) ? half : 0
}

function widthFor(off: readonly number[]): number {
  if (off.length === 0) return 1
  const fitted = quantileOf(Float64Array.from(off).sort(), 0.8)
  const share = off.length / (off.length + PRIOR_VALUES)
  return Math.min(WIDTHS[1], Math.max(WIDTHS[0], 1 + share * (fitted - 1)))
}

/** Mean over the nine quantiles of the pinball loss (Koenker & Bassett 1978), twice, as WQL counts it. */
export function pinball(row: readonly number[], value: number): number {
  let sum = 0
  QUANTILES.forEach((share, k) => {
    const off = value - (row[k] ?? 0)
    sum += 2 * Math.max(share * off, (share - 1) * off)
  })
  return sum / QUANTILES.length
}
