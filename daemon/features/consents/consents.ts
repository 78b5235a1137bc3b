/** Who may see what about whom: grants that an owner gives, with an end if they want one. */
import { Type } from 'typebox'
import { type Action, type Actor, DATA_CLASSES, type DataClass, type Grant } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { GrantView, USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'

export interface Consents {
  feature: Feature
  /** A user's grants, those that ran out included: `can()` looks at the time. */
  grantsOf(userId: string): readonly Grant[]
  /** Prepares grants for a user who may be made in the same unit. */
  planGrants(userId: string, personId: string, grants: readonly Opened[]): Plan<null>
  /** Prepares taking every grant back, where no user stays. */
  planNone(): Plan<null>
  /** Tells whose grants have just changed; returns the way to stop listening. */
  onChanged(listener: (changed: { userId: string }) => void): () => void
  /** Reads again after another part changed persons. */
  reload(): void
}

export interface Opened {
  class: DataClass
  action: Action
}

export interface ConsentsDeps {
  store: Store
  clock: Clock
}

interface Row extends Grant {
  id: string
  userId: string
  createdAtMs: number
}

const SELECT = `SELECT consent.id, user.id AS userId, person.id AS personId, class, action, expires_at AS expiresAtMs,
    consent.created_at AS createdAtMs
  FROM consent JOIN user ON user.key = consent.user_key
    JOIN person ON person.key = consent.person_key AND person.deleted_at IS NULL
  ORDER BY consent.created_at, consent.id`

const UPSERT = `INSERT INTO consent (id, user_key, person_key, class, action, expires_at, created_at)
  VALUES (:id, (SELECT key FROM user WHERE id = :userId),
    (SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL), :class, :action, :expiresAtMs, :nowMs)
  ON CONFLICT (user_key, person_key, class) DO UPDATE SET id = :id, action = :action, expires_at = :expiresAtMs,
    created_at = :nowMs`

const NewGrant = Type.Object(
  {
    user_id: Id,
    person_id: Id,
    class: Type.Enum([...DATA_CLASSES]),
    action: Type.Enum(['read', 'write'], { default: 'read' }),
    expires_at: Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Number(), Type.Null()])),
  },
  { additionalProperties: false },
)
const Params = Type.Object({ id: Id }, { additionalProperties: false })
const Nothing = Type.Object({}, { additionalProperties: false })

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }

export function createConsents({ store, clock }: ConsentsDeps): Consents {
  let byUser = new Map<string, Row[]>()
  const listeners = new Set<(changed: { userId: string }) => void>()

  function reload(): void {
    byUser = new Map()
    for (const row of store.all<Row>(SELECT)) {
      byUser.set(row.userId, [...(byUser.get(row.userId) ?? []), row])
    }
  }

  function changed(userId: string): void {
    reload()
    for (const listener of listeners) listener({ userId })
  }

  function plan(userId: string, grant: Grant): Plan<Row> {
    const row = { id: newId(clock.now()), userId, createdAtMs: clock.now(), ...grant }
    const { createdAtMs: nowMs, ...params } = row
    const write: Write = { sql: UPSERT, params: { ...params, nowMs }, expect: 1 }
    return { result: row, writes: [write], committed: () => changed(userId) }
  }

  async function add(userId: string, grant: Grant): Promise<Row> {
    const planned = plan(userId, grant)
    await store.write(planned.writes)
    planned.committed()
    return planned.result
  }

  async function remove(id: string): Promise<void> {
    const row = [...byUser.values()].flat().find((one) => one.id === id)
    if (!row) throw new HubError('NOT_FOUND', 'There is no grant with this id.')
    await store.write([{ sql: 'DELETE FROM consent WHERE id = :id', params: { id } }])
    changed(row.userId)
  }

  reload()
  return {
    feature: {
      name: 'consents',
      routes: (http) =>
        consentRoutes(http, { store, clock, all: () => [...byUser.values()].flat(), add, remove }),
    },
    grantsOf: (userId) => byUser.get(userId) ?? [],
    onChanged(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    planGrants(userId, personId, opened) {
      const plans = opened.map((one) => plan(userId, { ...one, personId, expiresAtMs: null }))
      return {
        result: null,
        writes: plans.flatMap(({ writes }) => writes),
        committed: () => changed(userId),
      }
    },
    planNone: () => ({ result: null, writes: [{ sql: 'DELETE FROM consent' }], committed: reload }),
    reload,
  }
}

interface RouteDeps extends ConsentsDeps {
  all(): Row[]
  add(userId: string, grant: Grant): Promise<Row>
  remove(id: string): Promise<void>
}

function consentRoutes(http: Http, deps: RouteDeps): void {
  const { store, clock } = deps
  http.get(
    '/privacy/consents',
    {
      config: { policy: USERS },
      schema: {
        tags: ['privacy'],
        summary: 'Grants I gave, hold or am the subject of',
        querystring: PageQuery,
        response: { 200: OkPage(GrantView) },
      },
    },
    async ({ actor, query }) => {
      const visible = deps.all().filter((row) => concerns(row, actor))
      const page = visible.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(clock.now(), page.map(view), query, visible.length)
    },
  )
  http.post(
    '/privacy/consents',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: ['privacy'],
        summary: 'Open one class of a person to a user, replacing an earlier decision',
        body: NewGrant,
        response: { 201: Ok(GrantView) },
      },
    },
    async ({ body }, reply) => {
      const known = (table: 'user' | 'person', id: string) => store.get(KNOWN[table], { id }) !== undefined
      if (!known('user', body.user_id)) throw new HubError('NOT_FOUND', 'There is no user with this id.')
      if (!known('person', body.person_id))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
      const row = await deps.add(body.user_id, {
        personId: body.person_id,
        class: body.class,
        action: body.action,
        expiresAtMs: endOf(body.expires_at, clock.now()),
      })
      return reply.code(201).send(ok(clock.now(), view(row)))
    },
  )
  http.delete(
    '/privacy/consents/:id',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['privacy'],
        summary: 'Take a grant back at once',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ params }) => {
      await deps.remove(params.id)
      return ok(clock.now(), {})
    },
  )
}

const KNOWN = {
  user: 'SELECT 1 FROM user WHERE id = :id',
  person: 'SELECT 1 FROM person WHERE id = :id AND deleted_at IS NULL',
} as const

/** Owners see every grant; others those they hold and those about themselves. */
function concerns(row: Row, actor: Actor): boolean {
  if (actor.kind === 'local') return true
  return (
    actor.kind === 'user' &&
    (actor.role === 'owner' || row.userId === actor.userId || row.personId === actor.personId)
  )
}

function endOf(value: string | number | null | undefined, nowMs: number): number | null {
  if (value === undefined || value === null) return null
  const parsed = parseInstant(value, null)
  const wrong = 'wrong' in parsed ? parsed.wrong : parsed.atMs <= nowMs ? 'is already past' : null
  if (wrong !== null || 'wrong' in parsed) {
    throw new HubError('VALIDATION_ERROR', `The end of the grant cannot be used: ${wrong}.`, {
      details: [{ path: 'expires_at', message: wrong ?? '', value }],
    })
  }
  return parsed.atMs
}

function view(row: Row): GrantView {
  return {
    id: row.id,
    user_id: row.userId,
    person_id: row.personId,
    class: row.class,
    action: row.action,
    expires_at: row.expiresAtMs === null ? null : iso(row.expiresAtMs),
    created_at: iso(row.createdAtMs),
  }
}
