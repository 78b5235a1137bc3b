/** HTTP of claiming, registering, signing in and one's own account. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Actor, Grant } from '../../domain/access.ts'
import { OPEN_OBJECT_BYTES } from '../../domain/person.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { Tokens, USER_ROLES, User } from '../../domain/user.ts'
import { isZone } from '../../domain/zone.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { ClaimBody, LoginBody, Me, MeBody, RefreshBody, RegisterBody, StepUpBody } from './bodies.ts'
import { CLEARED_COOKIE, COOKIE_HEADER, refreshCookie, tokenFromCookies } from './cookie.ts'
import type { Claimant, Joining } from './joining.ts'
import { PROOF_MS, type SigningIn } from './signing-in.ts'
import { type StoredUser, type Users, userView } from './users.ts'

export interface AccountRoutesDeps {
  clock: Clock
  users: Users
  signingIn: SigningIn
  joining: Joining
  grantsOf: (userId: string) => readonly Grant[]
}

const BEFORE_CLAIM: Policy = { access: 'open', beforeClaim: true }
const OPEN: Policy = { access: 'open' }
const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }

export function accountRoutes(http: Http, deps: AccountRoutesDeps): void {
  joinRoutes(http, deps)
  signInRoutes(http, deps)
  stepUpRoute(http, deps)
  ownAccountRoutes(http, deps)
  http.get(
    '/users',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['auth'],
        summary: 'Who may sign in',
        querystring: PageQuery,
        response: { 200: OkPage(User) },
      },
    },
    async ({ query }) => {
      const all = deps.users.all()
      const page = all.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(deps.clock.now(), page.map(userView), query, all.length)
    },
  )
}

function joinRoutes(http: Http, { clock, joining }: AccountRoutesDeps): void {
  http.post(
    '/claim',
    {
      config: { policy: BEFORE_CLAIM },
      schema: {
        tags: ['auth'],
        summary: 'Make the first person the owner, with the code that the hub shows',
        body: ClaimBody,
        response: { 201: Ok(Tokens) },
      },
    },
    async ({ body, headers }, reply) => {
      const { claim_code: code, hub_name: hubName, timezone, ...claimant } = body
      if (timezone !== undefined && !isZone(timezone)) throw unknownZone(timezone)
      const tokens = await joining.claim(code, {
        ...claimant,
        ...(hubName === undefined ? {} : { hubName }),
        ...(timezone === undefined ? {} : { timezone }),
      })
      return reply.code(201).send(ok(clock.now(), handOver(tokens, wantsCookie(headers), reply)))
    },
  )
  http.post(
    '/auth/register',
    {
      config: { policy: BEFORE_CLAIM },
      schema: {
        tags: ['auth'],
        summary: 'Make an account, with the claim code or an invitation',
        body: RegisterBody,
        response: { 201: Ok(Tokens) },
      },
    },
    async ({ body, headers }, reply) => {
      const { claim_code: claimCode, invite_code: inviteCode, ...claimant } = body
      const tokens = await join(joining, claimant, claimCode, inviteCode)
      return reply.code(201).send(ok(clock.now(), handOver(tokens, wantsCookie(headers), reply)))
    },
  )
}

function join(
  joining: Joining,
  claimant: Claimant,
  claimCode?: string,
  inviteCode?: string,
): Promise<Tokens> {
  if (claimCode !== undefined) return joining.claim(claimCode, claimant)
  if (inviteCode !== undefined) return joining.register(inviteCode, claimant)
  throw new HubError(
    'INVITE_REQUIRED',
    joining.isClaimed()
      ? 'Registering needs an invitation: ask an owner of this hub for a code, under Devices > Add.'
      : 'This hub has no owner yet: send the claim_code it shows at start (or by: homefield claim-code).',
  )
}

function signInRoutes(http: Http, { clock, signingIn }: AccountRoutesDeps): void {
  http.post(
    '/auth/login',
    {
      config: { policy: OPEN },
      schema: {
        tags: ['auth'],
        summary: 'Sign in by name or e-mail address',
        body: LoginBody,
        response: { 200: Ok(Tokens) },
      },
    },
    async ({ body, headers, ip }, reply) => {
      const { password, ...who } = body
      if (who.name === undefined && who.email === undefined) {
        throw new HubError('VALIDATION_ERROR', 'Say who signs in: name or email is missing.', {
          details: [{ path: 'name', message: 'is missing' }],
        })
      }
      const tokens = await signingIn.login(who, password, ip)
      return ok(clock.now(), handOver(tokens, wantsCookie(headers), reply))
    },
  )
  http.post(
    '/auth/refresh',
    {
      config: { policy: OPEN },
      schema: {
        tags: ['auth'],
        summary: 'Trade a refresh token for new tokens',
        body: RefreshBody,
        response: { 200: Ok(Tokens) },
      },
    },
    async ({ body, headers }, reply) => {
      const fromCookie = body?.refresh_token === undefined
      const token = body?.refresh_token ?? tokenFromCookies(headers.cookie)
      if (token === null) throw new HubError('UNAUTHENTICATED', 'There is no refresh token. Sign in again.')
      const tokens = await signingIn.refresh(token)
      return ok(clock.now(), handOver(tokens, fromCookie || wantsCookie(headers), reply))
    },
  )
  http.post(
    '/auth/logout',
    {
      config: { policy: OPEN },
      schema: {
        tags: ['auth'],
        summary: 'End this sign-in at once',
        body: RefreshBody,
        response: { 200: Ok(Type.Object({}, { additionalProperties: false })) },
      },
    },
    async ({ body, headers }, reply) => {
      const access = /^Bearer +([^ ]+)$/i.exec(headers.authorization ?? '')?.[1] ?? null
      const refresh = body?.refresh_token ?? tokenFromCookies(headers.cookie)
      await signingIn.logout({ access, refresh })
      reply.header('set-cookie', CLEARED_COOKIE)
      return ok(clock.now(), {})
    },
  )
}

function stepUpRoute(http: Http, { clock, signingIn }: AccountRoutesDeps): void {
  http.post(
    '/auth/step-up',
    {
      config: { policy: USERS },
      schema: {
        tags: ['auth'],
        summary: 'Give the password again, for what is dangerous in the next five minutes',
        body: StepUpBody,
        response: { 200: Ok(Type.Object({ expires_in: Type.Integer({ description: 'Seconds' }) })) },
      },
    },
    async ({ actor, body, ip }) => {
      await signingIn.prove(actor, body, ip)
      return ok(clock.now(), { expires_in: PROOF_MS / 1000 })
    },
  )
}

function ownAccountRoutes(http: Http, { clock, users, grantsOf }: AccountRoutesDeps): void {
  const isLive = ({ expiresAtMs }: Grant) => expiresAtMs === null || clock.now() < expiresAtMs
  const me = (user: StoredUser): Me => ({
    id: user.id,
    name: user.name,
    email: user.email,
    role: user.role,
    person_id: user.personId,
    preferences: user.preferences,
    grants: grantsOf(user.id)
      .filter(isLive)
      .map((grant) => ({
        person_id: grant.personId,
        class: grant.class,
        action: grant.action,
        expires_at: grant.expiresAtMs === null ? null : iso(grant.expiresAtMs),
      })),
  })
  http.get(
    '/auth/me',
    {
      config: { policy: USERS },
      schema: { tags: ['auth'], summary: 'Who I am and what I may see', response: { 200: Ok(Me) } },
    },
    async ({ actor }) => ok(clock.now(), me(ownUser(users, actor))),
  )
  http.patch(
    '/auth/me',
    {
      config: { policy: USERS },
      schema: {
        tags: ['auth'],
        summary: 'Change my name, address and preferences',
        body: MeBody,
        response: { 200: Ok(Me) },
      },
    },
    async ({ actor, body }) => {
      const user = ownUser(users, actor)
      const preferences = { ...user.preferences, ...body.preferences }
      if (Buffer.byteLength(JSON.stringify(preferences)) > OPEN_OBJECT_BYTES) {
        throw new HubError('TOO_LARGE', 'Preferences may take 16 KB together. Remove some.')
      }
      await users.change(user.id, { ...body, preferences })
      return ok(clock.now(), me(ownUser(users, actor)))
    },
  )
}

function ownUser(users: Users, actor: Actor): StoredUser {
  const user = actor.kind === 'user' ? users.get(actor.userId) : undefined
  if (!user) throw new HubError('FORBIDDEN', 'Only a signed-in user has an account of their own.')
  return user
}

function wantsCookie(headers: FastifyRequest['headers']): boolean {
  return headers[COOKIE_HEADER] === '1'
}

/** Puts the refresh token where the browser keeps it, or leaves it in the body. */
function handOver(tokens: Tokens, asCookie: boolean, reply: FastifyReply): Tokens {
  const { refresh_token: refreshToken, ...rest } = tokens
  reply.header('cache-control', 'no-store')
  if (!asCookie || refreshToken === undefined) return tokens
  reply.header('set-cookie', refreshCookie(refreshToken))
  return rest
}

function unknownZone(timezone: string): HubError {
  return new HubError(
    'VALIDATION_ERROR',
    'The time zone is not one this hub knows. Use a name such as Europe/Berlin.',
    {
      details: [{ path: 'timezone', message: 'is no IANA time zone', value: timezone }],
    },
  )
}
