import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { type TSchema, Type } from 'typebox'
import * as Value from 'typebox/value'
import type { Actor, Grant, UserRole } from '../../daemon/domain/access.ts'
import type { Feature, Http } from '../../daemon/domain/route.ts'
import { createHttp, type HttpDeps, type HttpSettings } from '../../daemon/http/server.ts'
import { Ok, ok } from '../../daemon/kernel/envelope.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { ensureTls, type Tls } from '../../daemon/kernel/tls.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { fakeClock } from '../fakes/clock.ts'

export interface Options {
  features?: readonly Feature[]
  claimed?: boolean
  settings?: Partial<HttpSettings>
  persons?: readonly string[]
  store?: Store
  deps?: Partial<HttpDeps>
}

/** Who stands behind a token or key in these tests. */
export const ACTORS: Record<string, Actor> = {
  'owner-token': user('olga', 'owner'),
  'member-token': user('mia-user', 'member', 'mia'),
  'coach-token': user('carl', 'coach', null, [grant('mia', 'training', 'read')]),
  'caregiver-token': user('gran', 'caregiver', null, [grant('mia', 'wellness', 'write')]),
  'watch-key': { kind: 'device', deviceId: 'watch-1', type: 'watch', role: 'device', serves: ['mia'] },
  'ha-key': { kind: 'device', deviceId: 'ha', type: 'integration', role: 'device', serves: [] },
}

export function user(
  userId: string,
  role: UserRole,
  personId: string | null = null,
  grants: readonly Grant[] = [],
): Actor {
  return { kind: 'user', userId, signInId: `${userId}-phone`, role, personId, grants }
}

export function grant(personId: string, dataClass: Grant['class'], action: Grant['action']): Grant {
  return { personId, class: dataClass, action, expiresAtMs: null }
}

let tls: Promise<Tls> | null = null

/** One certificate for all tests of a file: making it is the slowest part. */
export function testTls(): Promise<Tls> {
  const dir = mkdtempSync(join(tmpdir(), 'homefield-tls-'))
  tls ??= ensureTls({
    dir,
    names: ['homefield.local', 'localhost'],
    addresses: ['127.0.0.1'],
    nowMs: Date.now(),
    buildDateMs: Date.UTC(2026, 0, 1),
    newestInstantMs: null,
  }).finally(() => rmSync(dir, { recursive: true }))
  return tls
}

/** A real store in a folder of its own, closed when the test is over. */
export async function openStore(t: TestContext, { now }: { now: () => number }): Promise<Store> {
  const dir = mkdtempSync(join(tmpdir(), 'homefield-store-'))
  const onFailure = (cause: unknown) => {
    throw cause
  }
  const store = await createStore({ path: join(dir, 'homefield.db'), now, onFailure })
  t.after(async () => {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })
  return store
}

export function answering(name: string, route: (http: Http) => void): Feature {
  return { name, routes: route }
}

/** A hub's HTTP face around a few routes of its own; everything below it is real. */
export async function setup(t: TestContext, options: Options = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'homefield-http-'))
  const { certPem, keyPem, caPem, caDer } = await testTls()
  const clock = fakeClock()
  const store = options.store ?? (await openStore(t, clock))
  const logged: Record<string, unknown>[] = []
  let ids = 0
  const lines = { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }
  const deps: HttpDeps = {
    settings: {
      http: { host: '127.0.0.1', port: 0 },
      https: { host: '127.0.0.1', port: 0, maxConnectionsPerAddress: 128 },
      rateLimitPerMinute: 1000,
      deviceRateLimitPerMinute: 1000,
      allowedOrigins: [],
      ...options.settings,
    },
    tls: { certPem, keyPem },
    socketPath: join(dir, 'hub.sock'),
    version: '0.1.0',
    log: createLog('debug', lines),
    clock,
    newId: () => `id-${++ids}`.padEnd(12, '0'),
    authenticator: {
      fromBearer: (token) => known(ACTORS[token]),
      fromApiKey: (key) => known(ACTORS[key]),
      isProven: () => true,
      isClaimed: () => options.claimed ?? true,
    },
    personExists: (personId) => (options.persons ?? ['mia', 'leo']).includes(personId),
    features: [strictAnswers(), ...(options.features ?? [echo(clock.now)])],
    appFolder: null,
    store,
    secret: new Uint8Array(32).fill(7),
    ownHosts: () => new Set(['homefield.local']),
    trust: () => ({
      hubName: 'Lindenhof <1>',
      caPem,
      caDer,
      fingerprintWords: ['amber', 'birch', 'coral', 'delta'],
    }),
    registry: new Registry(),
    mqttStream(stream) {
      stream.destroy()
      return () => false
    },
    ...options.deps,
  }
  const hub = createHttp(deps)
  const http = await hub.ready()
  t.after(async () => {
    await hub.stop(0)
    rmSync(dir, { recursive: true, force: true })
  })
  return { hub, http, clock, store, dir, logged, deps, caPem }
}

