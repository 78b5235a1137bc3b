/** HTTP of people: everybody sees those they may see, owners add and remove. */
import { type Static, Type } from 'typebox'
import { type Actor, can, maySee } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { Day, DIABETES_TYPES, OpenObject, PERSON_KINDS, Person, SchoolEvents } from '../../domain/person.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { type PersonChanges, personView, type Register } from './register.ts'

export interface PeopleRoutesDeps {
  people: Register
  clock: Clock
}

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]))

const Target = Type.Number({ minimum: 40, maximum: 400, description: 'mg/dL' })
const Fields = {
  name: Type.Optional(DisplayName),
  full_name: Type.Optional(DisplayName),
  kind: Type.Optional(Type.Enum([...PERSON_KINDS])),
  birth_date: orNull(Day),
  age: orNull(Type.Integer({ minimum: 0, maximum: 130 })),
  timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  baseline_stress: orNull(Type.Number({ minimum: 0, maximum: 1 })),
  diabetes_type: orNull(Type.Enum([...DIABETES_TYPES])),
  target_glucose_min: Type.Optional(Target),
  target_glucose_max: Type.Optional(Target),
  school_events: Type.Optional(SchoolEvents),
  preferences: Type.Optional(OpenObject),
}
const NewPerson = Type.Object({ id: Type.Optional(Id), ...Fields }, { additionalProperties: false })
const Changes = Type.Object(Fields, { additionalProperties: false })
const Params = Type.Object({ personId: Id }, { additionalProperties: false })
const Nothing = Type.Object({}, { additionalProperties: false })

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const SEEN: Policy = {
  access: 'person',
  roles: USER_ROLES,
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'any',
}
const REMOVED: Policy = { ...SEEN, roles: ['owner'], action: 'write' }

export function peopleRoutes(http: Http, { people, clock }: PeopleRoutesDeps): void {
  http.get(
    '/people',
    {
      config: { policy: USERS },
      schema: {
        tags: ['people'],
        summary: 'Everybody I may see',
        querystring: PageQuery,
        response: { 200: OkPage(Person) },
      },
    },
    async ({ actor, query }) => {
      const nowMs = clock.now()
      const seen = people.all().filter(({ id }) => maySee(actor, id, nowMs))
      const page = seen.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(
        nowMs,
        page.map((person) => personView(person, nowMs)),
        query,
        seen.length,
      )
    },
  )
  http.post(
    '/people',
    {
      config: { policy: OWNER },
      schema: { tags: ['people'], summary: 'Add a person', body: NewPerson, response: { 201: Ok(Person) } },
    },
    async ({ body }, reply) => {
      const { name, ...rest } = changesOf(body)
      if (name === undefined) {
        throw new HubError('VALIDATION_ERROR', 'A person needs a name.', {
          details: [{ path: 'name', message: 'is missing' }],
        })
      }
      const person = await people.add({ name, ...rest, ...(body.id === undefined ? {} : { id: body.id }) })
      return reply.code(201).send(ok(clock.now(), personView(person, clock.now())))
    },
  )
  onePersonRoutes(http, { people, clock })
}

function onePersonRoutes(http: Http, { people, clock }: PeopleRoutesDeps): void {
  http.get(
    '/people/:personId',
    {
      config: { policy: SEEN },
      schema: { tags: ['people'], summary: 'One person', params: Params, response: { 200: Ok(Person) } },
    },
    async ({ personId }) => {
      const person = people.get(personId)
      if (!person) throw new HubError('NOT_FOUND', 'There is no person with this id.')
      return ok(clock.now(), personView(person, clock.now()))
    },
  )
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/people/:personId',
    config: { policy: SEEN },
    schema: {
      tags: ['people'],
      summary: 'Change a person; absent fields stay',
      params: Params,
      body: Changes,
      response: { 200: Ok(Person) },
    },
    handler: async ({ actor, body, personId }) => {
      if (!mayOptIn(actor, personId, body, clock.now()))
        refuseStrangers(actor, personId, body, people.get(personId)?.preferences ?? {})
      const person = await people.change(personId, changesOf(body))
      return ok(clock.now(), personView(person, clock.now()))
    },
  })
  http.delete(
    '/people/:personId',
    {
      config: { policy: REMOVED },
      schema: {
        tags: ['people'],
        summary: 'Remove a person; what was recorded stays until erased',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ personId }) => {
      await people.remove(personId)
      return ok(clock.now(), {})
    },
  )
}

/** What decides how a minor is treated is not theirs to change. */
const OWNERS_FIELDS = ['kind', 'birth_date', 'age'] as const

/** The preference with which an adult asks for the overload indicator of somebody under 16. */
const OPT_IN = 'burnout_opt_in'

/** A caregiver who reads how somebody is may ask for the overload indicator, and changes nothing else. */
function mayOptIn(actor: Actor, personId: string, body: Static<typeof Changes>, nowMs: number): boolean {
  const { preferences = {}, ...rest } = body
  const names = Object.keys(preferences)
  return (
    Object.keys(rest).length === 0 &&
    names.length === 1 &&
    names[0] === OPT_IN &&
    actor.kind === 'user' &&
    actor.role === 'caregiver' &&
    can(actor, 'read', personId, 'wellness', nowMs)
  )
}

/** A grant opens a person's data, not the person's own record. */
function refuseStrangers(
  actor: Actor,
  personId: string,
  body: Static<typeof Changes>,
  preferences: Readonly<Record<string, unknown>>,
): void {
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return
  if (actor.kind !== 'user' || actor.personId !== personId) {
    throw new HubError('FORBIDDEN', 'Only an owner or the person may change this record.')
  }
  const field = OWNERS_FIELDS.find((name) => body[name] !== undefined)
  if (field) throw new HubError('FORBIDDEN', `Only an owner may change ${field}.`)
  const asked = body.preferences?.[OPT_IN]
  if (asked !== undefined && asked !== preferences[OPT_IN])
    throw new HubError('FORBIDDEN', `Only an owner or a caregiver may change preferences.${OPT_IN}.`)
}

function changesOf(body: Static<typeof Changes>): PersonChanges {
  const { full_name: fullName, birth_date: birthDate, baseline_stress: baselineStress, age, ...same } = body
  const { school_events: schoolEvents, diabetes_type: diabetesType } = body
  const { target_glucose_min: targetGlucoseMin, target_glucose_max: targetGlucoseMax } = body
  const name = same.name ?? fullName
  return {
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(same.kind === undefined ? {} : { kind: same.kind }),
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(age === undefined ? {} : { age }),
    ...(same.timezone === undefined ? {} : { timezone: same.timezone }),
    ...(baselineStress === undefined ? {} : { baselineStress }),
    ...(diabetesType === undefined ? {} : { diabetesType }),
    ...(targetGlucoseMin === undefined ? {} : { targetGlucoseMin }),
    ...(targetGlucoseMax === undefined ? {} : { targetGlucoseMax }),
    ...(schoolEvents === undefined ? {} : { schoolEvents }),
    ...(same.preferences === undefined ? {} : { preferences: same.preferences }),
  }
}
