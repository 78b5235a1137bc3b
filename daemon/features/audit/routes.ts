/** HTTP of the audit log: an owner reads all of it, everybody else what concerns them. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { SqlParams, Store } from '../../store/store.ts'
import type { AuditEntry } from './entry.ts'
import type { Noted, Verdict } from './verify.ts'

export interface AuditRoutesDeps {
  store: Pick<Store, 'all' | 'get'>
  now: () => number
  settle: () => Promise<void>
  verify: (noted: Noted | null) => Promise<Verdict>
}

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()])
const Entry = Type.Object({
  seq: Type.Integer(),
  at: Timestamp,
  act: Type.String({ description: 'read, sign-in, grant, export, erase, …' }),
  who: Type.Object({
    kind: Type.Enum(['user', 'device', 'local', 'hub', 'anonymous']),
    id: Maybe(Type.String()),
    name: Maybe(Type.String({ description: 'As they are called today' })),
  }),
  person_id: Maybe(Type.String()),
  class: Maybe(Type.String({ description: 'Class of data that was read; any: several' })),
  detail: Type.Record(Type.String(), Type.Unknown()),
})
const Query = Type.Object(
  {
    ...PageQuery.properties,
    person_id: Type.Optional(Id),
    act: Type.Optional(Type.String({ maxLength: 40 })),
    before: Type.Optional(Type.String({ maxLength: 64, description: 'An instant, exclusive' })),
  },
  { additionalProperties: false },
)
const VerifyQuery = Type.Object(
  {
    head: Type.Optional(
      Type.String({ pattern: '^[0-9]{1,15}:[0-9a-f]{64}$', description: 'An end noted elsewhere, seq:hash' }),
    ),
  },
  { additionalProperties: false },
)
const Verified = Type.Object({
  whole: Type.Boolean(),
  entries: Type.Integer(),
  anchors: Type.Integer(),
  first_seq: Maybe(Type.Integer()),
  last_seq: Maybe(Type.Integer()),
  head: Maybe(Type.String()),
  problem: Maybe(Type.String()),
  problem_seq: Maybe(Type.Integer()),
})

const ALL = 'FROM audit_entry'
const TOTAL = 'SELECT coalesce(MAX(seq) - MIN(seq) + 1, 0) AS total FROM audit_entry'
const LIST = (
  from: string,
) => `SELECT seq, at AS atMs, act, who_kind AS whoKind, who, person, class, detail ${from}
  ORDER BY seq DESC LIMIT :limit OFFSET :offset`
const COUNT = (from: string) => `SELECT COUNT(*) AS total ${from}`
const NAMES = {
  user: 'SELECT name FROM user WHERE id = :id',
  device: 'SELECT name FROM device WHERE id = :id',
} as const

export function auditRoutes(http: Http, { store, now, settle, verify }: AuditRoutesDeps): void {
  http.get(
    '/privacy/audit',
    {
      config: { policy: USERS },
      schema: {
        tags: ['privacy'],
        summary: 'Who signed in, changed something or looked at whom, newest first',
        querystring: Query,
        response: { 200: OkPage(Entry) },
      },
    },
    async ({ actor, query }) => {
      await settle()
      const { from, params } = wanted(actor, query, now())
      const offset = (query.page - 1) * query.per_page
      const rows = store.all<AuditEntry>(LIST(from), { ...params, limit: query.per_page, offset })
      // Without a condition the numbers themselves tell how many: counting years of entries would hold everybody up.
      const count = from === ALL ? TOTAL : COUNT(from)
      const total = store.get<{ total: number }>(count, params)?.total ?? 0
      return okPage(
        now(),
        rows.map((row) => view(row, store)),
        query,
        total,
      )
    },
  )
  http.get(
    '/privacy/audit/verify',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['privacy'],
        summary: 'Whether the audit log is as it was written',
        querystring: VerifyQuery,
        response: { 200: Ok(Verified) },
      },
    },
    async ({ query }) => {
      const { firstSeq, lastSeq, problemSeq, ...verdict } = await verify(notedIn(query.head))
      const seqs = { first_seq: firstSeq, last_seq: lastSeq, problem_seq: problemSeq }
      return ok(now(), { ...verdict, ...seqs })
    },
  )
}

function notedIn(head: string | undefined): Noted | null {
  if (head === undefined) return null
  const [seq, hash = ''] = head.split(':')
  return { seq: Number(seq), hash: Buffer.from(hash, 'hex') }
}

/** Others than owners read what was done to them and by them. Only conditions that are asked for, so that SQLite finds an index. */
function wanted(
  actor: Actor,
  query: { person_id?: string; act?: string; before?: string },
  nowMs: number,
): { from: string; params: SqlParams } {
  const parsed = query.before === undefined ? { atMs: nowMs + 1 } : parseInstant(query.before, null)
  if ('wrong' in parsed) {
    throw new HubError('VALIDATION_ERROR', `The query is not valid. before: ${parsed.wrong}.`, {
      details: [{ path: 'before', message: parsed.wrong, value: query.before }],
    })
  }
  const user = actor.kind === 'user' && actor.role !== 'owner' ? actor : null
  const conditions = [
    ...(query.person_id === undefined ? [] : ['person = :person']),
    ...(query.act === undefined ? [] : ['act = :act']),
    ...(query.before === undefined ? [] : ['at < :beforeMs']),
    ...(user === null ? [] : ['(person = :self OR who = :user)']),
  ]
  const params = {
    ...(query.person_id === undefined ? {} : { person: query.person_id }),
    ...(query.act === undefined ? {} : { act: query.act }),
    ...(query.before === undefined ? {} : { beforeMs: parsed.atMs }),
    ...(user === null ? {} : { self: user.personId, user: user.userId }),
  }
  return { from: conditions.length === 0 ? ALL : `${ALL} WHERE ${conditions.join(' AND ')}`, params }
}

function view(row: AuditEntry, store: Pick<Store, 'get'>) {
  const { seq, act, person, class: dataClass } = row
  const sql = row.whoKind === 'user' ? NAMES.user : row.whoKind === 'device' ? NAMES.device : null
  const name =
    sql === null || row.who === null
      ? null
      : (store.get<{ name: string }>(sql, { id: row.who })?.name ?? null)
  const kind = row.whoKind as 'user' | 'device' | 'local' | 'hub' | 'anonymous'
  const detail = row.detail === null ? {} : (JSON.parse(row.detail) as Record<string, unknown>)
  return {
    ...{ seq, at: iso(row.atMs), act, who: { kind, id: row.who, name } },
    ...{ person_id: person, class: dataClass, detail },
  }
}
