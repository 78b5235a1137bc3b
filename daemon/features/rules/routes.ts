/** HTTP of rules: kept for a person, suggested from own days, tried on the past. */
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type Action, can, maySee } from '../../domain/access.ts'
import { signatureOf } from '../../domain/episode.ts'
import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { type Metric, metricNamed, resolveMetric } from '../../domain/metric.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { Condition, conditionFault, metricOf, RuleDraft } from '../../domain/rule.ts'
import { USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store, Write } from '../../store/store.ts'
import type { NearDevice } from './ports.ts'
import { Preset, suggest } from './presets.ts'
import { FIRINGS_SHOWN, rehearse } from './rehearsal.ts'
import {
  RULES_PER_PERSON,
  type RuleTable,
  ruleView,
  ruleWrites,
  type StoredRule,
  versionView,
} from './table.ts'

export interface RuleRoutesDeps {
  store: Pick<Store, 'write' | 'observations'>
  clock: Clock
  newId: () => string
  table: RuleTable
  personIds: () => readonly string[]
  isGrownUp: (personId: string) => boolean
  wornBy: (personId: string) => readonly NearDevice[]
  /** Resolves when the rules that are stored now are judged. */
  onChanged: () => Promise<void>
  /** What the household reads glucose in. */
  glucoseUnit: () => GlucoseUnit
}

const DAY_MS = 86_400_000
const TRIED_DAYS = 7
const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const about = (where: 'body' | 'query', action: Action): Policy => ({
  access: 'person',
  roles: USER_ROLES,
  person: { in: where, name: 'person_id', orSelf: true },
  action,
  class: 'by-metric',
})
const Params = Type.Object({ ruleId: Id }, { additionalProperties: false })
const Rule = Type.Object(
  {
    id: Id,
    person_id: Id,
    ...RuleDraft.properties,
    revision: Type.Integer(),
    created_at: Timestamp,
    updated_at: Timestamp,
    updated_by: Type.String(),
  },
  { additionalProperties: false },
)
const Version = Type.Object(
  { revision: Type.Integer(), ...RuleDraft.properties, updated_by: Type.String(), replaced_at: Timestamp },
  { additionalProperties: false },
)
const NewRule = Type.Object(
  { person_id: Type.Optional(Id), ...RuleDraft.properties },
  { additionalProperties: false },
)
const Changes = Type.Object(
  {
    name: Type.Optional(RuleDraft.properties.name),
    condition: Type.Optional(Condition),
    severity: Type.Optional(Type.Enum(['warning', 'urgent'])),
    enabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
const instant = Type.Union([Type.String({ maxLength: 40 }), Type.Number()])
const Trial = Type.Object(
  {
    person_id: Type.Optional(Id),
    condition: Condition,
    from: Type.Optional(instant),
    to: Type.Optional(instant),
  },
  { additionalProperties: false },
)
const Tried = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    level: Type.Enum(['raw', '1m']),
    values: Type.Integer(),
    complete: Type.Boolean({ description: 'False: too many values for one look, to is where it ended' }),
    total: Type.Integer(),
    firings: Type.Array(
      Type.Object({
        started_at: Timestamp,
        fired_at: Timestamp,
        ended_at: Type.Union([Timestamp, Type.Null()]),
        value: Type.Number({ description: 'Of the metric; seconds for rules about silence' }),
      }),
    ),
  },
  { additionalProperties: false },
)
const ListQuery = Type.Object(
  { ...PageQuery.properties, person_id: Type.Optional(Id) },
  { additionalProperties: false },
)

export function ruleRoutes(http: Http, deps: RuleRoutesDeps): void {
  listRoutes(http, deps)
  keepRoutes(http, deps)
  changeRoutes(http, deps)
  trialRoutes(http, deps)
}

/** The condition with its metric's own name. Throws UNKNOWN_METRIC, or OUT_OF_RANGE with the field that is wrong. */
function checked(condition: Condition): { condition: Condition; metric: Metric } {
  const metric = resolveMetric(metricOf(condition))
  if (!metric)
    throw new HubError('UNKNOWN_METRIC', 'There is no such metric. The metrics are listed in /docs.', {
      details: [{ path: 'condition.metric', message: 'is no metric', value: metricOf(condition) }],
    })
  const named = condition.type === 'battery' ? condition : { ...condition, metric: metric.name }
  const fault = conditionFault(named, metric)
  if (fault === null) return { condition: named, metric }
  throw new HubError('OUT_OF_RANGE', `This condition cannot be judged. ${fault.path} ${fault.message}.`, {
    details: [{ ...fault, path: `condition.${fault.path}` }],
  })
}

