/** HTTP of episodes. Whoever is told may answer; whoever may write starts, changes and resolves. */
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type Action, type Actor, can, DATA_CLASSES, maySee } from '../../domain/access.ts'
import {
  EPISODE_STATES,
  Episode,
  type EpisodeAction,
  EpisodeWithTimeline,
  Evidence,
  SEVERITIES,
  signatureOf,
} from '../../domain/episode.ts'
import { Id } from '../../domain/id.ts'
import { EARLIEST_MS, parseInstant } from '../../domain/instant.ts'
import { metricNamed } from '../../domain/metric.ts'
import { OPEN_OBJECT_BYTES, OpenObject } from '../../domain/person.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { Analysis, type AnalysisDeps, analyse } from './analysis.ts'
import { type Course, noSuchEpisode } from './course.ts'
import { type EpisodeTable, episodeView, rowView, type StoredEpisode } from './table.ts'

export interface EpisodeRoutesDeps {
  clock: Clock
  table: EpisodeTable
  course: Course
  personIds: () => readonly string[]
  nameOf: (by: string) => string | null
  zoneOf: (personId: string) => string
  observations: AnalysisDeps['observations']
  glucoseUnit: AnalysisDeps['glucoseUnit']
}

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const FUTURE_MS = 10 * 60_000
const Params = Type.Object({ episodeId: Id }, { additionalProperties: false })
const Text = Type.String({ minLength: 1, maxLength: 4000 })
const instant = Type.Union([Type.String({ maxLength: 40 }), Type.Number()])
const Start = Type.Object(
  {
    person_id: Type.Optional(Id),
    kind: Type.String({ pattern: '^[a-z0-9_]{1,64}$', default: 'concern' }),
    severity: Type.Enum([...SEVERITIES], { default: 'warning' }),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    message: Type.Optional(Type.String({ maxLength: 2000 })),
    notes: Type.Optional(Type.String({ maxLength: 4000 })),
    timestamp: Type.Optional(instant),
    started_at: Type.Optional(instant),
    evidence: Type.Optional(Type.Array(Evidence, { maxItems: 50 })),
    metadata: Type.Optional(OpenObject),
  },
  { additionalProperties: false },
)
const Changes = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    severity: Type.Optional(Type.Enum([...SEVERITIES])),
    notes: Type.Optional(Text),
    metadata: Type.Optional(OpenObject),
  },
  { additionalProperties: false },
)
const Answer = Type.Union([
  Type.Object(
    { notes: Type.Optional(Text), resolution: Type.Optional(Text) },
    { additionalProperties: false },
  ),
  Type.Null(),
])
const Edge = Type.Optional(
  Type.String({ maxLength: 64, description: 'An instant: what lasted into from, or began before to' }),
)
const ListQuery = Type.Object(
  {
    ...PageQuery.properties,
    person_id: Type.Optional(Id),
    state: Type.Optional(Type.Enum([...EPISODE_STATES])),
    from: Edge,
    to: Edge,
  },
  { additionalProperties: false },
)

export function episodeRoutes(http: Http, deps: EpisodeRoutesDeps): void {
  startRoute(http, deps)
  listRoutes(http, deps)
  oneRoutes(http, deps)
  answerRoutes(http, deps)
  analyseRoute(http, deps)
}

function detailOf(episode: StoredEpisode, { table, nameOf }: EpisodeRoutesDeps) {
  return { ...episodeView(episode), timeline: table.rows(episode.id).map((row) => rowView(row, nameOf)) }
}

/** An episode of somebody out of sight is told like one that is not there. */
function find(request: FastifyRequest, action: Action, { table, clock }: EpisodeRoutesDeps): StoredEpisode {
  const id: unknown = Reflect.get(Object(request.params), 'episodeId')
  const episode = typeof id === 'string' ? table.find(id) : undefined
  if (!episode || !maySee(request.actor, episode.personId, clock.now())) throw noSuchEpisode()
  request.authorize(episode.personId, action, episode.class)
  return episode
}

function edge(path: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const parsed = parseInstant(text, 'UTC')
  if ('atMs' in parsed) return parsed.atMs
  throw new HubError('VALIDATION_ERROR', `${path} ${parsed.wrong}.`, {
    details: [{ path, message: parsed.wrong, value: text }],
  })
}

