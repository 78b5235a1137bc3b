/** How forecasts compare with what came: MASE, WQL and how often a value lay inside the 80-percent band. */
import type { DenseNet } from '../series/dense-net.ts'
import { calibrateForecast, forecast, pinball, UNCALIBRATED } from '../series/forecast.ts'
import {
  before,
  DAY_HOURS,
  type HourlySeries,
  QUANTILES,
  type Subject,
  valueAt,
} from '../series/forecast-days.ts'
import { quantileOf } from '../series/forecast-profile.ts'

export interface Case {
  target: string
  series: HourlySeries
  subject: Subject
  origins: readonly number[]
}

export interface ForecastFigures {
  name: string
  mase: number
  wql: number
  inside: number
}

type Forecaster = (one: Case, origin: number) => number[][]

export function forecastFigures(net: DenseNet, cases: readonly Case[]): ForecastFigures[] {
  const methods: Record<string, Forecaster> = {
    'seasonal naive, 24 h': (one, origin) => naive(one.series, origin, DAY_HOURS),
    'seasonal naive, 168 h': (one, origin) => naive(one.series, origin, 7 * DAY_HOURS),
    'usual hours (hour × kind of day)': ({ series, subject }, origin) =>
      forecast(net, series, origin, subject, { ...UNCALIBRATED, method: 'usual-hours' })?.quantiles ?? [],
    'forecaster, not calibrated': ({ series, subject }, origin) =>
      forecast(net, series, origin, subject)?.quantiles ?? [],
    'forecaster as shipped': ({ series, subject }, origin) =>
      forecast(net, series, origin, subject, calibrateForecast(net, series, origin, subject))?.quantiles ??
      [],
  }
  return Object.entries(methods).map(([name, method]) => figuresOf(name, method, cases))
}

function figuresOf(name: string, method: Forecaster, cases: readonly Case[]): ForecastFigures {
  let [loss, size, inside, count] = [0, 0, 0, 0]
  const scaled: number[] = []
  for (const one of cases) {
    let [errors, hours] = [0, 0]
    for (const origin of one.origins) {
      method(one, origin).forEach((row, ahead) => {
        const value = valueAt(one.series, origin + ahead)
        if (Number.isNaN(value)) return
        loss += pinball(row, value)
        size += Math.abs(value)
        if (value >= (row[0] ?? 0) - 1e-9 && value <= (row.at(-1) ?? 0) + 1e-9) inside += 1
        count += 1
        errors += Math.abs(value - (row[4] ?? 0))
        hours += 1
      })
    }
    scaled.push(errors / hours / naiveError(one))
  }
  const mase = scaled.reduce((sum, value) => sum + value, 0) / scaled.length
  return { name, mase, wql: loss / size, inside: inside / count }
}

/** Mean error of "as at this hour yesterday" before the first origin. */
function naiveError({ series, origins }: Case): number {
  const { values } = before(series, origins[0] ?? 0)
  const errors = [...values].flatMap((value, at) => {
    const error = Math.abs(value - (values[at - DAY_HOURS] ?? Number.NaN))
    return Number.isNaN(error) ? [] : [error]
  })
  return errors.reduce((sum, error) => sum + error, 0) / errors.length
}

/** The same hour a season ago, with the spread that such forecasts had before. */
function naive(series: HourlySeries, origin: number, season: number): number[][] {
  const known = before(series, origin)
  const errors = [...known.values].flatMap((value, at) => {
    const error = value - (known.values[at - season] ?? Number.NaN)
    return Number.isNaN(error) ? [] : [error]
  })
  const sorted = Float64Array.from(errors).sort()
  const spread = QUANTILES.map((share) => quantileOf(sorted, share))
  return Array.from({ length: DAY_HOURS }, (_, ahead) => {
    const found = valueAt(known, origin + ahead - season)
    const last = Number.isNaN(found) ? valueAt(known, origin + ahead - 2 * season) : found
    return spread.map((offset) => (Number.isNaN(last) ? 0 : last) + offset)
  })
}
