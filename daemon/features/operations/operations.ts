import { Type } from 'typebox'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { Failure, iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'

/** One part of the running hub and how it is. */
export interface PartState {
  name: string
  state: 'up' | 'starting' | 'degraded' | 'down'
  /** What is wrong with it, null when nothing is. */
  detail: string | null
}

/** What the app and the welcome page need to know before anybody signs in. */
export interface Greeting {
  claimed: boolean
  hubName: string
  caSha256: string
  fingerprintWords: readonly string[]
  httpsUrl: string
  caUrl: string
  /** Where devices connect by MQTT over TLS; null when that listener is off. */
  mqttsPort: number | null
}

export interface OperationsDeps {
  version: string
  now: () => number
  parts: () => readonly PartState[]
  /** Prometheus text of every part. */
  metrics: () => Promise<string>
  greeting: () => Greeting
}

const Health = Type.Object({
  status: Type.Literal('healthy'),
  timestamp: Timestamp,
  version: Type.String(),
})
const Part = Type.Object({
  name: Type.String(),
  state: Type.Enum(['up', 'starting', 'degraded', 'down']),
  detail: Type.Union([Type.String(), Type.Null()]),
})
const Readiness = Type.Object({ status: Type.Enum(['ready', 'degraded']), parts: Type.Array(Part) })
const NotReady = Type.Object({
  ...Failure.properties,
  data: Readiness,
})
const Welcome = Type.Object({
  claimed: Type.Boolean(),
  hub_name: Type.String(),
  version: Type.String(),
  ca_sha256: Type.String(),
  fingerprint_words: Type.Array(Type.String()),
  https_url: Type.String(),
  ca_url: Type.String(),
  mqtts_port: Type.Union([Type.Integer(), Type.Null()]),
})

const EVERYBODY: Policy = { access: 'open', beforeClaim: true }
/** Devices are narrowed to integrations below: they watch the hub, they do not wear it. */
const WATCHERS: Policy = { access: 'signed-in', roles: ['owner', 'device'] }

const TAGS = ['hub']

/** How the hub itself is doing, for people and for programs that watch it. */
export function operations(deps: OperationsDeps): Feature {
  return {
    name: 'operations',
    routes(http) {
      routeHealth(http, deps)
      routeWelcome(http, deps)
      routeReady(http, deps)
      routeMetrics(http, deps)
    },
  }
}

function routeHealth(http: Http, { now, version }: OperationsDeps): void {
  http.get(
    '/health',
    {
      config: { policy: EVERYBODY, envelope: false },
      schema: { tags: TAGS, summary: 'Whether the process answers', response: { 200: Health } },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return { status: 'healthy' as const, timestamp: iso(now()), version }
    },
  )
}

function routeWelcome(http: Http, { now, version, greeting }: OperationsDeps): void {
  http.get(
    '/welcome',
    {
      config: { policy: EVERYBODY },
      schema: { tags: TAGS, summary: 'Who this hub is', response: { 200: Ok(Welcome) } },
    },
    async () => {
      const { claimed, hubName, caSha256, fingerprintWords, httpsUrl, caUrl, mqttsPort } = greeting()
      return ok(now(), {
        claimed,
        hub_name: hubName,
        version,
        ca_sha256: caSha256,
        fingerprint_words: [...fingerprintWords],
        https_url: httpsUrl,
        ca_url: caUrl,
        mqtts_port: mqttsPort,
      })
    },
  )
}

function routeReady(http: Http, { now, parts }: OperationsDeps): void {
  http.get(
    '/ready',
    {
      config: { policy: WATCHERS },
      schema: {
        tags: TAGS,
        summary: 'Every part with its state',
        response: { 200: Ok(Readiness), 503: NotReady },
      },
    },
    async (request, reply) => {
      refuseOtherDevices(request.actor)
      const all = parts().map((part) => ({ ...part }))
      const status: 'ready' | 'degraded' = all.every(({ state }) => state === 'up') ? 'ready' : 'degraded'
      const body = ok(now(), { status, parts: all })
      const failing = all.filter(({ state }) => state === 'down' || state === 'starting')
      if (failing.length === 0) return body
      const details = failing.map(({ name, state, detail }) => ({ path: name, message: detail ?? state }))
      const message = `Not ready: ${failing.map(({ name, state }) => `${name} is ${state}`).join(', ')}.`
      const error = { code: 'OVERLOADED' as const, message, details }
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({ ...body, success: false, error })
    },
  )
}

function routeMetrics(http: Http, { metrics }: OperationsDeps): void {
  http.get(
    '/metrics',
    {
      config: { policy: WATCHERS, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'Prometheus metrics',
        response: {
          200: { description: 'Prometheus text', content: { 'text/plain': { schema: Type.String() } } },
        },
      },
    },
    async (request, reply) => {
      refuseOtherDevices(request.actor)
      return reply
        .header('cache-control', 'no-store')
        .type('text/plain; version=0.0.4')
        .send(await metrics())
    },
  )
}

function refuseOtherDevices(actor: { kind: string; type?: string }): void {
  if (actor.kind !== 'device' || actor.type === 'integration') return
  throw new HubError('FORBIDDEN', 'Only a device of type integration may watch the hub.')
}
