import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify'
import { Counter, type Registry } from 'prom-client'
import type { Feature, Http, Policy } from '../domain/route.ts'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { createSenderCount } from '../kernel/sender.ts'
import { createSeedPaths, type SeedPaths } from './aliases.ts'
import { serveApp } from './app-files.ts'
import { type Authenticator, authenticateRequests } from './authenticate.ts'
import { readBodies, speakSeedDialects } from './bodies.ts'
import { tagAnswers } from './caching.ts'
import { type ControlSocket, createControlSocket } from './control-socket.ts'
import { type CrowdDeps, keepCrowdsOut } from './crowds.ts'
import { answerFailures, refuseUnroutable } from './failures.ts'
import { guardAgainstForeignPages, SECURITY_HEADERS } from './guard.ts'
import { type AnswerStore, repeatSafely } from './idempotency.ts'
import { measureLatency } from './latency.ts'
import { type MqttStream, serveMqttSockets } from './mqtt-socket.ts'
import { admitUploadersOnly, createPlainUploads, type PlainUploads } from './plain-uploads.ts'
import { enforcePersonPolicies } from './policy.ts'
import { askForProof } from './proof.ts'
import { describeRoutes, serveReference } from './reference.ts'
import { cutSlowSenders } from './slow-senders.ts'
import { compileValidator } from './validation.ts'
import { createWelcome, type Trust, type Welcome } from './welcome.ts'
import { type Seen, tellWitness } from './witness.ts'

export interface HttpSettings {
  /** The plain listener: welcome and trust page, health, nothing else. */
  http: { host: string; port: number }
  /** No one sender (an address, a /64 of IPv6) but this machine holds more connections than `maxConnectionsPerAddress`. */
  https: { host: string; port: number; maxConnectionsPerAddress: number }
  rateLimitPerMinute: number
  deviceRateLimitPerMinute: number
  allowedOrigins: readonly string[]
}

export interface HttpDeps {
  settings: HttpSettings
  tls: { certPem: string; keyPem: string }
  /** Where the control socket lies; null for none. */
  socketPath: string | null
  version: string
  log: Log
  clock: Clock
  newId: () => string
  authenticator: Authenticator
  personExists: (personId: string) => boolean
  features: readonly Feature[]
  /** Folder of the built app; null or missing: a page that says so. */
  appFolder: string | null
  store: AnswerStore
  /** Secret of this hub, 32 bytes kept outside the database. */
  secret: Uint8Array
  /** The hub's own names and addresses as bare hosts, beside localhost and the address a connection arrived at. */
  ownHosts: () => ReadonlySet<string>
  /** What the welcome page hands out. */
  trust: () => Trust
  registry: Registry
  mqttStream: MqttStream
  /** Where a connection comes from; what its socket says unless a test says otherwise. */
  remoteOf?: CrowdDeps['remoteOf']
  /** Told of every answered request. */
  saw?: (seen: Seen) => void
}

export interface RouteEntry {
  method: string
  url: string
  policy: Policy
}

export interface Ports {
  httpPort: number
  httpsPort: number
}

export interface HubHttp {
  /** Registers everything and opens the listeners. Rejects when a route has no policy or a port is taken. */
  start(): Promise<Ports>
  /** Refuses what is new, lets what runs finish for `deadlineMs`, then cuts the rest. */
  stop(deadlineMs: number): Promise<void>
  /** Serves a renewed certificate to connections made from now on. */
  setSecureContext(tls: { certPem: string; keyPem: string }): void
  /** Every route with who may use it; complete after `ready`. */
  routes(): readonly RouteEntry[]
  /** Registers everything without opening a listener. */
  ready(): Promise<Http>
  /** The listener without TLS for uploaders; shut until somebody opens it. */
  plainUploads: Pick<PlainUploads, 'open' | 'close'>
}

