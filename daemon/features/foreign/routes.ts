/** HTTP of devices that gateways heard: an owner takes them in or ignores them. */
import { type Static, Type } from 'typebox'
import { Device } from '../../domain/device.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import type { Decided } from './decided.ts'
import type { Found, FoundDevice } from './found.ts'

/** What adding a device needs. */
export interface ForeignRegister {
  plan(request: { name: string; type: 'watch'; personId: string | null }): Plan<{ id: string }>
  view(deviceId: string): Device
}

export interface ForeignRoutesDeps {
  store: Store
  clock: Clock
  found: Found
  decided: Decided
  devices: ForeignRegister
}

const KINDS = ['glucose', 'blood_pressure', 'scale', 'watch', 'thermometer', 'room', 'other'] as const
const FoundView = Type.Object(
  {
    key: Type.String({ description: 'Name it in paths by this' }),
    address: Type.String({ description: 'What its gateway calls it' }),
    name: Type.Union([Type.String(), Type.Null()]),
    kind: Type.Enum([...KINDS]),
    metrics: Type.Array(Type.String()),
    via: Type.String({ description: 'The gateway or joined broker that heard it last' }),
    rssi: Type.Union([Type.Number(), Type.Null()], { description: 'Signal at the gateway, dBm' }),
    messages: Type.Integer(),
    first_seen: Timestamp,
    last_seen: Timestamp,
  },
  { additionalProperties: false },
)
const Approval = Type.Object(
  {
    name: DisplayName,
    person_id: Type.Optional(Type.Union([Id, Type.Null()])),
    metrics: Type.Optional(
      Type.Record(Type.String({ pattern: '^.{1,64}$' }), Type.String({ pattern: '^[a-z0-9_]{1,32}$' }), {
        maxProperties: 64,
        description: 'What its fields or classes mean: a metric, or ignore',
      }),
    ),
  },
  { additionalProperties: false },
)
const Params = Type.Object(
  { key: Type.String({ pattern: '^[0-9a-f]{16}$' }) },
  { additionalProperties: false },
)
const Nothing = Type.Object({}, { additionalProperties: false })
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const TAGS = ['devices']

export function foreignRoutes(http: Http, deps: ForeignRoutesDeps): void {
  const { found, decided, devices, clock } = deps
  http.get(
    '/devices/found',
    {
      config: { policy: OWNER },
      schema: {
        tags: TAGS,
        summary: 'Devices that gateways heard and nobody decided about, newest first',
        querystring: PageQuery,
        response: { 200: OkPage(FoundView) },
      },
    },
    async ({ query }) => {
      const all = found.list()
      const page = all.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(clock.now(), page.map(viewOf), query, all.length)
    },
  )
  http.post(
    '/devices/found/:key/approve',
    {
      config: { policy: OWNER },
      schema: {
        tags: TAGS,
        summary: 'Make it a device: what it measures from now on belongs to its wearer',
        params: Params,
        body: Approval,
        response: { 201: Ok(Device) },
      },
    },
    async ({ params, body }, reply) => {
      const id = await approve(deps, existing(found, params.key), body)
      return reply.code(201).send(ok(clock.now(), devices.view(id)))
    },
  )
  http.delete(
    '/devices/found/:key',
    {
      config: { policy: OWNER },
      schema: {
        tags: TAGS,
        summary: 'Ignore it from now on',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ params }) => {
      const { address } = existing(found, params.key)
      await decided.ignore(address)
      found.drop(address)
      return ok(clock.now(), {})
    },
  )
}

/** Its key stays unknown to everybody: it speaks through its gateway only. */
async function approve(
  { store, found, decided, devices }: ForeignRoutesDeps,
  { address }: FoundDevice,
  { name, person_id: personId, metrics }: Static<typeof Approval>,
): Promise<string> {
  const planned = devices.plan({ name, type: 'watch', personId: personId ?? null })
  await store.write([...planned.writes, decided.take(address, planned.result.id, metrics ?? {})])
  planned.committed()
  decided.reload()
  found.drop(address)
  return planned.result.id
}

function existing(found: Found, key: string): FoundDevice {
  const device = found.get(key)
  if (device) return device
  throw new HubError('NOT_FOUND', 'No such device was heard lately. Let it send once more and look again.')
}

function viewOf({ firstAtMs, atMs, metrics, ...rest }: FoundDevice): Static<typeof FoundView> {
  const { key, address, name, via, rssi, messages } = rest
  return {
    ...{ key, address, name, kind: kindOf(metrics), metrics: [...metrics], via, rssi, messages },
    ...{ first_seen: iso(firstAtMs), last_seen: iso(atMs) },
  }
}

const SIGNS: readonly [(typeof KINDS)[number], RegExp][] = [
  ['glucose', /^glucose/],
  ['blood_pressure', /^bp_/],
  ['scale', /^weight$/],
  ['watch', /^(?:heart_rate|steps|steps_counter|spo2|hrv_\w+)$/],
  ['thermometer', /^(?:body|skin)_temp$/],
  ['room', /^(?:ambient_temp|temperature|humidity)$/],
]

/** What it seems to be, by what it measures. */
function kindOf(metrics: readonly string[]): (typeof KINDS)[number] {
  return SIGNS.find(([, sign]) => metrics.some((metric) => sign.test(metric)))?.[0] ?? 'other'
}