function startRoute(http: Http, deps: EpisodeRoutesDeps): void {
  const { clock, course, zoneOf } = deps
  const policy: Policy = {
    access: 'person',
    roles: [...USER_ROLES, 'device'],
    person: { in: 'body', name: 'person_id', orSelf: true },
    action: 'write',
    class: 'wellness',
  }
  http.post(
    '/episodes/start',
    {
      config: { policy },
      schema: {
        tags: ['episodes'],
        summary: 'Open an episode by hand; one of the same kind that is unresolved is joined',
        body: Start,
        response: { 200: Ok(EpisodeWithTimeline), 201: Ok(EpisodeWithTimeline) },
      },
    },
    async ({ body, actor, personId }, reply) => {
      checkOpen(body.metadata)
      const atMs = startOf(body.started_at ?? body.timestamp, zoneOf(personId), clock.now())
      const title = body.title ?? body.kind.replaceAll('_', ' ')
      const { episode, merge } = await course.open({
        ...{ personId, kind: body.kind, class: classOf(body.evidence), severity: body.severity, title, atMs },
        ...{
          message: body.message ?? body.notes ?? '',
          origin: 'person',
          originId: null,
          by: signatureOf(actor),
        },
        ...{ evidence: body.evidence ?? [], ...(body.metadata && { metadata: body.metadata }) },
      })
      reply.code(merge === 'new' ? 201 : 200)
      return ok(clock.now(), detailOf(episode, deps))
    },
  )
}

/** What it is about decides who may see it; glucose stays with those who may see glucose. */
function classOf(evidence: readonly Static<typeof Evidence>[] = []) {
  const classes = evidence.map(({ metric }) =>
    metric === undefined ? undefined : metricNamed(metric)?.class,
  )
  return classes.find((one) => one !== undefined) ?? 'wellness'
}

function checkOpen(metadata: object | undefined): void {
  if (metadata && Buffer.byteLength(JSON.stringify(metadata)) > OPEN_OBJECT_BYTES)
    throw new HubError('TOO_LARGE', 'The field metadata holds more than 16 KB.')
}

function startOf(value: string | number | undefined, zone: string, nowMs: number): number {
  if (value === undefined) return nowMs
  const parsed = parseInstant(value, zone)
  if ('wrong' in parsed) {
    throw new HubError('VALIDATION_ERROR', `The episode cannot be kept. timestamp: ${parsed.wrong}.`, {
      details: [{ path: 'timestamp', message: parsed.wrong, value }],
    })
  }
  if (parsed.atMs < EARLIEST_MS) {
    const details = [{ path: 'timestamp', message: 'lies before 2000-01-01', value }]
    throw new HubError('OUT_OF_RANGE', 'An episode does not begin before 2000-01-01. Check the clock.', {
      details,
    })
  }
  if (parsed.atMs > nowMs + FUTURE_MS)
    throw new HubError('FUTURE_TIMESTAMP', 'An episode does not begin in the future. Check the clock.')
  return parsed.atMs
}

function listRoutes(http: Http, deps: EpisodeRoutesDeps): void {
  const { clock, table } = deps
  const visible = (actor: Actor, people: readonly string[]) =>
    people.flatMap((personId) =>
      DATA_CLASSES.filter((one) => can(actor, 'read', personId, one, clock.now())).map(
        (one) => `${personId} ${one}`,
      ),
    )
  http.get(
    '/episodes',
    {
      config: { policy: USERS },
      schema: {
        tags: ['episodes'],
        summary: 'Episodes of everybody I may see, newest first',
        querystring: ListQuery,
        response: { 200: OkPage(Episode) },
      },
    },
    async ({ actor, query }) => {
      if (query.person_id !== undefined && !maySee(actor, query.person_id, clock.now()))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
      const people = query.person_id === undefined ? deps.personIds() : [query.person_id]
      const offset = (query.page - 1) * query.per_page
      const found = table.page(
        visible(actor, people),
        { state: query.state, fromMs: edge('from', query.from), toMs: edge('to', query.to) },
        offset,
        query.per_page,
      )
      return okPage(clock.now(), found.episodes.map(episodeView), query, found.total)
    },
  )
  http.get(
    '/episodes/user/:user_id',
    {
      config: {
        policy: {
          access: 'person',
          roles: USER_ROLES,
          person: { in: 'params', name: 'user_id' },
          action: 'read',
          class: 'any',
        },
      },
      schema: {
        tags: ['episodes'],
        summary: "A person's episodes, newest first",
        params: Type.Object({ user_id: Id }, { additionalProperties: false }),
        querystring: PageQuery,
        response: { 200: OkPage(Episode) },
      },
    },
    async ({ actor, personId, query }) => {
      const offset = (query.page - 1) * query.per_page
      const found = table.page(visible(actor, [personId]), {}, offset, query.per_page)
      return okPage(clock.now(), found.episodes.map(episodeView), query, found.total)
    },
  )
}