/** An MQTT camera frame with its packet head; the live channel holds its own, smaller limit. */
const SOCKET_MESSAGE_BYTES = 1_048_576 + 4096
const BODY_BYTES = 1_048_576
const HEADERS_MS = 20_000
/** Node's own two minutes would let idle connections fill every place. */
const HANDSHAKE_MS = 10_000
const CONNECTIONS_MAX = 2000
const PREFIX = '/api/v1'
const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/

/** The hub's HTTP face: API and app over HTTPS, the welcome page over plain HTTP, root's control socket. */
export function createHttp(deps: HttpDeps): HubHttp {
  const seedPaths = createSeedPaths()
  const { http, server } = createInstance(deps, seedPaths)
  const crowds = crowdsOf(deps)
  keepCrowdsOut(server, crowds)
  const control = deps.socketPath === null ? null : controlSocket(deps.socketPath, http)
  const welcome = createWelcome({ ...deps, crowds })
  const plainUploads = createPlainUploads({
    host: deps.settings.http.host,
    crowds,
    handle: (request, response) => http.routing(request, response),
  })
  const routes: RouteEntry[] = []
  const state = { stopping: false, registered: false }

  async function ready(): Promise<Http> {
    if (!state.registered) {
      state.registered = true
      collectRoutes(http, routes)
      await register(http, deps, { seedPaths, control, plainUploads, isStopping: () => state.stopping })
    }
    await http.ready()
    return http
  }

  return {
    ready,
    plainUploads,
    routes: () => routes,
    async start() {
      await ready()
      const { host, port } = deps.settings.https
      await http.listen({
        ...{ host, port },
        listenTextResolver: (address) => address.replace(/^http:/, 'https:'),
      })
      const httpPort = await welcome.listen(portOf(server))
      await control?.listen()
      return { httpPort, httpsPort: portOf(server) }
    },
    async stop(deadlineMs) {
      state.stopping = true
      const within = closeWithin(deadlineMs, deps.clock, { http, server, welcome, control })
      await Promise.all([plainUploads.close(), within])
    },
    setSecureContext({ certPem, keyPem }) {
      server.setSecureContext({ cert: certPem, key: keyPem })
    },
  }
}

/** One share for all listeners of HTTP: whoever fills the one has no need of another. */
function crowdsOf({ settings, registry, remoteOf }: HttpDeps): CrowdDeps {
  const refused = new Counter({
    name: 'homefield_http_connections_refused_total',
    help: 'Connections ended because their sender held as many as one may',
    registers: [registry],
  })
  return {
    senders: createSenderCount(settings.https.maxConnectionsPerAddress),
    onRefused: () => refused.inc(),
    remoteOf,
  }
}

