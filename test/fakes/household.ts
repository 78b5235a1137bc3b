/** The identity parts wired as in the hub, behind its real HTTP server, with a clock that tests move. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import type { Actor } from '../../daemon/domain/access.ts'
import type { Feature } from '../../daemon/domain/route.ts'
import { createAccounts } from '../../daemon/features/accounts/accounts.ts'
import type { Passwords } from '../../daemon/features/accounts/passwords.ts'
import { createConsents } from '../../daemon/features/consents/consents.ts'
import { createDevices, type Devices } from '../../daemon/features/devices/devices.ts'
import { createPairing } from '../../daemon/features/pairing/pairing.ts'
import { createPeople } from '../../daemon/features/people/people.ts'
import { createHttp } from '../../daemon/http/server.ts'
import { newId } from '../../daemon/kernel/ids.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { ensureSecret } from '../../daemon/kernel/secrets.ts'
import { ensureTls } from '../../daemon/kernel/tls.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { type FakeClock, fakeClock } from './clock.ts'

export const OWNER = { name: 'Anna', password: 'four walls and a garden' }

export interface Call {
  token?: string
  key?: string
  body?: unknown
  headers?: Record<string, string>
  from?: string
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any
  cookie: string | undefined
}

export interface LiveEvent {
  topic: string
  type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  data: any
}

export interface Parts {
  people: ReturnType<typeof createPeople>
  devices: Devices
  secret: Uint8Array
  consents: ReturnType<typeof createConsents>
  accounts: ReturnType<typeof createAccounts>
}

export interface HouseholdOptions {
  folder?: string
  clock?: FakeClock
  passwords?: Passwords
  hubId?: string
  /** Further features behind the same server. */
  more?: (store: Store, now: () => number, parts: Parts) => Feature[]
  fromUploader?: (secret: string) => Actor | null
}

