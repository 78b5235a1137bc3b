/** HTTP of alerts: raised, listed, caught up with, answered. */
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type Actor, can, DATA_CLASSES, maySee } from '../../domain/access.ts'
import { ALERT_KINDS, ALERT_STATES, Alert, AlertWithDeliveries, CHANNELS } from '../../domain/alert.ts'
import { signatureOf } from '../../domain/episode.ts'
import { TimeOfDay } from '../../domain/group.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { OPEN_OBJECT_BYTES, OpenObject } from '../../domain/person.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { type Answers, noSuchAlert } from './answers.ts'
import type { Audience } from './audience.ts'
import type { Ladder } from './ladder.ts'
import { deliveryView, type Outbox } from './outbox.ts'
import { Reach, type Reacher } from './reach.ts'
import { type AlertDraft, type AlertTable, alertView, type StoredAlert } from './table.ts'

export interface AlertRoutesDeps {
  store: Pick<Store, 'write'>
  clock: Clock
  table: AlertTable
  outbox: Outbox
  answers: Answers
  audience: Audience
  ladder: Ladder
  reach: Reacher
  personIds: () => readonly string[]
  nameOf: (by: string) => string | null
}

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const Params = Type.Object({ alertId: Id }, { additionalProperties: false })
const NewAlert = Type.Object(
  {
    person_id: Type.Optional(Id),
    kind: Type.Enum([...ALERT_KINDS], { default: 'warning' }),
    title: Type.String({ minLength: 1, maxLength: 200 }),
    message: Type.String({ maxLength: 2000, default: '' }),
    data: Type.Optional(OpenObject),
  },
  { additionalProperties: false },
)
const ListQuery = Type.Object(
  {
    ...PageQuery.properties,
    person_id: Type.Optional(Id),
    state: Type.Optional(Type.Enum([...ALERT_STATES])),
    since: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Catch up: the id of the last alert I have, or an instant; oldest first',
      }),
    ),
  },
  { additionalProperties: false },
)
const Snooze = Type.Object(
  { minutes: Type.Integer({ minimum: 1, maximum: 720, default: 15 }) },
  { additionalProperties: false },
)
const Seen = Type.Object(
  { channel: Type.Optional(Type.Enum([...CHANNELS])) },
  { additionalProperties: false },
)
const Settings = Type.Object(
  {
    quiet: Type.Union([
      Type.Object({ from: TimeOfDay, to: TimeOfDay }, { additionalProperties: false }),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
)
const ABOUT_SOMEBODY: Policy = {
  access: 'person',
  roles: USER_ROLES,
  person: { in: 'body', name: 'person_id', orSelf: true },
  action: 'write',
  class: 'wellness',
}
const SET = `INSERT INTO alert_setting (user_key, settings, updated_at) SELECT key, :settings, :nowMs FROM user WHERE id = :userId
  ON CONFLICT (user_key) DO UPDATE SET settings = :settings, updated_at = :nowMs`

export function alertRoutes(http: Http, deps: AlertRoutesDeps): void {
  raiseRoutes(http, deps)
  listRoutes(http, deps)
  answerRoutes(http, deps)
  ownRoutes(http, deps)
}

function recipientOf(actor: Actor): string {
  return actor.kind === 'user' ? `user:${actor.userId}` : 'house'
}

/** An alert of somebody out of sight is told like one that is not there. */
function find(request: FastifyRequest, alertId: string, { table, clock }: AlertRoutesDeps): StoredAlert {
  const alert = table.find(alertId)
  if (!alert || !maySee(request.actor, alert.personId, clock.now())) throw noSuchAlert()
  request.authorize(alert.personId, 'read', alert.class)
  return alert
}

function detailOf(alert: StoredAlert, { outbox, nameOf }: AlertRoutesDeps) {
  const deliveries = outbox.ofAlert(alert.seq).map((one) => deliveryView(one, nameOf))
  return { ...alertView(alert, nameOf), deliveries }
}

async function raise(draft: AlertDraft, deps: AlertRoutesDeps): Promise<StoredAlert> {
  const { result, writes, committed } = deps.ladder.plan(draft)
  await deps.store.write(writes)
  committed()
  const alert = deps.table.find(result.id)
  if (!alert) throw new HubError('NOT_FOUND', 'There is no person with this id.')
  return alert
}

function raiseRoutes(http: Http, deps: AlertRoutesDeps): void {
  const { clock } = deps
  http.post(
    '/alerts',
    {
      config: { policy: { ...ABOUT_SOMEBODY, roles: [...USER_ROLES, 'device'] } },
      schema: {
        tags: ['alerts'],
        summary: 'Raise an alert: a person calls, or a button on the wrist is pressed',
        body: NewAlert,
        response: { 201: Ok(AlertWithDeliveries) },
      },
    },
    async ({ actor, body, personId }, reply) => {
      const { kind, title, message, data = {} } = body
      if (Buffer.byteLength(JSON.stringify(data)) > OPEN_OBJECT_BYTES)
        throw new HubError('TOO_LARGE', 'The field data holds more than 16 KB.')
      const source = signatureOf(actor)
      const alert = await raise({ personId, kind, class: 'wellness', title, message, source, data }, deps)
      return reply.code(201).send(ok(clock.now(), detailOf(alert, deps)))
    },
  )
  http.post(
    '/alerts/test',
    {
      config: { policy: ABOUT_SOMEBODY },
      schema: {
        tags: ['alerts'],
        summary: 'Send a test alarm to everybody on the ladder; GET /alerts/:id says who got it and when',
        body: Type.Object({ person_id: Type.Optional(Id) }, { additionalProperties: false }),
        response: { 201: Ok(AlertWithDeliveries) },
      },
    },
    async ({ actor, personId }, reply) => {
      const words = { title: 'Test alarm', message: 'This is a test. Nothing has happened.' }
      const who = { requested_by: signatureOf(actor) }
      const draft = {
        personId,
        kind: 'warning',
        class: 'wellness',
        ...words,
        source: 'test',
        data: who,
      } as const
      return reply.code(201).send(ok(clock.now(), detailOf(await raise(draft, deps), deps)))
    },
  )
}

function listRoutes(http: Http, deps: AlertRoutesDeps): void {
  const { clock, table, answers, nameOf } = deps
  http.get(
    '/alerts',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Alerts about everybody I may see, newest first; with since what I missed, oldest first',
        querystring: ListQuery,
        response: { 200: OkPage(Alert) },
      },
    },
    async (request) => {
      const { actor, query } = request
      if (query.person_id !== undefined && !maySee(actor, query.person_id, clock.now()))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
      const people = query.person_id === undefined ? deps.personIds() : [query.person_id]
      const visible = people.flatMap((personId) =>
        DATA_CLASSES.filter((one) => can(actor, 'read', personId, one, clock.now())).map(
          (one) => `${personId} ${one}`,
        ),
      )
      const window = { visible, state: query.state ?? null, ...sinceOf(query.since, deps) }
      const { alerts, total } = table.page(window, (query.page - 1) * query.per_page, query.per_page)
      if (query.since !== undefined)
        await answers.received(
          alerts.map(({ id }) => id),
          recipientOf(actor),
          'app',
        )
      const views = alerts.map((alert) => alertView(alert, nameOf))
      return okPage(clock.now(), views, query, total)
    },
  )
  http.get(
    '/alerts/:alertId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'One alert with everybody who was told, and when',
        params: Params,
        response: { 200: Ok(AlertWithDeliveries) },
      },
    },
    async (request) => ok(clock.now(), detailOf(find(request, request.params.alertId, deps), deps)),
  )
}

