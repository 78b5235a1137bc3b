/** HTTP that asks for times that suit: answered at once, told on the live channel when they are found. */
import { type Static, Type } from 'typebox'
import { EVENT_TYPES } from '../../domain/calendar.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Http } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { refused } from './draft.ts'
import { authorizePlan, type CalendarParts, TAGS, USERS } from './parts.ts'
import type { Asked } from './recommend.ts'

export interface RecommendRoutesDeps extends CalendarParts {
  /** Enters the search; resolves with its job. */
  ask: (asked: Asked, requestedBy: string | null) => Promise<{ id: string }>
}

const DAY_MS = 86_400_000
const AHEAD_MS = 7 * DAY_MS
const AHEAD_MAX_MS = 28 * DAY_MS
const Clock = Type.Optional(
  Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: "HH:MM of the player's day" }),
)
const Edge = Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Number()]))
const Body = Type.Object(
  {
    player_id: Id,
    event_type: Type.Enum([...EVENT_TYPES], { default: 'training' }),
    duration_minutes: Type.Integer({ minimum: 15, maximum: 300, default: 60 }),
    intensity: Type.Optional(Type.Enum(['low', 'high'])),
    from: Edge,
    to: Edge,
    earliest: Clock,
    latest: Clock,
    count: Type.Integer({ minimum: 1, maximum: 5, default: 3 }),
  },
  { additionalProperties: false },
)
const Entered = Type.Object({ job_id: Id }, { additionalProperties: false })

export function recommendRoutes(http: Http, deps: RecommendRoutesDeps): void {
  http.post(
    '/calendar/recommend',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'Look for free times that suit, with the reasons; `recommendation_ready` on `calendar`, or the result of the job, has them',
        body: Body,
        response: { 202: Ok(Entered) },
      },
    },
    async (request, reply) => {
      const { body, actor } = request
      const asked = askedOf(body, deps)
      authorizePlan(request, 'read', { personId: asked.playerId, groupId: null }, deps)
      const { id } = await deps.ask(asked, actor.kind === 'user' ? actor.userId : null)
      return reply.code(202).send(ok(deps.now(), { job_id: id }))
    },
  )
}

function askedOf(body: Static<typeof Body>, { now, person }: CalendarParts): Asked {
  const zone = person(body.player_id)?.timezone ?? 'UTC'
  const edge = (path: string, sent: string | number | undefined, otherwise: number) => {
    if (sent === undefined) return otherwise
    const parsed = parseInstant(sent, zone)
    if ('atMs' in parsed) return parsed.atMs
    throw refused('VALIDATION_ERROR', path, parsed.wrong)
  }
  const fromMs = Math.max(now(), edge('from', body.from, now()))
  const toMs = edge('to', body.to, fromMs + AHEAD_MS)
  if (toMs <= fromMs || toMs - fromMs > AHEAD_MAX_MS)
    throw refused('OUT_OF_RANGE', 'to', 'lies ahead and after from, by 28 days at most')
  const [earliest, latest] = [minuteOf(body.earliest), minuteOf(body.latest)]
  if (earliest !== null && latest !== null && latest < earliest + body.duration_minutes)
    throw refused('OUT_OF_RANGE', 'latest', 'lies after earliest by the duration at least')
  return {
    ...{ playerId: body.player_id, eventType: body.event_type, minutes: body.duration_minutes },
    ...{ intensity: body.intensity ?? null, fromMs, toMs, earliest, latest, count: body.count },
  }
}

function minuteOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}
