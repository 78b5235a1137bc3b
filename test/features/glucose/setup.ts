import type { TestContext } from 'node:test'
import type { Actor } from '../../../daemon/domain/access.ts'
import type { Feature } from '../../../daemon/domain/route.ts'
import { createGlucose } from '../../../daemon/features/glucose/glucose.ts'
import { ensureHub } from '../../../daemon/store/hub.ts'
import { createSources, type Sources } from '../../../daemon/store/sources.ts'
import type { Store } from '../../../daemon/store/store.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { ACTORS, grant, openStore, setup as setupHttp, user } from '../../http/setup.ts'

export const MIA = { authorization: 'Bearer member-token' }
export const OWNER = { authorization: 'Bearer owner-token' }
/** Reads and writes Mia's wellness, nothing else. */
export const GRAN = { authorization: 'Bearer caregiver-token' }
/** Reads Mia's glucose, writes nothing. */
export const NURSE = { authorization: 'Bearer nurse-token' }
export const WATCH = { 'x-api-key': 'watch-key' }

export const ZONE = 'Europe/Berlin'
const WHO: Record<string, Actor> = {
  ...ACTORS,
  'nurse-token': user('nora', 'caregiver', null, [grant('mia', 'glucose', 'read')]),
}

export interface Failure {
  error: { code: string; message: string; details: { path: string; message: string }[] }
}

export interface Answer<Data> {
  status: number
  body: Failure & { data: Data; pagination: { total: number; pages: number } }
}

export interface Parts {
  store: Store
  sources: Sources
  now: () => number
  wearerAt: (deviceId: string, atMs: number) => string | null
  zoneOf: (personId: string) => string
}

/** Mia and Leo in Berlin; watch-1 was Leo's until 1 March 2026 and is Mia's since. */
export async function household(
  t: TestContext,
  features: (parts: Parts) => readonly Feature[],
  startMs?: number,
) {
  const clock = fakeClock(startMs)
  const store = await openStore(t, clock)
  await ensureHub(store, 'hub-1', clock.now())
  const handedOver = Date.UTC(2026, 2, 1)
  const person = `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES (:id, :id, :zone, 0, 0)`
  const device = `INSERT INTO device (id, name, type, rank, created_at) VALUES (:id, :id, 'watch', :rank, 0)`
  await store.write([
    { sql: person, params: { id: 'mia', zone: ZONE } },
    { sql: person, params: { id: 'leo', zone: ZONE } },
    { sql: device, params: { id: 'watch-1', rank: 100 } },
    { sql: device, params: { id: 'phone-2', rank: 10 } },
  ])
  const wearerAt = (deviceId: string, atMs: number) => {
    if (deviceId === 'phone-2') return 'mia'
    return deviceId === 'watch-1' ? (atMs < handedOver ? 'leo' : 'mia') : null
  }
  const sources = createSources({ store, now: clock.now })
  const parts: Parts = { store, sources, now: clock.now, wearerAt, zoneOf: () => ZONE }
  const known = (key: string) => WHO[key] ?? { kind: 'anonymous' as const }
  const { http } = await setupHttp(t, {
    features: features(parts),
    store,
    settings: { rateLimitPerMinute: 0, deviceRateLimitPerMinute: 0 },
    deps: {
      clock,
      authenticator: { fromBearer: known, fromApiKey: known, isProven: () => true, isClaimed: () => true },
    },
  })

  async function call<Data>(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    headers: Record<string, string>,
    payload?: object,
  ): Promise<Answer<Data>> {
    const url = path.startsWith('/api') ? path : `/api/v1${path}`
    const answer = await http.inject({ method, url, headers, ...(payload ? { payload } : {}) })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { ...parts, clock, http, call }
}

export async function setup(t: TestContext, startMs?: number) {
  return household(t, (parts) => [createGlucose(parts).feature], startMs)
}