function sinceOf(since: string | undefined, { table }: AlertRoutesDeps) {
  if (since === undefined) return { sinceSeq: null, sinceMs: null }
  const known = table.find(since)
  if (known) return { sinceSeq: known.seq, sinceMs: null }
  const parsed = parseInstant(since, null)
  if ('atMs' in parsed) return { sinceSeq: null, sinceMs: parsed.atMs }
  throw new HubError(
    'VALIDATION_ERROR',
    'The query is not valid. since: is no alert that I know and no instant.',
    {
      details: [{ path: 'since', message: parsed.wrong, value: since }],
    },
  )
}

function answerRoutes(http: Http, deps: AlertRoutesDeps): void {
  const { clock, answers } = deps
  const about = (summary: string) => ({
    tags: ['alerts'],
    summary,
    params: Params,
    response: { 200: Ok(AlertWithDeliveries) },
  })
  http.post(
    '/alerts/:alertId/acknowledge',
    { config: { policy: USERS }, schema: about('I take care of it: nobody further is told') },
    async (request) => {
      const { id } = find(request, request.params.alertId, deps)
      const alert = await answers.acknowledge(id, signatureOf(request.actor), recipientOf(request.actor))
      return ok(clock.now(), detailOf(alert, deps))
    },
  )
  http.post(
    '/alerts/:alertId/snooze',
    {
      config: { policy: USERS },
      schema: { ...about('Not now, for me: it rings again later, and goes on to the others'), body: Snooze },
    },
    async (request) => {
      const { id } = find(request, request.params.alertId, deps)
      const alert = await answers.snooze(id, recipientOf(request.actor), request.body.minutes)
      return ok(clock.now(), detailOf(alert, deps))
    },
  )
  http.post(
    '/alerts/:alertId/seen',
    {
      config: { policy: USERS },
      schema: { ...about('It was shown to me'), body: Seen },
    },
    async (request) => {
      const { id } = find(request, request.params.alertId, deps)
      const alert = await answers.seen(id, recipientOf(request.actor), request.body.channel ?? null)
      return ok(clock.now(), detailOf(alert, deps))
    },
  )
}

function ownRoutes(http: Http, deps: AlertRoutesDeps): void {
  const { clock, audience, reach, store } = deps
  http.get(
    '/alerts/reach',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Who would hear an alert now, for everybody I may see',
        response: { 200: Ok(Type.Array(Reach)) },
      },
    },
    async ({ actor }) => {
      const mine = deps
        .personIds()
        .filter((personId) => can(actor, 'read', personId, 'wellness', clock.now()))
      return ok(clock.now(), mine.map(reach.of))
    },
  )
  http.get(
    '/alerts/settings',
    {
      config: { policy: USERS },
      schema: { tags: ['alerts'], summary: 'How I want to be told', response: { 200: Ok(Settings) } },
    },
    async ({ actor }) => ok(clock.now(), audience.settings(userIn(actor))),
  )
  http.route({
    method: ['PUT', 'PATCH'],
    url: '/alerts/settings',
    config: { policy: USERS },
    schema: {
      tags: ['alerts'],
      summary: 'Set my quiet hours; urgent alerts do not keep them',
      body: Settings,
      response: { 200: Ok(Settings) },
    },
    handler: async ({ actor, body }) => {
      const settings = JSON.stringify(body)
      await store.write([
        { sql: SET, params: { userId: userIn(actor), settings, nowMs: clock.now() }, expect: 1 },
      ])
      return ok(clock.now(), body as Static<typeof Settings>)
    },
  })
}

function userIn(actor: Actor): string {
  if (actor.kind === 'user') return actor.userId
  throw new HubError('FORBIDDEN', 'Only a signed-in user has settings. Sign in with an account.')
}
