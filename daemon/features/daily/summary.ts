/** The last week or month in a few numbers, beside the one before it. */
import { type Static, Type } from 'typebox'
import { mean } from '../../../models/series/moments.ts'
import { can } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { Day } from '../../domain/person.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { localDay } from '../../domain/zone.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import type { Days, DaysDeps } from './days.ts'
import { DailyRow, type DayField, visibleRow } from './row.ts'

const DAY_MS = 86_400_000
const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'query', name: 'person_id', orSelf: true },
  action: 'read',
  class: 'by-metric',
}
const Query = Type.Object(
  {
    person_id: Type.Optional(Id),
    days: Type.Integer({ enum: [7, 30], default: 7, description: '7 or 30' }),
  },
  { additionalProperties: false },
)
const orNull = Type.Union([Type.Number(), Type.Null()])
const Average = Type.Object({
  mean: orNull,
  min: orNull,
  max: orNull,
  /** How many of the days have it. */
  days: Type.Integer(),
  previous_mean: orNull,
  /** Against the period of the same length before; null when either is unknown. */
  change: orNull,
})
type Average = Static<typeof Average>
const Summary = Type.Object({
  person_id: Id,
  days: Type.Integer(),
  from: Day,
  to: Day,
  averages: Type.Record(Type.String(), Average),
  rows: Type.Array(DailyRow),
})

const FIELDS: readonly DayField[] = [
  'avg_glucose',
  'time_in_range_percent',
  'time_above_range_percent',
  'time_below_range_percent',
  'total_carbs_grams',
  'total_calories',
  'total_sleep_minutes',
  'sleep_quality_score',
  'total_exercise_minutes',
  'mood',
  'recovery',
  'strain',
  'hrv_rmssd',
  'resting_heart_rate',
  'steps',
]

export function summaryRoute(http: Http, days: Days, { now, zoneOf }: DaysDeps): void {
  http.get(
    '/dashboard/summary',
    {
      config: { policy: READ },
      schema: {
        tags: ['records'],
        summary: 'The last 7 or 30 days: averages of days, and their change against the days before',
        querystring: Query,
        response: { 200: Ok(Summary) },
      },
    },
    async ({ personId, query, actor }) => {
      const last = Date.parse(`${localDay(now(), zoneOf(personId))}T00:00:00Z`)
      const dates = Array.from({ length: 2 * query.days }, (_, index) =>
        new Date(last - (2 * query.days - 1 - index) * DAY_MS).toISOString().slice(0, 10),
      )
      const mayRead = (dataClass: Parameters<typeof can>[3]) => can(actor, 'read', personId, dataClass, now())
      const rows = (await days.rows(personId, dates)).map((row) => visibleRow(row, mayRead))
      const [before, shown] = [rows.slice(0, query.days), rows.slice(query.days)]
      const averages = Object.fromEntries(FIELDS.map((field) => [field, average(field, shown, before)]))
      const [from = '', to = ''] = [dates[query.days], dates.at(-1)]
      return ok(now(), { person_id: personId, days: query.days, from, to, averages, rows: shown })
    },
  )
}

function average(field: DayField, shown: readonly DailyRow[], before: readonly DailyRow[]): Average {
  const values = shown.map((row) => row[field]).filter((value) => value !== null)
  const now = values.length > 0 ? mean(values) : null
  const earlier = before.map((row) => row[field]).filter((value) => value !== null)
  const previous = earlier.length > 0 ? mean(earlier) : null
  return {
    mean: now,
    min: values.length > 0 ? Math.min(...values) : null,
    max: values.length > 0 ? Math.max(...values) : null,
    days: values.length,
    previous_mean: previous,
    change: now === null || previous === null ? null : now - previous,
  }
}