/** Whoever is looked after does not set what others are told about; grown-ups do for themselves. */
function mayKeep({ actor }: FastifyRequest, personId: string, deps: RuleRoutesDeps): void {
  if (actor.kind !== 'user' || actor.role === 'owner' || actor.personId !== personId) return
  if (!deps.isGrownUp(personId))
    throw new HubError('FORBIDDEN', 'Ask whoever looks after you to change what they are told.')
}

/** A rule of somebody out of sight is told like one that is not there. */
function find(request: FastifyRequest, action: Action, deps: RuleRoutesDeps): StoredRule {
  const id: unknown = Reflect.get(Object(request.params), 'ruleId')
  const rule = typeof id === 'string' ? deps.table.find(id) : undefined
  if (!rule || !maySee(request.actor, rule.personId, deps.clock.now()))
    throw new HubError('NOT_FOUND', 'There is no rule with this id.')
  request.authorize(rule.personId, action, classOf(rule))
  if (action === 'write') mayKeep(request, rule.personId, deps)
  return rule
}

function classOf({ definition }: StoredRule) {
  return metricNamed(metricOf(definition.condition))?.class ?? 'wellness'
}

async function commit(
  id: string,
  writes: readonly Write[],
  deps: RuleRoutesDeps,
): Promise<StoredRule | undefined> {
  await deps.store.write(writes)
  await deps.onChanged()
  return deps.table.find(id)
}

function listRoutes(http: Http, deps: RuleRoutesDeps): void {
  const { clock, table } = deps
  http.get(
    '/rules',
    {
      config: { policy: USERS },
      schema: {
        tags: ['rules'],
        summary: 'Rules about everybody I may see, oldest first',
        querystring: ListQuery,
        response: { 200: OkPage(Rule) },
      },
    },
    async ({ actor, query }) => {
      const { person_id: personId, page, per_page: size } = query
      if (personId !== undefined && !maySee(actor, personId, clock.now()))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
      const mine = table
        .all()
        .filter((rule) => personId === undefined || rule.personId === personId)
        .filter((rule) => can(actor, 'read', rule.personId, classOf(rule), clock.now()))
      const shown = mine.slice((page - 1) * size, page * size).map(ruleView)
      return okPage(clock.now(), shown, query, mine.length)
    },
  )
  http.get(
    '/rules/:ruleId',
    {
      config: { policy: USERS },
      schema: { tags: ['rules'], summary: 'One rule', params: Params, response: { 200: Ok(Rule) } },
    },
    async (request) => ok(clock.now(), ruleView(find(request, 'read', deps))),
  )
  http.get(
    '/rules/:ruleId/versions',
    {
      config: { policy: USERS },
      schema: {
        tags: ['rules'],
        summary: 'What the rule said before, newest first',
        params: Params,
        response: { 200: Ok(Type.Array(Version)) },
      },
    },
    async (request) => ok(clock.now(), table.versions(find(request, 'read', deps).id).map(versionView)),
  )
}

function keepRoutes(http: Http, deps: RuleRoutesDeps): void {
  const { clock } = deps
  http.post(
    '/rules',
    {
      config: { policy: about('body', 'write') },
      schema: {
        tags: ['rules'],
        summary: 'Keep a rule for a person; it is judged from now on',
        body: NewRule,
        response: { 201: Ok(Rule) },
      },
    },
    async (request, reply) => {
      const { personId, actor } = request
      const { person_id: _, ...draft } = request.body
      const { condition, metric } = checked(draft.condition)
      request.authorize(personId, 'write', metric.class)
      mayKeep(request, personId, deps)
      const rule = { id: deps.newId(), personId, definition: { ...draft, condition } }
      const kept = await commit(rule.id, ruleWrites.add(rule, signatureOf(actor), clock.now()), deps).catch(
        (cause: unknown) => {
          if (!(cause instanceof HubError) || cause.code !== 'CONFLICT') throw cause
          throw new HubError('CONFLICT', `A person has at most ${RULES_PER_PERSON} rules. Remove one first.`)
        },
      )
      if (!kept) throw new HubError('NOT_FOUND', 'There is no person with this id.')
      return reply.code(201).send(ok(clock.now(), ruleView(kept)))
    },
  )
}

