import type { FastifyRequest } from 'fastify'
import { type Action, type Actor, can, DATA_CLASSES, type DataClass, maySee } from '../domain/access.ts'
import type { Http, PersonFrom, Policy } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'
import { touch } from './witness.ts'

/** Why a caller may not do something to a person's data; null when it may. */
export type Refusal = 'NOT_FOUND' | 'FORBIDDEN' | null

export interface PolicyDeps {
  now: () => number
  personExists: (personId: string) => boolean
}

/** The one body for a person that is not there, which is also what somebody hears who may not see that person. */
export function personNotFound(): HubError {
  return new HubError('NOT_FOUND', 'There is no person with this id.')
}

/** Refuses before the body is read: no credential on a route that needs one, or a role that may never use it. */
export function checkRole(actor: Actor, policy: Policy): void {
  if (policy.access === 'open') return
  if (policy.access === 'local') {
    if (actor.kind !== 'local') throw new HubError('NOT_FOUND', 'There is nothing here.')
    return
  }
  if (actor.kind === 'anonymous') {
    throw new HubError('UNAUTHENTICATED', 'Sign in and send the access token as Authorization: Bearer.')
  }
  if (!policy.roles.includes(actor.role)) {
    throw new HubError('FORBIDDEN', `The role ${actor.role} may not use this.`)
  }
}

/** What stands between a caller and one class of a person's data; `any` and `by-metric` ask for at least one class. */
export function refusal(
  actor: Actor,
  action: Action,
  personId: string,
  dataClass: DataClass | 'any' | 'by-metric',
  nowMs: number,
): Refusal {
  const classes = dataClass === 'any' || dataClass === 'by-metric' ? DATA_CLASSES : [dataClass]
  if (classes.some((one) => can(actor, action, personId, one, nowMs))) return null
  return maySee(actor, personId, nowMs) || serves(actor, personId) ? 'FORBIDDEN' : 'NOT_FOUND'
}

/** Decides `person` routes before their handler runs, and gives handlers `authorize` for what only they know. */
export function enforcePersonPolicies(http: Http, deps: PolicyDeps): void {
  http.decorateRequest('personId', '')
  http.decorateRequest('touched', null)
  http.decorateRequest('authorize', function authorize(this: FastifyRequest, personId, action, dataClass) {
    refuse(refusal(this.actor, action, personId, dataClass, deps.now()))
    if (!deps.personExists(personId)) throw personNotFound()
    touch(this, { personId, action, class: dataClass })
  })
  http.addHook('preHandler', async (request) => {
    const policy = request.routeOptions.config.policy
    if (policy?.access !== 'person') return
    const personId = personOf(request, policy.person)
    refuse(refusal(request.actor, policy.action, personId, policy.class, deps.now()))
    if (!deps.personExists(personId)) throw personNotFound()
    request.personId = personId
    // Which classes a route of several is about, its handler says.
    if (policy.class !== 'by-metric') touch(request, { personId, action: policy.action, class: policy.class })
  })
}

function refuse(reason: Refusal): void {
  if (reason === 'NOT_FOUND') throw personNotFound()
  if (reason === 'FORBIDDEN') {
    throw new HubError(
      'FORBIDDEN',
      'Your access to this person does not cover this. The owner can widen it under Privacy.',
    )
  }
}

function serves(actor: Actor, personId: string): boolean {
  return actor.kind === 'device' && actor.serves.includes(personId)
}

function personOf(request: FastifyRequest, from: PersonFrom): string {
  const part: unknown = request[from.in]
  const named: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, from.name) : undefined
  if (typeof named === 'string') return named
  const own = from.orSelf ? selfOf(request.actor) : null
  if (own !== null) return own
  throw new HubError('VALIDATION_ERROR', `Say whose data this is about: ${from.name} is missing.`, {
    details: [{ path: from.name, message: 'is missing' }],
  })
}

/** The signed-in person, or whom the device serves first: its wearer. */
function selfOf(actor: Actor): string | null {
  if (actor.kind === 'user') return actor.personId
  return actor.kind === 'device' ? (actor.serves[0] ?? null) : null
}