/** Passwords in clear, for tests that are about something else: argon2 takes 90 ms a time. */
export function plainPasswords(): Passwords {
  return {
    check: () => {},
    hash: async (password) => `plain:${password}`,
    verify: async (hash, password) => hash === `plain:${password}`,
    isOutdated: () => false,
  }
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hf-identity-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Opens what lies in `folder`; closing and opening again is a restart. */
export async function openHousehold(t: TestContext, options: HouseholdOptions = {}) {
  const folder = options.folder ?? temporaryFolder(t)
  const clock = options.clock ?? fakeClock()
  const log = createLog('silent')
  const store = await createStore({
    path: join(folder, 'hub.db'),
    now: clock.now,
    onFailure: (cause) => {
      throw cause
    },
  })
  const events: LiveEvent[] = []
  const notify = (topic: string, type: string, data: unknown) => void events.push({ topic, type, data })
  const secret = await ensureSecret(join(folder, 'secrets'), 'identity.key')
  const tls = await ensureTls({
    dir: join(folder, 'tls'),
    names: ['homefield.local', 'localhost'],
    addresses: ['127.0.0.1'],
    nowMs: clock.now(),
    buildDateMs: clock.now(),
    newestInstantMs: null,
  })
  const timezone = () => 'Europe/Berlin'
  const people = createPeople({ store, clock, timezone })
  const zoneOfPerson = (id: string) => people.get(id)?.timezone ?? null
  const devices = createDevices({ store, clock, log, secret, timezone, zoneOfPerson, notify })
  const consents = createConsents({ store, clock })
  const accounts = createAccounts({
    store,
    clock,
    log,
    hubId: options.hubId ?? 'hub-1',
    secret,
    grantsOf: consents.grantsOf,
    planGrants: consents.planGrants,
    redeemInvite: (code) => pairing.redeemInvite(code),
    passwords: options.passwords ?? plainPasswords(),
  })
  const pairing = createPairing({
    store,
    clock,
    log,
    secret,
    spkiSha256: () => tls.spkiSha256,
    whereabouts: () => ({ host: 'homefield.local', port: 8443, hints: ['192.168.1.20'] }),
    phones: accounts,
    devices,
    notify,
  })
  people.onRemoved(() => {
    for (const part of [devices, consents, accounts]) part.reload()
  })
  const own = [accounts, people, devices, consents, pairing].map(({ feature }) => feature)
  const features = [
    ...own,
    ...(options.more?.(store, clock.now, { devices, secret, people, consents, accounts }) ?? []),
  ]
  const server = createHttp({
    settings: {
      http: { host: '127.0.0.1', port: 0 },
      https: { host: '127.0.0.1', port: 0, maxConnectionsPerAddress: 128 },
      rateLimitPerMinute: 1_000_000,
      deviceRateLimitPerMinute: 1_000_000,
      allowedOrigins: [],
    },
    tls,
    socketPath: null,
    version: '0.0.0',
    log,
    clock,
    newId: () => newId(clock.now()),
    authenticator: {
      fromBearer: accounts.fromBearer,
      fromApiKey: devices.fromApiKey,
      fromUploader: (uploaders) => options.fromUploader?.(uploaders) ?? null,
      isProven: accounts.isProven,
      isClaimed: accounts.isClaimed,
    },
    personExists: people.exists,
    features,
    appFolder: null,
    store,
    secret: randomBytes(32),
    ownHosts: () => new Set(['homefield.local']),
    trust: () => ({ hubName: 'Homefield', caPem: tls.caPem, caDer: tls.caDer, fingerprintWords: [] }),
    registry: new Registry(),
    mqttStream: () => () => false,
  })
  for (const feature of features) await feature.start?.()
  const http = await server.ready()
  let open = true
  const close = async () => {
    if (!open) return
    open = false
    for (const feature of features.toReversed()) await feature.stop?.()
    await http.close()
    await store.close()
  }
  t.after(close)

  async function call(method: string, path: string, asked: Call = {}): Promise<Answer> {
    const answer = await http.inject({
      method: method as 'GET',
      url: `/api/v1${path}`,
      remoteAddress: asked.from ?? '192.168.1.50',
      headers: {
        host: 'homefield.local',
        ...(asked.token === undefined ? {} : { authorization: `Bearer ${asked.token}` }),
        ...(asked.key === undefined ? {} : { 'x-api-key': asked.key }),
        ...asked.headers,
      },
      ...(asked.body === undefined ? {} : { payload: asked.body as object }),
    })
    const cookie = answer.headers['set-cookie']
    return {
      status: answer.statusCode,
      body: answer.body === '' ? null : answer.json(),
      cookie: Array.isArray(cookie) ? cookie[0] : cookie,
    }
  }

  /** Makes Anna the owner without a code and signs her in. */
  async function claimed(): Promise<string> {
    await accounts.claimLocally(OWNER)
    return (await call('POST', '/auth/login', { body: OWNER })).body.data.access_token
  }

  /** Pairs a phone as that role, start to end. */
  async function letIn(owner: string, terms: { role: string; person_id?: string; classes?: string[] }) {
    const phone = { device_name: `phone of ${terms.role}`, device_type: 'phone' }
    const offer = await call('POST', '/pairing/generate', {
      token: owner,
      body: { ...terms, device_type: 'phone' },
    })
    const asked = await call('POST', '/pairing/connect', { body: { token: offer.body.data.token, ...phone } })
    await call('POST', `/pairing/requests/${asked.body.data.id}/approve`, { token: owner })
    const got = await call('GET', `/pairing/requests/${asked.body.data.id}`, {
      token: asked.body.data.poll_token,
    })
    return got.body.data.tokens as { access_token: string; refresh_token: string; user: { id: string } }
  }

  return {
    folder,
    clock,
    store,
    events,
    tls,
    people,
    devices,
    consents,
    accounts,
    pairing,
    server,
    call,
    claimed,
    letIn,
    close,
  }
}

export type Household = Awaited<ReturnType<typeof openHousehold>>
