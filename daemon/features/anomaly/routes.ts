/** HTTP of the watch over vitals: how usual the last minute of a person is. */
import { Type } from 'typebox'
import type { PulseNet } from '../../../models/pulsenet.ts'
import { ALARM_P } from '../../../models/series/anomaly.ts'
import { CHECK_P, CHECKS } from '../../../models/series/anomaly-checks.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { type Known, LEAST_MINUTES } from './known.ts'
import { MINUTE_MS, type Minutes } from './minutes.ts'
import { metricOf, NAMED_DISTANCE, oneInHours, rounded, unitOf } from './words.ts'

export interface AnomalyRoutesDeps {
  clock: Clock
  model: PulseNet
  minutes: Minutes
  known: (personId: string) => Known | undefined
}

const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'wellness',
}
/** An older minute says nothing about now. */
const SILENT_AFTER_MS = 20 * MINUTE_MS
const LEARN_DAYS = 14
const DAY_MS = 1440 * MINUTE_MS
const NOTE =
  'Compares a person with their own last days; it is no diagnosis. An alarm comes about once in a week also when all is well.'

const Params = Type.Object({ personId: Id }, { additionalProperties: false })
const orNull = Type.Union([Type.Number(), Type.Null()])
const View = Type.Object({
  person_id: Id,
  /** `learning` while there are fewer than three days, `silent` while nothing is measured. */
  status: Type.Enum(['usual', 'unusual', 'learning', 'silent']),
  /** The minute that is judged. */
  as_of: Type.Union([Timestamp, Type.Null()]),
  /** The model's evidence, a logarithm of odds. */
  score: orNull,
  /** Share of ordinary hours with such a minute, and 1 − that share. */
  p: orNull,
  confidence: orNull,
  /** The oddest channel; null where none stands out. */
  channel: Type.Union([Type.String(), Type.Null()]),
  channels: Type.Array(
    Type.Object({
      metric: Type.String(),
      unit: Type.String(),
      expected: Type.Number(),
      seen: orNull,
      /** In the person's usual spreads; above 0 is more than expected. */
      distance: Type.Number(),
      share: Type.Number(),
    }),
  ),
  /** Beside the model: a watch that repeats itself, oxygen below the own range; each with its own odds. */
  checks: Type.Array(Type.Object({ name: Type.Enum([...CHECKS]), p: Type.Number() })),
  learnt: Type.Union([
    Type.Object({ at: Timestamp, minutes: Type.Integer() }),
    Type.Object({ at: Type.Null(), minutes: Type.Integer(), needed: Type.Integer() }),
  ]),
  model: Type.Object({
    name: Type.String(),
    version: Type.String(),
    alarm_p: Type.Number(),
    alarm_one_in_hours: Type.Integer(),
    /** The line of each check. */
    check_p: Type.Number(),
    /** Of model and checks together, stated. */
    false_alarms_per_day: Type.Number(),
  }),
  note: Type.String(),
})

export function anomalyRoutes(http: Http, { clock, model, minutes, known }: AnomalyRoutesDeps): void {
  const about = {
    ...{
      name: model.name,
      version: model.version,
      alarm_p: ALARM_P,
      alarm_one_in_hours: oneInHours(ALARM_P),
    },
    check_p: CHECK_P,
    false_alarms_per_day: rounded(24 * (ALARM_P + CHECKS.length * CHECK_P), 1000),
  }
  const nothing = {
    as_of: null,
    score: null,
    p: null,
    confidence: null,
    channel: null,
    channels: [],
    checks: [],
  }

  /** Minutes from the first heart rate of the last days on. */
  async function waiting(personId: string): Promise<number> {
    const nowMs = clock.now()
    const first = await minutes.firstHeart(personId, nowMs - LEARN_DAYS * DAY_MS, nowMs)
    return first === null ? 0 : Math.floor((nowMs - first) / MINUTE_MS)
  }

  http.get(
    '/people/:personId/anomaly',
    {
      config: { policy: READ },
      schema: {
        tags: ['wellness'],
        summary:
          "Whether a person's vitals are as usual: score, channel, expected and seen, which model says so",
        params: Params,
        response: { 200: Ok(View) },
      },
    },
    async ({ personId }) => {
      const nowMs = clock.now()
      const base = { person_id: personId, model: about, note: NOTE, ...nothing }
      const found = known(personId)
      if (!found) {
        const learnt = { at: null, minutes: await waiting(personId), needed: LEAST_MINUTES }
        return ok(nowMs, { ...base, status: 'learning' as const, learnt })
      }
      const learnt = { at: iso(found.learntAtMs), minutes: found.learntMinutes }
      const last = found.watch.last()
      if (!last || nowMs - last.atMs > SILENT_AFTER_MS)
        return ok(nowMs, { ...base, status: 'silent' as const, learnt })
      const { score, p, channels, checks } = last.step
      const shown = channels.map(({ channel, ...sight }) => {
        const metric = metricOf(channel, found.watch.choice)
        return {
          ...{ metric, unit: unitOf(metric), expected: rounded(sight.expected, 100) },
          seen: sight.seen === null ? null : rounded(sight.seen, 100),
          ...{ distance: rounded(sight.distance, 100), share: rounded(sight.share, 1000) },
        }
      })
      const [first] = shown
      return ok(nowMs, {
        ...{ ...base, status: found.watch.isUnusual() ? ('unusual' as const) : ('usual' as const), learnt },
        ...{ as_of: iso(last.atMs), score, p, confidence: rounded(1 - p, 10_000), channels: shown, checks },
        channel: first && Math.abs(first.distance) >= NAMED_DISTANCE ? first.metric : null,
      })
    },
  )
}
