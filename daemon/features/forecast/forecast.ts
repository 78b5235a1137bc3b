/** The next hours of a person: a forecast that knows the calendar, calibrated on their own last weeks. */
import type { Forecaster } from '../../../models/forecaster.ts'
import { calibrateForecast, type ForecastCalibration, forecast } from '../../../models/series/forecast.ts'
import type { Feature } from '../../domain/route.ts'
import { HubError } from '../../kernel/errors.ts'
import type { PersonForecast, TargetForecast } from './made.ts'
import { forecastRoute } from './routes.ts'
import { HOUR_MS, localHour, type SeriesDeps, seriesFor, type Target, type TargetSeries } from './series.ts'

export interface ForecastDeps extends SeriesDeps {
  now: () => number
  model: Forecaster
}

export interface Forecasts {
  feature: Feature
  /** Throws NOT_ENOUGH_DATA when no target has LEAST_POINTS hours with a value. */
  forecast(personId: string, targets: readonly Target[]): Promise<PersonForecast>
  /** Calibrates the usual targets of everybody anew; resolves with how many series there were. */
  calibrate(personIds: readonly string[], signal?: AbortSignal): Promise<number>
}

export const LEAST_POINTS = 24
/** What is calibrated at night. */
export const USUAL_TARGETS = ['stress', 'sleep_duration'] as const satisfies readonly Target[]
/** A night that was missed does not make yesterday's calibration wrong. */
const CALIBRATION_LASTS_MS = 48 * HOUR_MS
const KEPT_MAX = 500
const MINUTES_AN_HOUR = 60

interface Kept {
  calibration: ForecastCalibration
  atMs: number
}

export function createForecasts(deps: ForecastDeps): Forecasts {
  const { now, model } = deps
  const kept = new Map<string, Kept>()

  /** The first whole hour that has not begun; its place on the wall clock. */
  function originOf(personId: string): { originMs: number; hour: number } {
    const originMs = (Math.floor(now() / HOUR_MS) + 1) * HOUR_MS
    return { originMs, hour: localHour(originMs, deps.person(personId)?.timezone ?? 'UTC') }
  }

  function calibrated(personId: string, target: Target, found: TargetSeries, isAnew: boolean): Kept {
    const name = `${personId} ${target}`
    const known = kept.get(name)
    if (known && !isAnew && now() - known.atMs < CALIBRATION_LASTS_MS) return known
    const { hour } = originOf(personId)
    const made = { calibration: calibrateForecast(model.net, found.series, hour, found.subject), atMs: now() }
    kept.delete(name)
    kept.set(name, made)
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value ?? '')
    return made
  }

  async function one(
    personId: string,
    target: Target,
  ): Promise<TargetForecast | { target: Target; points: number }> {
    const found = await seriesFor(deps, personId, target, now())
    if (found === null || found.points < LEAST_POINTS) return { target, points: found?.points ?? 0 }
    const { calibration, atMs } = calibrated(personId, target, found, false)
    const made = forecast(model.net, found.series, originOf(personId).hour, found.subject, calibration)
    if (made === null) return { target, points: found.points }
    const scale = found.basis === 'nights' ? 1 / MINUTES_AN_HOUR : 1
    return {
      ...{ target, calibration, calibratedAtMs: atMs, basis: found.basis, points: found.points },
      quantiles: made.quantiles.map((row) => row.map((value) => value * scale)),
    }
  }

  const forecasts: Forecasts = {
    feature: { name: 'forecast', routes: (http) => forecastRoute(http, { now, model, forecasts }) },
    async forecast(personId, targets) {
      const made: PersonForecast = { originMs: originOf(personId).originMs, targets: [], missing: [] }
      for (const target of targets) {
        const found = await one(personId, target)
        if ('quantiles' in found) made.targets.push(found)
        else made.missing.push(found)
      }
      if (made.targets.length > 0) return made
      const most = Math.max(0, ...made.missing.map(({ points }) => points))
      throw new HubError(
        'NOT_ENOUGH_DATA',
        `A forecast needs ${LEAST_POINTS} hours with a value of ${targets.join(' or ')}; there are ${most} so far.`,
      )
    },
    async calibrate(personIds, signal) {
      let series = 0
      for (const personId of personIds) {
        for (const target of USUAL_TARGETS) {
          if (signal?.aborted) return series
          const found = await seriesFor(deps, personId, target, now())
          if (found === null || found.points < LEAST_POINTS) continue
          calibrated(personId, target, found, true)
          series += 1
          await new Promise<void>((resolve) => setImmediate(resolve))
        }
      }
      return series
    },
  }
  return forecasts
}
