/** HTTP of pairing: owners invite and decide, newcomers connect and poll. */
import { type Static, Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { deviceType } from '../../domain/device.ts'
import { Id } from '../../domain/id.ts'
import { PairingRequest } from '../../domain/pairing.ts'
import type { Http, Policy } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { ConnectBody, Connected, GenerateBody, Generated, Nothing, Paired, Params, Polled } from './bodies.ts'
import { type DeviceKeys, defaultClasses, type Join, type Notify, type Phones } from './join.ts'
import type { Offers, Terms } from './offers.ts'
import type { Requests } from './requests.ts'

/** Where a phone finds this hub, for the QR code. */
export interface Whereabouts {
  host: string
  port: number
  /** Addresses to try when the name does not resolve. */
  hints: readonly string[]
}

export interface PairingRoutesDeps {
  store: Store
  clock: Clock
  offers: Offers
  requests: Requests
  join: Join
  phones: Phones
  devices: DeviceKeys
  spkiSha256: () => string
  whereabouts: () => Whereabouts
  notify: Notify
}

const OPEN: Policy = { access: 'open' }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const MOST_HINTS = 3

export function pairingRoutes(http: Http, deps: PairingRoutesDeps): void {
  inviteRoute(http, deps)
  newcomerRoutes(http, deps)
  decisionRoutes(http, deps)
  pairedRoutes(http, deps)
}

function inviteRoute(http: Http, deps: PairingRoutesDeps): void {
  http.post(
    '/pairing/generate',
    {
      config: { policy: OWNER, proof: makesOwner },
      schema: {
        tags: ['pairing'],
        summary: 'A one-time code and QR code to let a phone or device in',
        body: GenerateBody,
        response: { 201: Ok(Generated) },
      },
    },
    async ({ actor, body }, reply) => {
      const offer = await deps.offers.make(termsOf(body, deps.store), nameOf(actor))
      const url = urlOf(offer.token, deps)
      const { default: qr } = await import('qrcode')
      const drawn = await qr.toString(url, { type: 'svg', errorCorrectionLevel: 'M', margin: 2 })
      const { id, code, token, expiresAtMs } = offer
      reply.header('cache-control', 'no-store')
      const data = { id, code, token, url, expires_at: iso(expiresAtMs), qr_svg: drawn }
      return reply.code(201).send(ok(deps.clock.now(), data))
    },
  )
}

function newcomerRoutes(http: Http, { clock, join, requests }: PairingRoutesDeps): void {
  http.post(
    '/pairing/connect',
    {
      config: { policy: OPEN },
      schema: {
        tags: ['pairing'],
        summary: 'Ask to join with a code',
        body: ConnectBody,
        response: { 202: Ok(Connected) },
      },
    },
    async ({ body }, reply) => {
      const secret = body.token ?? body.code?.replace(/[\s-]/g, '')
      if (secret === undefined) {
        throw new HubError('VALIDATION_ERROR', 'Send the code or the token of the QR code.', {
          details: [{ path: 'code', message: 'is missing' }],
        })
      }
      const { id, pollToken, expiresAtMs } = await join.connect(
        secret,
        body.device_name.trim(),
        deviceType(body.device_type),
      )
      reply.header('cache-control', 'no-store')
      const data = { id, poll_token: pollToken, words: requests.words(id), expires_at: iso(expiresAtMs) }
      return reply.code(202).send(ok(clock.now(), data))
    },
  )
  http.get(
    '/pairing/requests/:id',
    {
      config: { policy: OPEN },
      schema: {
        tags: ['pairing'],
        summary: 'What became of my request; secrets come once',
        params: Params,
        response: { 200: Ok(Polled) },
      },
    },
    async ({ params, headers }, reply) => {
      const pollToken = /^Bearer +([^ ]{1,128})$/i.exec(headers.authorization ?? '')?.[1] ?? ''
      const request = requests.ofPoll(params.id, pollToken)
      const secrets = await join.collect(request)
      reply.header('cache-control', 'no-store')
      return ok(clock.now(), {
        id: request.id,
        status: request.status,
        words: requests.words(request.id),
        ...secrets,
      })
    },
  )
}

function decisionRoutes(http: Http, { clock, requests, notify }: PairingRoutesDeps): void {
  http.get(
    '/pairing/requests',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['pairing'],
        summary: 'Who waits for a yes',
        querystring: PageQuery,
        response: { 200: OkPage(PairingRequest) },
      },
    },
    async ({ query }) => {
      const open = requests.waiting()
      const page = open.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(clock.now(), page.map(requests.view), query, open.length)
    },
  )
  for (const { verb, status, summary } of [
    { verb: 'approve', status: 'approved', summary: 'Let the newcomer in whose screen shows the same words' },
    { verb: 'deny', status: 'denied', summary: 'Turn the newcomer away' },
  ] as const) {
    http.post(
      `/pairing/requests/:id/${verb}`,
      {
        config: { policy: OWNER },
        schema: { tags: ['pairing'], summary, params: Params, response: { 200: Ok(PairingRequest) } },
      },
      async ({ actor, params }) => {
        const request = await requests.decide(params.id, status, nameOf(actor) ?? 'local')
        if (status === 'denied')
          notify('pairing', 'pairing_failed', { id: request.id, reason: 'denied' }, null)
        return ok(clock.now(), requests.view(request))
      },
    )
  }
}

