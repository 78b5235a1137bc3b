/** HTTP of one kind of record: told, listed, shown with its history, corrected, taken back. */
import type { FastifyRequest } from 'fastify'
import { type TObject, Type } from 'typebox'
import { type Action, type Actor, maySee } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { type RecordKind, Source } from '../../domain/record.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { MANUAL } from '../../domain/source.ts'
import { dayBounds, isDay } from '../../domain/zone.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Sources } from '../../store/sources.ts'
import { type Journal, refusedRecord, type Teller } from './journal.ts'
import type { RecordTable, StoredRecord } from './table.ts'

export interface RecordRoutesDeps {
  table: RecordTable
  journal: Journal
  sources: Sources
  now: () => number
  zoneOf: (personId: string) => string
  /** Whom a device's record of that instant belongs to, null for nobody. */
  wearerAt: (deviceId: string, atMs: number) => string | null
}

const USER_ROLES = ['owner', 'caregiver', 'coach', 'member'] as const
/** Whose record it is shows only once it is found, so these handlers ask for the person themselves. */
const BY_ID: Policy = { access: 'signed-in', roles: USER_ROLES }
const Nothing = Type.Object({}, { additionalProperties: false })
const ListQuery = Type.Object(
  {
    ...PageQuery.properties,
    person_id: Type.Optional(Id),
    from: Type.Optional(Type.String({ maxLength: 64, description: 'An instant or a local day, inclusive' })),
    to: Type.Optional(
      Type.String({ maxLength: 64, description: 'An instant, exclusive, or a local day, inclusive' }),
    ),
  },
  { additionalProperties: false },
)
const EVER = { fromMs: -8.64e15, toMs: 8.64e15 }

export function recordRoutes(http: Http, kind: RecordKind, deps: RecordRoutesDeps): void {
  const shown = shownOf(kind)
  tellRoute(http, kind, shown, deps)
  listRoute(http, kind, shown, deps)
  oneRoutes(http, kind, shown, deps)
}

function shownOf(kind: RecordKind) {
  return Type.Object({
    id: Id,
    person_id: Id,
    ...kind.shown,
    source: Type.String(),
    revision: Type.Integer(),
    created_at: Timestamp,
    updated_at: Timestamp,
    deleted_at: Type.Union([Timestamp, Type.Null()]),
  })
}

function viewOf(kind: RecordKind, record: StoredRecord, zone: string): Record<string, unknown> {
  return {
    id: record.id,
    person_id: record.personId,
    ...kind.show(record.fields, zone, record),
    source: record.source,
    revision: record.revision,
    created_at: iso(record.createdAtMs),
    updated_at: iso(record.updatedAtMs),
    deleted_at: record.deletedAtMs === null ? null : iso(record.deletedAtMs),
  }
}

function tellRoute(http: Http, kind: RecordKind, shown: TObject, deps: RecordRoutesDeps): void {
  const { journal, now, zoneOf } = deps
  const Body = Type.Object(
    { person_id: Type.Optional(Id), source: Type.Optional(Source), ...kind.sent },
    { additionalProperties: false },
  )
  const policy: Policy = {
    access: 'person',
    roles: [...USER_ROLES, 'device'],
    person: { in: 'body', name: 'person_id', orSelf: true },
    action: 'write',
    class: kind.class,
  }
  http.post(
    kind.path,
    {
      config: { policy },
      schema: {
        tags: ['records'],
        summary: `Record: ${kind.name}`,
        body: Body,
        response: { 200: Ok(shown), 201: Ok(shown) },
      },
    },
    async ({ body, actor, personId }, reply) => {
      const { person_id: named, source, ...sent } = body
      const draft = kind.read(sent, { nowMs: now(), zone: zoneOf(personId) })
      if ('code' in draft) throw refusedRecord(draft)
      const about = actor.kind === 'device' ? (named ?? wearer(actor, draft.dayMs, deps)) : personId
      const teller = await tellerOf(actor, about, source, deps)
      const { record, outcome } = await journal.tell(kind, draft, teller)
      reply.code(outcome === 'duplicate' ? 200 : 201)
      return ok(now(), viewOf(kind, record, zoneOf(record.personId)))
    },
  )
}

async function tellerOf(
  actor: Actor,
  personId: string,
  source: string | undefined,
  { sources }: RecordRoutesDeps,
): Promise<Teller> {
  if (actor.kind === 'device') return { personId, deviceId: actor.deviceId, source: source ?? actor.type }
  const name = source ?? MANUAL
  return { personId, deviceId: await sources.entryFor(name), source: name }
}

