/** The overload indicator of a person, with everything it is made of. */
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import { Day } from '../../domain/person.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { localDay } from '../../domain/zone.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { assess, type BurnoutDay, type BurnoutPerson, DAYS_BEFORE } from './assess.ts'
import { labelOf, METHOD, missingWords, NOTE, OPT_IN, recommendations } from './words.ts'

export interface BurnoutDeps {
  now: () => number
  zoneOf: (personId: string) => string
  person: (personId: string) => BurnoutPerson | null
  /** Rows of consecutive local days; kept by whoever makes them as long as nothing under them changes. */
  days: (personId: string, dates: readonly string[]) => Promise<readonly BurnoutDay[]>
}

const DAY_MS = 86_400_000
const USUAL_SCORE = 50
const OPT_IN_BELOW_YEARS = 16
const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'wellness',
}
const Params = Type.Object({ personId: Id }, { additionalProperties: false })
const Query = Type.Object(
  { days: Type.Integer({ minimum: 14, maximum: 90, default: 28, description: 'Days of history' }) },
  { additionalProperties: false },
)
const Score = Type.Union([Type.Number({ minimum: 0, maximum: 100 }), Type.Null()])
const Factor = Type.Enum(['recovery', 'hrv', 'sleep_debt', 'load_ratio', 'mood'])
const Burnout = Type.Object({
  person_id: Id,
  status: Type.Enum(['ok', 'insufficient_data', 'needs_opt_in']),
  score: Score,
  /** The score of a usual day; with the contributions it adds up to the score. */
  baseline: Type.Number(),
  as_of: Type.Union([Day, Type.Null()]),
  factors: Type.Array(
    Type.Object({
      factor: Factor,
      label: Type.String(),
      weight: Type.Number(),
      /** Standard deviations from the person's own four weeks. */
      z: Type.Number(),
      contribution: Type.Number(),
    }),
  ),
  missing: Type.Array(Type.Object({ factor: Factor, reason: Type.String(), message: Type.String() })),
  trend: Type.Union([Type.Enum(['rising', 'falling', 'steady']), Type.Null()]),
  persistently_high: Type.Boolean(),
  history: Type.Array(Type.Object({ date: Day, score: Score })),
  recommendations: Type.Array(
    Type.Object({ factor: Type.Union([Factor, Type.Null()]), text: Type.String() }),
  ),
  note: Type.String(),
  method: Type.String(),
  computed_at: Timestamp,
})

export function createBurnout(deps: BurnoutDeps): Feature {
  return { name: 'burnout', routes: (http) => burnoutRoute(http, deps) }
}

function burnoutRoute(http: Http, { now, zoneOf, person, days }: BurnoutDeps): void {
  http.get(
    '/people/:personId/burnout',
    {
      config: { policy: READ },
      schema: {
        tags: ['wellness'],
        summary: 'Overload indicator: score, what it is made of, trend, history, what may help',
        params: Params,
        querystring: Query,
        response: { 200: Ok(Burnout) },
      },
    },
    async ({ personId, query }) => {
      const about = person(personId)
      const blank = { person_id: personId, baseline: USUAL_SCORE, method: METHOD, computed_at: iso(now()) }
      if (about && needsOptIn(about))
        return ok(now(), { ...blank, ...EMPTY, status: 'needs_opt_in' as const, note: OPT_IN })
      const dates = lastDates(localDay(now(), zoneOf(personId)), query.days + DAYS_BEFORE)
      const { asOf, result, course } = assess(await days(personId, dates), about?.age ?? null, query.days)
      const last = dates.indexOf(asOf)
      return ok(now(), {
        ...blank,
        status: result.state === 'known' ? ('ok' as const) : ('insufficient_data' as const),
        score: result.score,
        as_of: asOf,
        factors: result.parts.map(({ part, weight, z, points }) => ({
          factor: part,
          label: labelOf(part),
          weight,
          z,
          contribution: points,
        })),
        missing: result.missing.map(({ part, reason }) => ({
          factor: part,
          reason,
          message: missingWords(part, reason),
        })),
        trend: course.trend,
        persistently_high: course.persistentlyHigh,
        history: course.history.map((score, index) => ({
          date: dates[last + 1 - course.history.length + index] ?? asOf,
          score,
        })),
        recommendations:
          result.state === 'known' ? recommendations(result.parts, course.persistentlyHigh) : [],
        note: NOTE,
      })
    },
  )
}

const EMPTY = {
  score: null,
  as_of: null,
  factors: [],
  missing: [],
  trend: null,
  persistently_high: false,
  history: [],
  recommendations: [],
}

/** Of children's days no score is made unasked. */
function needsOptIn({ kind, age, preferences }: BurnoutPerson): boolean {
  const isYoung = age === null ? kind === 'child' || kind === 'teen' : age < OPT_IN_BELOW_YEARS
  return isYoung && preferences['burnout_opt_in'] !== true
}

function lastDates(last: string, count: number): string[] {
  const lastMs = Date.parse(`${last}T00:00:00Z`)
  return Array.from({ length: count }, (_, index) =>
    new Date(lastMs - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  )
}
