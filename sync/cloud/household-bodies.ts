/** What the API of a household takes and answers: checked at the door, and described in the service's OpenAPI document. */
import { type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Consent } from '../rows.ts'
import { Job, StatusAnswer } from '../wire.ts'
import { TOKEN_ROLES } from './identity.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const Id = Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,64}$' })
const PersonId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })
const Subject = orNull(PersonId)
const Epoch = Type.Integer({ description: 'Milliseconds UTC' })
const Revision = Type.String({ description: 'Of this state; If-Match with it edits only what was read' })

export const Params = Type.Object({ id: Id })
export const KindParams = Type.Object({ kind: Type.String() })
export const RowsQuery = Type.Object({
  after: Type.Optional(Type.String({ description: '`next` of the page before' })),
})
export const RollupsQuery = Type.Object({
  subject: Type.String({ minLength: 1 }),
  metric: Type.String({ minLength: 1 }),
  level: Type.Optional(Type.Enum(['hour', 'day'])),
  from: Type.String({ pattern: '^-?\\d{1,15}$', description: 'Milliseconds UTC, inclusive' }),
  to: Type.String({ pattern: '^-?\\d{1,15}$', description: 'Milliseconds UTC, exclusive' }),
})
export const IfMatch = Type.Object({ 'if-match': Type.Optional(Type.String()) })

const Fields = Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9_:-]{0,99}$' }), Type.Unknown(), {
  maxProperties: 200,
})
export const Edit = Type.Object({
  id: Type.Optional(Id),
  subject: Type.Optional(Subject),
  fields: Fields,
})
export const Grant = Type.Object({
  id: Type.Optional(Id),
  subject: PersonId,
  grantee: Type.String({ minLength: 1, maxLength: 100 }),
  class: Type.Enum(['wellness', 'glucose', 'training', 'media']),
  action: Type.Enum(['read', 'write']),
  expires_at: Type.Optional(orNull(Type.Integer())),
})
export const Erase = Type.Object({ subject: PersonId })
export const Offer = Type.Object({
  job_id: Type.Optional(PersonId),
  kind: Type.String({ minLength: 1, maxLength: 60 }),
  subject: Type.Optional(Subject),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  deadline: Type.Optional(Epoch),
})
export const NewToken = Type.Object({
  role: Type.Enum([...TOKEN_ROLES]),
  name: Type.String({ minLength: 1, maxLength: 100 }),
})

export const Entity = Type.Object({
  id: Type.String(),
  subject: orNull(Type.String()),
  fields: Type.Record(Type.String(), Type.Unknown()),
  revision: Revision,
  updated_at: orNull(Epoch),
})
export const entitiesNamed = (name: string) => Type.Object({ [name]: Type.Array(Entity) })
const ShownConsent = Type.Object({ id: Type.String(), revision: Revision, ...Consent.properties })
const Token = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Type.Enum([...TOKEN_ROLES]),
  created_at: Epoch,
  revoked_at: orNull(Epoch),
})
const Hub = Type.Object({
  id: Type.String(),
  name: Type.String(),
  version: Type.String(),
  epoch: Type.Integer(),
  registered_at: Epoch,
  last_seen_at: orNull(Epoch),
  revoked_at: orNull(Epoch),
  forked_at: orNull(Epoch),
})
export const Answers = {
  household: Type.Object({ household_id: Type.String(), role: Type.Enum([...TOKEN_ROLES]) }),
  token: Type.Object({ id: Type.String(), token: Type.String({ description: 'Not shown again' }) }),
  tokens: Type.Object({ tokens: Type.Array(Token) }),
  hubs: Type.Object({ hubs: Type.Array(Hub) }),
  code: Type.Object({ code: Type.String(), expires_at: Epoch }),
  consent: ShownConsent,
  consents: Type.Object({ consents: Type.Array(ShownConsent) }),
  erasures: Type.Object({ erasures: StatusAnswer.properties.erasures }),
  job: Job,
  jobs: Type.Object({ jobs: Type.Array(Job) }),
  rows: Type.Object({
    rows: Type.Array(Type.Object({ hub: Type.String(), key: Type.String() })),
    next: orNull(Type.String()),
  }),
  rollups: Type.Object({ rollups: Type.Array(Type.Object({ device: Type.String(), start: Epoch })) }),
} as const

export const Fault = Type.Object({
  error: Type.Object({ reason: Type.String(), message: Type.String() }),
  /** With 412: as it is now. */
  current: Type.Optional(Type.Unknown()),
})

export interface BodyCheck<Value> {
  Check(value: unknown): value is Value
  Errors(value: unknown): readonly { instancePath: string; message: string }[]
}

/** A refusal of the API of households. */
export class Refuse extends Error {
  readonly status: number
  readonly reason: string
  readonly more: object

  constructor(status: number, reason: string, message: string, more: object = {}) {
    super(message)
    this.status = status
    this.reason = reason
    this.more = more
  }
}

export function missing(): Refuse {
  return new Refuse(404, 'missing', 'There is no such thing in this household.')
}

/** The body as its schema says; throws what the caller is told. */
export function checked<Value>(check: BodyCheck<Value>, body: unknown): Value {
  if (check.Check(body)) return body
  const [error] = check.Errors(body)
  throw new Refuse(400, 'invalid', `${error?.instancePath || 'body'} ${error?.message ?? 'does not fit'}`)
}

export const Checks = {
  edit: Compile(Edit),
  grant: Compile(Grant),
  erase: Compile(Erase),
  offer: Compile(Offer),
  token: Compile(NewToken),
  rollups: Compile(RollupsQuery),
}

/** A route's part of the document: what it answers when all is well, and how it refuses. */
export function described(
  summary: string,
  answer: TSchema | null,
  more: { status?: number; body?: TSchema; params?: TSchema; querystring?: TSchema; headers?: TSchema } = {},
) {
  const { status = answer === null ? 204 : 200, ...parts } = more
  return {
    ...{ tags: ['household'], summary, security: [{ token: [] }], ...parts },
    response: { [status]: answer ?? Type.Null({ description: 'Done' }), '4xx': Fault, '5xx': Fault },
  }
}