function oneRoutes(http: Http, deps: EpisodeRoutesDeps): void {
  const { clock, course } = deps
  http.get(
    '/episodes/:episodeId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['episodes'],
        summary: 'One episode with everything that happened in it',
        params: Params,
        response: { 200: Ok(EpisodeWithTimeline) },
      },
    },
    async (request) => ok(clock.now(), detailOf(find(request, 'read', deps), deps)),
  )
  http.patch(
    '/episodes/:episodeId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['episodes'],
        summary: 'Change title, severity or metadata; absent fields stay',
        params: Params,
        body: Changes,
        response: { 200: Ok(EpisodeWithTimeline) },
      },
    },
    async (request) => {
      const { notes, ...changes } = request.body
      const by = signatureOf(request.actor)
      let episode = find(request, 'write', deps)
      checkOpen(changes.metadata)
      if (Object.keys(changes).length > 0) episode = await course.change(episode.id, by, changes)
      if (notes !== undefined) episode = await course.note(episode.id, by, notes)
      return ok(clock.now(), detailOf(episode, deps))
    },
  )
  http.post(
    '/episodes/:episodeId/notes',
    {
      config: { policy: USERS },
      schema: {
        tags: ['episodes'],
        summary: 'Add a note to the timeline',
        params: Params,
        body: Type.Object({ text: Text }, { additionalProperties: false }),
        response: { 201: Ok(EpisodeWithTimeline) },
      },
    },
    async (request, reply) => {
      const { id } = find(request, 'read', deps)
      const episode = await course.note(id, signatureOf(request.actor), request.body.text)
      return reply.code(201).send(ok(clock.now(), detailOf(episode, deps)))
    },
  )
}

function answerRoutes(http: Http, deps: EpisodeRoutesDeps): void {
  const route = (method: 'POST' | 'PUT', action: EpisodeAction, needs: Action, summary: string) =>
    http.route({
      method,
      url: `/episodes/:episodeId/${action}`,
      config: { policy: USERS },
      schema: {
        tags: ['episodes'],
        summary,
        params: Params,
        body: Answer,
        response: { 200: Ok(EpisodeWithTimeline) },
      },
      handler: async (request) => {
        const { id } = find(request, needs, deps)
        const said = request.body as Static<typeof Answer>
        const text = said?.notes ?? said?.resolution ?? null
        const episode = await deps.course.act(id, action, signatureOf(request.actor), text)
        return ok(deps.clock.now(), detailOf(episode, deps))
      },
    })
  route('POST', 'acknowledge', 'read', 'I take care of it')
  route('POST', 'escalate', 'read', 'The next on the ladder are told now')
  route('PUT', 'resolve', 'write', 'It is over')
  route('POST', 'reopen', 'write', 'It is not over')
}

function analyseRoute(http: Http, deps: EpisodeRoutesDeps): void {
  const { clock } = deps
  http.post(
    '/episodes/:episodeId/analyze',
    {
      config: { policy: USERS },
      schema: {
        tags: ['episodes'],
        summary:
          'Why it is there, in a few sentences whose every number has a source; nothing leaves this hub',
        params: Params,
        body: Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]),
        response: { 200: Ok(Analysis) },
      },
    },
    async (request) => {
      const episode = find(request, 'read', deps)
      const mayRead = (metric: string) =>
        can(request.actor, 'read', episode.personId, metricNamed(metric)?.class ?? episode.class, clock.now())
      return ok(clock.now(), await analyse(episode, mayRead, deps))
    },
  )
}