function changeRoutes(http: Http, deps: RuleRoutesDeps): void {
  const { clock } = deps
  http.route({
    method: ['PUT', 'PATCH'],
    url: '/rules/:ruleId',
    config: { policy: USERS },
    schema: {
      tags: ['rules'],
      summary: 'Change a rule; absent fields stay, what it said before is kept',
      params: Params,
      body: Changes,
      response: { 200: Ok(Rule) },
    },
    handler: async (request) => {
      const rule = find(request, 'write', deps)
      const { condition = rule.definition.condition, ...rest } = request.body as Static<typeof Changes>
      const next = checked(condition)
      request.authorize(rule.personId, 'write', next.metric.class)
      const definition = { ...rule.definition, ...rest, condition: next.condition }
      const writes = ruleWrites.change(rule, definition, signatureOf(request.actor), clock.now())
      return ok(clock.now(), ruleView((await commit(rule.id, writes, deps)) ?? rule))
    },
  })
  http.delete(
    '/rules/:ruleId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['rules'],
        summary: 'Remove a rule; what it opened is over',
        params: Params,
        response: { 200: Ok(Type.Object({}, { additionalProperties: false })) },
      },
    },
    async (request) => {
      const rule = find(request, 'write', deps)
      await commit(rule.id, ruleWrites.remove(rule, signatureOf(request.actor), clock.now()), deps)
      return ok(clock.now(), {})
    },
  )
}

function trialRoutes(http: Http, deps: RuleRoutesDeps): void {
  const { clock, store } = deps
  http.post(
    '/rules/test',
    {
      config: { policy: about('body', 'read') },
      schema: {
        tags: ['rules'],
        summary: 'When a rule would have fired: by default over the last seven days, at most 31',
        body: Trial,
        response: { 200: Ok(Tried) },
      },
    },
    async (request) => {
      const { body, personId } = request
      const { condition, metric } = checked(body.condition)
      request.authorize(personId, 'read', metric.class)
      const toMs = body.to === undefined ? clock.now() : instantOf('to', body.to)
      const fromMs = body.from === undefined ? toMs - TRIED_DAYS * DAY_MS : instantOf('from', body.from)
      const found = await rehearse(store, condition, metric, { personId, fromMs, toMs })
      const { level, values, complete, firings } = found
      return ok(clock.now(), {
        ...{ from: iso(fromMs), to: iso(found.toMs), level, values, complete, total: firings.length },
        firings: firings.slice(-FIRINGS_SHOWN).map((one) => ({
          started_at: iso(one.fromMs),
          fired_at: iso(one.firedMs),
          ended_at: one.toMs === null ? null : iso(one.toMs),
          value: one.value,
        })),
      })
    },
  )
  http.get(
    '/rules/presets',
    {
      config: { policy: about('query', 'read') },
      schema: {
        tags: ['rules'],
        summary: 'Suggestions from what is usual for this person; none is in force until it is kept',
        querystring: Type.Object({ person_id: Type.Optional(Id) }, { additionalProperties: false }),
        response: {
          200: Ok(
            Type.Object(
              { presets: Type.Array(Preset), not_enough_data: Type.Array(Type.String()) },
              { additionalProperties: false },
            ),
          ),
        },
      },
    },
    async ({ actor, personId }) => {
      const nowMs = clock.now()
      const sees = (metric: Metric) => can(actor, 'read', personId, metric.class, nowMs)
      const { presets, tooFew } = await suggest(
        store,
        personId,
        nowMs,
        deps.wornBy(personId),
        sees,
        deps.glucoseUnit(),
      )
      return ok(nowMs, { presets, not_enough_data: tooFew })
    },
  )
}

function instantOf(path: string, text: string | number): number {
  const parsed = parseInstant(text, null)
  if ('atMs' in parsed) return parsed.atMs
  throw new HubError('VALIDATION_ERROR', `The body is not valid. ${path}: ${parsed.wrong}.`, {
    details: [{ path, message: parsed.wrong, value: text }],
  })
}