function createInstance(deps: HttpDeps, seedPaths: SeedPaths): { http: Http; server: HttpsServer } {
  const options = { cert: deps.tls.certPem, key: deps.tls.keyPem, headersTimeout: HEADERS_MS }
  const server = createHttpsServer({ ...options, requestTimeout: 0, handshakeTimeout: HANDSHAKE_MS })
  server.maxConnections = CONNECTIONS_MAX
  // Fastify's own view of a logger, so that the instance is the one that features are typed against.
  const loggerInstance: FastifyBaseLogger = deps.log
  const http = Fastify({
    serverFactory: (handler) => server.on('request', handler),
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: (request) => requestId(request.headers['x-request-id'], deps.newId),
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: 200 },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    rewriteUrl: (request) => seedPaths.rewriteUrl(request),
    frameworkErrors: (error, request, reply) => {
      reply.hijack()
      refuseUnroutable(
        reply.raw,
        error,
        { ...SECURITY_HEADERS, 'x-request-id': request.id },
        deps.clock.now(),
      )
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  return { http, server }
}

function requestId(sent: string | string[] | undefined, newId: () => string): string {
  return typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : newId()
}

interface Parts {
  seedPaths: SeedPaths
  control: ControlSocket | null
  plainUploads: PlainUploads
  isStopping: () => boolean
}

async function register(http: Http, deps: HttpDeps, parts: Parts): Promise<void> {
  http.setValidatorCompiler(compileValidator)
  http.setSerializerCompiler(() => (payload) => JSON.stringify(payload))
  answerFailures(http, deps.clock.now)
  guard(http, deps, parts)
  await readBodies(http)
  await acceptSockets(http)
  await describeRoutes(http, deps.version)
  await http.register(
    async (api) => {
      for (const feature of deps.features) feature.routes?.(api)
    },
    { prefix: PREFIX },
  )
  for (const feature of deps.features) feature.rootRoutes?.(http)
  serveMqttSockets(http, deps.mqttStream)
  await serveReference(http)
  await serveApp(http, deps.appFolder, deps.ownHosts)
}

/** Hooks, in the order in which they run for a request. */
function guard(http: Http, deps: HttpDeps, { seedPaths, control, plainUploads, isStopping }: Parts): void {
  const { clock, settings, store, secret, authenticator, personExists, ownHosts } = deps
  const { rateLimitPerMinute, deviceRateLimitPerMinute, allowedOrigins } = settings
  const isLocal: ControlSocket['isLocal'] = (request) => control?.isLocal(request) ?? false
  const { isPlain } = plainUploads
  http.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  cutSlowSenders(http, clock)
  admitUploadersOnly(http, isPlain)
  measureLatency(http, deps.registry, clock.monotonic)
  guardAgainstForeignPages(http, { ownHosts, allowedOrigins, isLocal })
  http.addHook('onRequest', async (_request, reply) => {
    if (!isStopping()) return
    reply.header('connection', 'close')
    throw new HubError('SHUTTING_DOWN', 'The hub is stopping. Try again in a moment.')
  })
  const { monotonic } = clock
  authenticateRequests(http, {
    authenticator,
    monotonic,
    rateLimitPerMinute,
    deviceRateLimitPerMinute,
    isLocal,
    isPlain,
  })
  tagAnswers(http)
  speakSeedDialects(http, seedPaths)
  enforcePersonPolicies(http, { now: clock.now, personExists })
  askForProof(http, authenticator.isProven)
  repeatSafely(http, { store, now: clock.now, secret })
  if (deps.saw) tellWitness(http, deps.saw)
}

async function acceptSockets(http: Http): Promise<void> {
  await http.register(websocket, {
    options: {
      maxPayload: SOCKET_MESSAGE_BYTES,
      handleProtocols: (offered) => ['homefield.v1', 'mqtt'].find((known) => offered.has(known)) ?? false,
    },
    preClose(done) {
      for (const socket of http.websocketServer.clients) socket.close(1001, 'the hub is stopping')
      http.websocketServer.close(() => done())
    },
  })
}

/** A route that says nothing about who may use it is a hole, so the hub does not start with one. */
function collectRoutes(http: Http, routes: RouteEntry[]): void {
  const seen: { method: string | string[]; url: string; config?: { policy?: Policy } }[] = []
  http.addHook('onRoute', (route) => {
    seen.push(route)
  })
  http.addHook('onReady', async () => {
    for (const { method, url, config } of seen) {
      if (!config?.policy) throw new Error(`${String(method)} ${url} has no policy: say who may use it`)
      for (const one of [method].flat()) routes.push({ method: one, url, policy: config.policy })
    }
  })
}

function controlSocket(path: string, http: Http): ControlSocket {
  return createControlSocket({ path, handle: (request, response) => http.routing(request, response) })
}

interface Listeners {
  http: Http
  server: HttpsServer
  welcome: Welcome
  control: ControlSocket | null
}

async function closeWithin(deadlineMs: number, clock: Clock, { http, server, welcome, control }: Listeners) {
  const cancel = clock.after(deadlineMs, () => {
    server.closeAllConnections()
    welcome.cut()
    control?.cut()
    for (const socket of http.websocketServer?.clients ?? []) socket.terminate()
  })
  await Promise.all([http.close(), welcome.close(), control?.close()])
  cancel()
}

function portOf(server: HttpsServer): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
