/** HTTP of devices: everybody sees those of people they may see, owners add, hand over and remove. */
import { type Static, Type } from 'typebox'
import { type Actor, maySee } from '../../domain/access.ts'
import { Device, DeviceTypeWord, deviceType } from '../../domain/device.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { type DeviceChanges, noSuchDevice, type Register } from './register.ts'

export interface DeviceRoutesDeps {
  devices: Register
  store: Store
  clock: Clock
}

/** An MQTT topic prefix that a gateway owns: no wildcards, none of the hub's own but for announcing devices, nothing hidden. */
const Prefix = Type.String({
  maxLength: 128,
  pattern: '^(?!hf(/|$)|homeassistant/[^/])/?[A-Za-z0-9_-][A-Za-z0-9_. -]*(/[A-Za-z0-9_. -]+)*/?$',
})
const zone = Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()])
const Fields = {
  person_id: Type.Optional(Type.Union([Id, Type.Null()])),
  timezone: Type.Optional(zone),
  prefixes: Type.Optional(Type.Array(Prefix, { maxItems: 16 })),
  rank: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  serves: Type.Optional(Type.Array(Id, { maxItems: 64, uniqueItems: true })),
}
const NewDevice = Type.Object(
  { id: Type.Optional(Id), type: DeviceTypeWord, name: DisplayName, ...Fields },
  { additionalProperties: false },
)
const Changes = Type.Object(
  {
    name: Type.Optional(DisplayName),
    from: Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Number()])),
    ...Fields,
  },
  { additionalProperties: false },
)
const WithKey = Type.Object({ ...Device.properties, api_key: Type.String() }, { additionalProperties: false })
const Params = Type.Object({ deviceId: Id }, { additionalProperties: false })
const Nothing = Type.Object({}, { additionalProperties: false })
const Quarantined = Type.Object(
  {
    id: Type.Integer(),
    at: Timestamp,
    topic: Type.String(),
    code: Type.String(),
    reason: Type.String(),
    payload_bytes: Type.Integer(),
    payload_base64: Type.String(),
  },
  { additionalProperties: false },
)

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
/** Clocks of phones that ask are allowed to be this far ahead. */
const FUTURE_MS = 10 * 60_000

export function deviceRoutes(http: Http, deps: DeviceRoutesDeps): void {
  readRoutes(http, deps)
  writeRoutes(http, deps)
  quarantineRoute(http, deps)
}

function readRoutes(http: Http, { devices, clock }: DeviceRoutesDeps): void {
  http.get(
    '/devices',
    {
      config: { policy: USERS },
      schema: {
        tags: ['devices'],
        summary: 'Devices of everybody I may see',
        querystring: PageQuery,
        response: { 200: OkPage(Device) },
      },
    },
    async ({ actor, query }) => {
      const seen = devices.list().filter((device) => mayKnow(actor, device, clock.now()))
      const page = seen.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      const shown = page.map((device) => shownTo(actor, device, clock.now()))
      return okPage(clock.now(), shown, query, seen.length)
    },
  )
  http.get(
    '/devices/:deviceId',
    {
      config: { policy: USERS },
      schema: { tags: ['devices'], summary: 'One device', params: Params, response: { 200: Ok(Device) } },
    },
    async ({ actor, params }) => {
      const device = devices.view(params.deviceId)
      if (!mayKnow(actor, device, clock.now())) throw noSuchDevice()
      return ok(clock.now(), shownTo(actor, device, clock.now()))
    },
  )
}