function wearer(
  actor: Extract<Actor, { kind: 'device' }>,
  atMs: number,
  { wearerAt }: RecordRoutesDeps,
): string {
  const personId = wearerAt(actor.deviceId, atMs)
  if (personId !== null) return personId
  throw new HubError(
    'NOT_FOUND',
    `Nobody wore this device at ${iso(atMs)}. Say whose record it is: person_id.`,
  )
}

function listRoute(
  http: Http,
  kind: RecordKind,
  shown: TObject,
  { table, now, zoneOf }: RecordRoutesDeps,
): void {
  const policy: Policy = {
    access: 'person',
    roles: USER_ROLES,
    person: { in: 'query', name: 'person_id', orSelf: true },
    action: 'read',
    class: kind.class,
  }
  http.get(
    kind.path,
    {
      config: { policy },
      schema: {
        tags: ['records'],
        summary: `Records of kind ${kind.name}, newest first`,
        querystring: ListQuery,
        response: { 200: OkPage(shown) },
      },
    },
    async ({ query, personId }) => {
      const zone = zoneOf(personId)
      const window = { kind: kind.name, personId, ...windowOf(query, zone) }
      const { records, total } = table.page(window, (query.page - 1) * query.per_page, query.per_page)
      const views = records.map((record) => viewOf(kind, record, zone))
      return okPage(now(), views, query, total)
    },
  )
}

function windowOf(query: { from?: string; to?: string }, zone: string): { fromMs: number; toMs: number } {
  const edge = (path: 'from' | 'to') => {
    const text = query[path]
    if (text === undefined) return path === 'from' ? EVER.fromMs : EVER.toMs
    if (isDay(text)) return dayBounds(text, zone)[path === 'from' ? 'fromMs' : 'toMs']
    const parsed = parseInstant(text, zone)
    if ('wrong' in parsed) throw invalid(path, parsed.wrong, text)
    return parsed.atMs
  }
  const window = { fromMs: edge('from'), toMs: edge('to') }
  if (window.fromMs > window.toMs) throw invalid('from', 'lies after to', query.from)
  return window
}

function invalid(path: string, message: string, value: unknown): HubError {
  return new HubError('VALIDATION_ERROR', `The query is not valid. ${path}: ${message}.`, {
    details: [{ path, message, value }],
  })
}

function oneRoutes(http: Http, kind: RecordKind, shown: TObject, deps: RecordRoutesDeps): void {
  const { table, journal, now, zoneOf } = deps
  const url = `${kind.path}/:${kind.name}Id`
  const Params = Type.Object({ [`${kind.name}Id`]: Id }, { additionalProperties: false })
  const Version = Type.Object({
    revision: Type.Integer(),
    replaced_at: Timestamp,
    fields: Type.Record(Type.String(), Type.Unknown()),
  })
  const WithHistory = Type.Object({ ...shown.properties, history: Type.Array(Version) })
  // Their bodies are merged with what is stored and then judged as a whole.
  const Changes = Type.Partial(Type.Object(kind.sent), { additionalProperties: false })
  const find = (request: FastifyRequest, action: Action) => {
    const id: unknown = Reflect.get(Object(request.params), `${kind.name}Id`)
    const record = typeof id === 'string' ? table.find(id) : null
    // A record of somebody out of sight is told like one that is not there.
    if (record?.kind !== kind.name || !maySee(request.actor, record.personId, now())) throw notFound(kind)
    request.authorize(record.personId, action, kind.class)
    return record
  }
  const about = (summary: string) => ({
    tags: ['records'],
    summary: `${summary} (${kind.name})`,
    params: Params,
  })

  http.get(
    url,
    {
      config: { policy: BY_ID },
      schema: { ...about('One record with everything it ever said'), response: { 200: Ok(WithHistory) } },
    },
    async (request) => {
      const record = find(request, 'read')
      const history = table
        .history(record.id)
        .map(({ revision, fields, replacedAtMs }) => ({ revision, replaced_at: iso(replacedAtMs), fields }))
      return ok(now(), { ...viewOf(kind, record, zoneOf(record.personId)), history })
    },
  )
  http.route({
    method: ['PATCH', 'PUT'],
    url,
    config: { policy: BY_ID },
    schema: { ...about('Correct a record; absent fields stay'), body: Changes, response: { 200: Ok(shown) } },
    handler: async (request) => {
      const record = find(request, 'write')
      const after = await journal.change(kind, record, Object(request.body))
      return ok(now(), viewOf(kind, after, zoneOf(after.personId)))
    },
  })
  http.delete(
    url,
    { config: { policy: BY_ID }, schema: { ...about('Take a record back'), response: { 200: Ok(Nothing) } } },
    async (request) => {
      await journal.remove(kind, find(request, 'write'))
      return ok(now(), {})
    },
  )
}

function notFound(kind: RecordKind): HubError {
  return new HubError('NOT_FOUND', `There is no ${kind.name} with this id.`)
}