function pairedRoutes(http: Http, { clock, phones, devices }: PairingRoutesDeps): void {
  http.get(
    '/pairing/devices',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['pairing'],
        summary: 'Paired phones and devices',
        querystring: PageQuery,
        response: { 200: OkPage(Paired) },
      },
    },
    async ({ query }) => {
      const all = [...phones.paired().map(phoneView), ...devices.list().map(deviceView)]
      const page = all.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(clock.now(), page, query, all.length)
    },
  )
  http.delete(
    '/pairing/:device_id',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['pairing'],
        summary: 'Unpair a phone or device at once',
        params: Type.Object({ device_id: Id }, { additionalProperties: false }),
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ params: { device_id: id } }) => {
      const isPhone = phones.paired().some(({ signIn }) => signIn.id === id)
      await (isPhone ? phones.revokeSignIn(id) : devices.revoke(id))
      return ok(clock.now(), {})
    },
  )
}

/** Another owner may do everything: that is worth the password. */
function makesOwner(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'role' in body && body.role === 'owner'
}

/** A phone becomes a user; everything else, and a phone that only measures, becomes a device. */
function termsOf(body: Static<typeof GenerateBody>, store: Store): Terms {
  const type = deviceType(body.device_type)
  const role = type === 'phone' ? body.role : 'device'
  const personId = body.person_id ?? null
  if (personId !== null && !store.get(PERSON, { id: personId })) {
    throw new HubError('NOT_FOUND', 'There is no person with this id.')
  }
  if (role === 'member' && personId === null) {
    throw new HubError('VALIDATION_ERROR', 'A member is one of the people here: say which one.', {
      details: [{ path: 'person_id', message: 'is missing' }],
    })
  }
  return {
    role,
    deviceType: type,
    personId,
    classes: body.classes ?? defaultClasses(role),
    invite: body.invite ?? false,
  }
}

const PERSON = 'SELECT 1 FROM person WHERE id = :id AND deleted_at IS NULL'

/** The token stands in the fragment, which browsers never send, so it reaches no log. */
function urlOf(token: string, { whereabouts, spkiSha256 }: PairingRoutesDeps): string {
  const { host, port, hints } = whereabouts()
  return `https://${host}:${port}/#p1.${token}.${spkiSha256()}.${hints.slice(0, MOST_HINTS).join(',')}`
}

/** Null: from the box itself. */
function nameOf(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.userId : null
}

function phoneView({ signIn, user }: ReturnType<Phones['paired']>[number]): Paired {
  return {
    id: signIn.id,
    name: signIn.deviceName ?? user.name,
    type: 'phone',
    role: user.role,
    user_id: user.id,
    person_id: user.person_id,
    paired_at: signIn.pairedAtMs === null ? null : iso(signIn.pairedAtMs),
    last_seen: iso(signIn.lastSeenAtMs),
  }
}

function deviceView(device: ReturnType<DeviceKeys['list']>[number]): Paired {
  const { id, name, type, person_id, paired_at, last_seen } = device
  return { id, name, type, role: 'device', user_id: null, person_id, paired_at, last_seen }
}
