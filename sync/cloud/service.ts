/** The cloud service: any number of instances over one Postgres, none of which keeps anything. */
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { type Failpoints, NO_FAILPOINTS } from '../failpoint.ts'
import { LIMITS } from '../wire.ts'
import { createCloudbase, migrate, publicationFaults } from './database.ts'
import { describeService, open } from './document.ts'
import { edgeRoutes } from './edge-routes.ts'
import { type GatekeeperDeps, gatekeeper } from './gatekeeper.ts'
import { householdRoutes } from './household-routes.ts'
import { createIdentity, serviceKey } from './identity.ts'
import { createRateLimit } from './limits.ts'
import { createCloudMetrics } from './metrics.ts'
import { createMonths } from './months.ts'
import type { CloudClock, CloudLog, CloudParts } from './parts.ts'

export interface CloudDeps {
  /** Postgres 15 or newer, as the owner of the tables. */
  databaseUrl: string
  clock: CloudClock
  log: CloudLog
  failpoints?: Failpoints
  /** Where shapes are served; without it hubs hear nothing from the cloud, but send as ever. */
  shapes?: GatekeeperDeps['shapes']
  /** Requests a minute of one hub, and of one household's token. */
  hubPerMinute?: number
  accountPerMinute?: number
  /** Registrations a minute from one address. */
  registrationsPerMinute?: number
  schemaMin?: number
  schemaMax?: number
}

export interface Cloud {
  http: FastifyInstance
  parts: CloudParts
  /** Every route there is, for who checks them all. */
  routes: { method: string; url: string }[]
  /** Refuses new requests with 503, ends the open ones, closes the connections. */
  close(): Promise<void>
}

const SEEN_EVERY_MS = 60_000

/** Brings the tables up to date and answers with a service that listens nowhere yet. Throws when Electric would see unfit tables. */
export async function createCloud(deps: CloudDeps): Promise<Cloud> {
  await migrate(deps.databaseUrl)
  const { clock, log } = deps
  const base = createCloudbase({
    url: deps.databaseUrl,
    onLost: (cause) => {
      metrics.lost.inc()
      log.warn({ err: cause }, 'a connection to Postgres broke')
    },
  })
  const metrics = createCloudMetrics(base.load)
  const faults = await publicationFaults(base.owner)
  if (faults.length > 0) throw new Error(`The publication holds unfit tables: ${faults.join('; ')}`)
  const key = await serviceKey(base.owner)
  const limit = (perMinute: number, burst: number) =>
    createRateLimit({ monotonic: clock.monotonic, perMinute, burst })
  let isStopping = false
  const lastSeen = new Map<string, number>()
  const parts: CloudParts = {
    base,
    months: createMonths(base.owner),
    identity: createIdentity(base.owner, key),
    key,
    clock,
    log,
    metrics,
    failpoints: deps.failpoints ?? NO_FAILPOINTS,
    hubLimit: limit(deps.hubPerMinute ?? 1200, 200),
    accountLimit: limit(deps.accountPerMinute ?? 100, 100),
    registerLimit: limit(deps.registrationsPerMinute ?? 10, Math.max(20, deps.registrationsPerMinute ?? 0)),
    now: () => clock.now(),
    isStopping: () => isStopping,
    async seen(hub) {
      const nowMs = clock.now()
      if (Math.abs(nowMs - (lastSeen.get(hub) ?? Number.NEGATIVE_INFINITY)) < SEEN_EVERY_MS) return
      if (lastSeen.size > 10_000) lastSeen.clear()
      lastSeen.set(hub, nowMs)
      await base.owner.query('UPDATE hub SET last_seen_at = $2 WHERE id = $1', [hub, nowMs])
    },
    ...(deps.schemaMin === undefined ? {} : { schemaMin: deps.schemaMin }),
    ...(deps.schemaMax === undefined ? {} : { schemaMax: deps.schemaMax }),
  }
  const routes: Cloud['routes'] = []
  const http = await routed(parts, deps.shapes ?? null, routes)
  return {
    http,
    parts,
    routes,
    async close() {
      isStopping = true
      await http.close()
      await base.close()
    },
  }
}

const Health = Type.Object({ status: Type.Literal('healthy') })
const Ready = Type.Object({ postgres: Type.Enum(['ok', 'unreachable']) })

async function routed(
  parts: CloudParts,
  shapes: GatekeeperDeps['shapes'],
  routes: Cloud['routes'],
): Promise<FastifyInstance> {
  const http = Fastify({
    bodyLimit: LIMITS.compressedBytes,
    // A request that drips is ended: it holds a socket, and nothing was applied.
    requestTimeout: 60_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    logger: false,
  })
  http.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push({ method: one, url })
  })
  await describeService(http)
  http.get('/health', { schema: open('Whether the process answers', Health) }, async () => ({
    status: 'healthy',
  }))
  const ready = open('Whether Postgres answers', Ready, { 503: Ready })
  http.get('/ready', { schema: ready }, async (_, reply) => {
    try {
      await parts.base.owner.query('SELECT 1')
      return { postgres: 'ok' }
    } catch {
      return reply.code(503).header('retry-after', '5').send({ postgres: 'unreachable' })
    }
  })
  const metrics = open('For Prometheus; tells of nobody', Type.String())
  http.get('/metrics', { schema: metrics }, async (_, reply) =>
    reply.type('text/plain; version=0.0.4').send(await parts.metrics.text()),
  )
  await http.register(edgeRoutes(parts))
  await http.register(gatekeeper({ parts, shapes }))
  await http.register(householdRoutes(parts))
  return http
}