function writeRoutes(http: Http, { devices, store, clock }: DeviceRoutesDeps): void {
  http.post(
    '/devices',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['devices'],
        summary: 'Add a device; its key is shown this once',
        body: NewDevice,
        response: { 201: Ok(WithKey) },
      },
    },
    async ({ body }, reply) => {
      const { person_id: personId, type, ...rest } = body
      const planned = devices.plan({ ...rest, type: deviceType(type), personId: personId ?? null })
      await store.write(planned.writes)
      planned.committed()
      const { id, apiKey } = planned.result
      reply.header('cache-control', 'no-store')
      return reply.code(201).send(ok(clock.now(), { ...devices.view(id), api_key: apiKey }))
    },
  )
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/devices/:deviceId',
    config: { policy: OWNER },
    schema: {
      tags: ['devices'],
      summary: 'Change a device, or hand it over from an instant on; absent fields stay',
      params: Params,
      body: Changes,
      response: { 200: Ok(Device) },
    },
    handler: async ({ params, body }) => {
      await devices.change(params.deviceId, changesOf(body, clock.now()))
      return ok(clock.now(), devices.view(params.deviceId))
    },
  })
  http.delete(
    '/devices/:deviceId',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['devices'],
        summary: 'Take the device’s key away at once',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ params }) => {
      await devices.revoke(params.deviceId)
      return ok(clock.now(), {})
    },
  )
}

interface QuarantineRow {
  id: number
  atMs: number
  topic: string
  code: string
  reason: string
  payload: Uint8Array
  payloadBytes: number
}

const SELECT_QUARANTINE = `SELECT id, at AS atMs, topic, code, reason, payload, payload_bytes AS payloadBytes
  FROM quarantine WHERE device_id = :deviceId ORDER BY id DESC LIMIT :limit OFFSET :offset`

function quarantineRoute(http: Http, { devices, store, clock }: DeviceRoutesDeps): void {
  http.get(
    '/devices/:deviceId/quarantine',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['devices'],
        summary: 'What the device sent that could not be taken, newest first',
        params: Params,
        querystring: PageQuery,
        response: { 200: OkPage(Quarantined) },
      },
    },
    async ({ params: { deviceId }, query }) => {
      const total = devices.view(deviceId).quarantined
      const limit = query.per_page
      const rows = store.all<QuarantineRow>(SELECT_QUARANTINE, {
        deviceId,
        limit,
        offset: (query.page - 1) * limit,
      })
      return okPage(clock.now(), rows.map(quarantineView), query, total)
    },
  )
}

function quarantineView({ id, atMs, topic, code, reason, payload, payloadBytes }: QuarantineRow) {
  const payload_base64 = Buffer.from(payload).toString('base64')
  return { id, at: iso(atMs), topic, code, reason, payload_bytes: payloadBytes, payload_base64 }
}

/** Owners know every device, others those that somebody wears whom they may see. */
function mayKnow(actor: Actor, { person_id: personId }: Device, nowMs: number): boolean {
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return true
  return personId !== null && maySee(actor, personId, nowMs)
}

/** A device may serve people whom the caller knows nothing of. */
function shownTo(actor: Actor, device: Device, nowMs: number): Device {
  return { ...device, serves: device.serves.filter((personId) => maySee(actor, personId, nowMs)) }
}

function changesOf(body: Static<typeof Changes>, nowMs: number): DeviceChanges {
  const { person_id: personId, from, ...same } = body
  if (from !== undefined && personId === undefined) {
    throw new HubError(
      'VALIDATION_ERROR',
      'from says since when a person wears the device: person_id is missing.',
      {
        details: [{ path: 'person_id', message: 'is missing' }],
      },
    )
  }
  return {
    ...same,
    ...(personId === undefined ? {} : { personId }),
    ...(from === undefined ? {} : { fromMs: instantOf(from, nowMs) }),
  }
}

function instantOf(from: string | number, nowMs: number): number {
  const parsed = parseInstant(from, null)
  if ('wrong' in parsed) {
    throw new HubError('VALIDATION_ERROR', `from cannot be used: ${parsed.wrong}.`, {
      details: [{ path: 'from', message: parsed.wrong, value: from }],
    })
  }
  if (parsed.atMs > nowMs + FUTURE_MS) {
    throw new HubError('FUTURE_TIMESTAMP', 'from lies ahead. Hand the device over when it changes hands.')
  }
  return parsed.atMs
}
