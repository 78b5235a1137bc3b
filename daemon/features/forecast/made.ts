/** A forecast as it was made for a person. */
import type { ForecastCalibration } from '../../../models/series/forecast.ts'
import type { Target, TargetSeries } from './series.ts'

/** A target of a person, as it is known now. */
export interface TargetForecast {
  target: Target
  quantiles: number[][]
  calibration: ForecastCalibration
  calibratedAtMs: number
  basis: TargetSeries['basis']
  points: number
}

export interface PersonForecast {
  /** Start of the first hour. */
  originMs: number
  targets: TargetForecast[]
  missing: { target: Target; points: number }[]
}