export const OWNER = { authorization: 'Bearer owner-token' }

/** Turns an answer that its own schema does not allow into a 500, so that no test passes with it. */
function strictAnswers(): Feature {
  return answering('strict', (http) => {
    http.addHook('preSerialization', async (request, reply, payload) => {
      const schemas = request.routeOptions.schema?.response as Record<string, TSchema> | undefined
      const schema = schemas?.[reply.statusCode]
      if (schema && !Value.Check(schema, payload)) {
        const faults = JSON.stringify(Value.Errors(schema, payload))
        throw new Error(`${request.method} ${request.url} does not answer as its schema says: ${faults}`)
      }
      return payload
    })
  })
}

/** A few routes of every kind of policy. */
export function echo(now: () => number): Feature {
  const Any = Ok(Type.Unknown())
  const Body = Type.Object(
    {
      name: Type.String(),
      count: Type.Optional(Type.Integer({ minimum: 0 })),
      inner: Type.Optional(
        Type.Object({ password: Type.String({ minLength: 12 }) }, { additionalProperties: false }),
      ),
      person_id: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  )
  const Query = Type.Object(
    {
      limit: Type.Integer({ minimum: 1, default: 10 }),
      deep: Type.Optional(Type.Boolean()),
      from: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  )
  const everybody = {
    access: 'signed-in',
    roles: ['owner', 'caregiver', 'coach', 'member', 'device'],
  } as const
  let made = 0
  return answering('echo', (http) => {
    const read = (dataClass: 'wellness' | 'training' | 'any') =>
      ({
        policy: {
          access: 'person',
          roles: ['owner', 'caregiver', 'coach', 'member'],
          person: { in: 'params', name: 'personId' },
          action: 'read',
          class: dataClass,
        },
      }) as const
    const params = Type.Object({ personId: Type.String() })
    http.get(
      '/things',
      { config: { policy: everybody }, schema: { querystring: Query, response: { 200: Any } } },
      async (request) => ok(now(), { query: request.query, text: 'x'.repeat(2000) }),
    )
    http.post(
      '/things',
      { config: { policy: everybody }, schema: { body: Body, response: { 201: Any } } },
      async (request, reply) => {
        made += 1
        return reply.code(201).send(ok(now(), { made, body: request.body }))
      },
    )
    http.post('/fails', { config: { policy: everybody } }, async () => {
      throw new TypeError('secret detail of the inside')
    })
    http.post('/busy', { config: { policy: everybody } }, async () => {
      throw new HubError('OVERLOADED', 'Too much at once.')
    })
    http.get('/open', { config: { policy: { access: 'open' } } }, async () => ok(now(), {}))
    http.get('/before', { config: { policy: { access: 'open', beforeClaim: true } } }, async () =>
      ok(now(), {}),
    )
    http.get('/owners', { config: { policy: { access: 'signed-in', roles: ['owner'] } } }, async () =>
      ok(now(), {}),
    )
    http.get('/local/secret', { config: { policy: { access: 'local' } } }, async (request) =>
      ok(now(), { actor: request.actor }),
    )
    http.get(
      '/people/:personId/wellness',
      { config: read('wellness'), schema: { params } },
      async (request) => ok(now(), { of: request.personId }),
    )
    http.get('/people/:personId/any', { config: read('any'), schema: { params } }, async (request) =>
      ok(now(), { of: request.personId }),
    )
    http.post(
      '/about',
      {
        config: {
          policy: {
            access: 'person',
            roles: ['owner', 'caregiver', 'member', 'device'],
            person: { in: 'body', name: 'person_id', orSelf: true },
            action: 'write',
            class: 'wellness',
          },
        },
        schema: { body: Body },
      },
      async (request) => ok(now(), { of: request.personId }),
    )
  })
}

function known(actor: Actor | undefined): Actor {
  if (actor) return actor
  throw new HubError('UNAUTHENTICATED', 'Sign in again.')
}
