/** HTTP of forecasts. */
import { Type } from 'typebox'
import type { Forecaster } from '../../../models/forecaster.ts'
import { QUANTILES } from '../../../models/series/forecast-days.ts'
import { HORIZON } from '../../../models/series/forecast-evidence.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { PersonForecast, TargetForecast } from './made.ts'
import { HOUR_MS, TARGETS, type Target } from './series.ts'

export interface ForecastRouteDeps {
  now: () => number
  model: Forecaster
  forecasts: { forecast(personId: string, targets: readonly Target[]): Promise<PersonForecast> }
}

const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'wellness',
}
const MIDDLE = 4
const PLACES = 10_000

const Params = Type.Object({ personId: Id }, { additionalProperties: false })
const Query = Type.Object(
  {
    hours: Type.Integer({
      minimum: 1,
      maximum: HORIZON,
      default: HORIZON,
      description: 'How many hours ahead',
    }),
    targets: Type.String({
      default: 'stress,sleep_duration',
      maxLength: 200,
      description: `Comma-separated, of: ${TARGETS.join(', ')}`,
    }),
  },
  { additionalProperties: false },
)
const Values = Type.Array(Type.Number())
const named = QUANTILES.map((share) => `p${Math.round(share * 100)}`)
const View = Type.Object({
  person_id: Id,
  generated_at: Timestamp,
  /** `time`: the starts of the hours; beside it the median of each target. `sleep_duration` in hours. */
  forecast: Type.Object({ time: Type.Array(Timestamp) }, { additionalProperties: Values }),
  /** Of each target `p10` to `p90`, an hour each. */
  quantiles: Type.Record(Type.String(), Type.Object(Object.fromEntries(named.map((name) => [name, Values])))),
  model: Type.Object({ name: Type.String(), version: Type.String() }),
  /** How each target came about. */
  targets: Type.Array(
    Type.Object({
      target: Type.Enum([...TARGETS]),
      /** The net, or plain quantiles of the same hour on the same kind of day where those did better on this person. */
      method: Type.Enum(['forecaster', 'usual-hours']),
      /** `nights`: hours slept within the hour; `values`: what devices told. */
      basis: Type.Enum(['values', 'nights']),
      /** Hours with a value that it was made from. */
      points: Type.Integer(),
      calibrated_at: Timestamp,
      band_width: Type.Number(),
      /** Mean pinball loss on the last two weeks; null where there are none to compare. */
      loss: Type.Union([Type.Object({ forecaster: Type.Number(), usual_hours: Type.Number() }), Type.Null()]),
    }),
  ),
  missing: Type.Array(Type.Object({ target: Type.Enum([...TARGETS]), points: Type.Integer() })),
})

export function forecastRoute(http: Http, { now, model, forecasts }: ForecastRouteDeps): void {
  http.get(
    '/forecast/:personId',
    {
      config: { policy: READ },
      schema: {
        tags: ['wellness'],
        summary: 'The next hours: median and bands, by a model that knows the school events to come',
        params: Params,
        querystring: Query,
        response: { 200: Ok(View) },
      },
    },
    async ({ personId, query }) => {
      const { originMs, targets, missing } = await forecasts.forecast(personId, targetsIn(query.targets))
      const hours = Array.from({ length: query.hours }, (_, at) => at)
      const of = ({ quantiles }: TargetForecast, k: number) =>
        hours.map((at) => Math.round((quantiles[at]?.[k] ?? 0) * PLACES) / PLACES)
      return ok(now(), {
        ...{
          person_id: personId,
          generated_at: iso(now()),
          model: { name: model.name, version: model.version },
        },
        forecast: {
          time: hours.map((at) => iso(originMs + at * HOUR_MS)),
          ...Object.fromEntries(targets.map((one) => [one.target, of(one, MIDDLE)])),
        },
        quantiles: Object.fromEntries(
          targets.map((one) => [one.target, Object.fromEntries(named.map((name, k) => [name, of(one, k)]))]),
        ),
        targets: targets.map(({ target, calibration, calibratedAtMs, basis, points }) => ({
          ...{ target, method: calibration.method, basis, points, calibrated_at: iso(calibratedAtMs) },
          band_width: calibration.width,
          loss: calibration.loss && {
            forecaster: calibration.loss.forecaster,
            usual_hours: calibration.loss.usualHours,
          },
        })),
        missing,
      })
    },
  )
}

function targetsIn(text: string): Target[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))]
  return names.map((name) => {
    const known = TARGETS.find((target) => target === name)
    if (known !== undefined) return known
    throw new HubError(
      'VALIDATION_ERROR',
      `There is no forecast of "${name}", only of: ${TARGETS.join(', ')}.`,
    )
  })
}
