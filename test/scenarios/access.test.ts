import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DataClass, Role } from '../../daemon/domain/access.ts'
import type { Feature, Policy } from '../../daemon/domain/route.ts'
import { createDaily } from '../../daemon/features/daily/daily.ts'
import { createGlucose } from '../../daemon/features/glucose/glucose.ts'
import { createIngest } from '../../daemon/features/ingest/ingest.ts'
import { observations } from '../../daemon/features/observations/observations.ts'
import { createRecords } from '../../daemon/features/records/records.ts'
import { newId } from '../../daemon/kernel/ids.ts'
import { ensureHub } from '../../daemon/store/hub.ts'
import { createSources } from '../../daemon/store/sources.ts'
import type { Store } from '../../daemon/store/store.ts'
import { openHousehold } from '../fakes/household.ts'

type PersonPolicy = Extract<Policy, { access: 'person' }>

interface Caller {
  who: string
  role: Role | null
  headers: Record<string, string>
  /** What may be done to this person, written down by hand and not asked of the code under test. */
  may: Readonly<Record<string, { classes: readonly DataClass[]; write: boolean; read: boolean }>>
}

const ALL: readonly DataClass[] = ['wellness', 'glucose', 'training', 'media']

/** Every route that answers without a credential; a new one has to be added here on purpose. */
const OPEN = [
  'GET /pairing/requests/:id',
  'POST /auth/login',
  'POST /auth/logout',
  'POST /auth/refresh',
  'POST /auth/register',
  'POST /claim',
  'POST /pairing/connect',
]

const AT = '2026-03-14T07:30:00Z'

/** Requests that get as far as the policy, which is asked after the schema. */
const BODIES: Record<string, (personId: string) => object> = {
  'POST /ingest': (personId) => ({ person_id: personId, wellness_metrics: { hr: 72 } }),
  'POST /health_data/ingest': (personId) => ({
    person_id: personId,
    samples: [{ metric: 'heart_rate', value: 72 }],
  }),
  'POST /glucose/readings': (personId) => ({ person_id: personId, timestamp: AT, value: 100 }),
  'POST /glucose/bulk': (personId) => ({
    person_id: personId,
    readings: [{ timestamp: AT, value: 100 }],
  }),
  'POST /mood': (personId) => ({ person_id: personId, rating: 6 }),
  'POST /sleep': (personId) => ({
    person_id: personId,
    sleep_start: '2026-03-13T22:00:00Z',
    sleep_end: AT,
  }),
  'POST /episodes/start': (personId) => ({ person_id: personId, kind: 'fall' }),
  'POST /alerts': (personId) => ({ person_id: personId, title: 'Come' }),
  'POST /alerts/test': (personId) => ({ person_id: personId }),
  'POST /activities': (personId) => ({ person_id: personId, timestamp: AT, activity_type: 'running' }),
  'POST /meals': (personId) => ({ person_id: personId, timestamp: AT, carbs_grams: 40 }),
  'POST /journal': (personId) => ({ person_id: personId, energy: 5 }),
}
const QUERIES: Record<string, string> = {
  'GET /people/:personId/observations': '?metric=heart_rate',
  'GET /dashboard/summary': '?person_id=:personId',
  'GET /glucose/readings': '?person_id=:personId',
  'GET /glucose/daily-summary': '?person_id=:personId',
  'GET /mood': '?person_id=:personId',
  'GET /sleep': '?person_id=:personId',
  'GET /activities': '?person_id=:personId',
  'GET /meals': '?person_id=:personId',
  'GET /journal': '?person_id=:personId',
}

/** What people and their sensors write down. */
function recording(store: Store, now: () => number): Feature[] {
  const sources = createSources({ store, now })
  const parts = { store, now, sources, zoneOf: () => 'UTC', wearerAt: () => null }
  const records = createRecords({ ...parts, newId: () => newId(now()) })
  const glucose = createGlucose(parts)
  const { feature } = createDaily({
    ...parts,
    ...{ glucose: glucose.traces.read, records: records.all, onRecordsChanged: records.onChanged },
  })
  return [glucose.feature, records.feature, feature]
}

async function setup(t: TestContext) {
  const home = await openHousehold(t, {
    more: (store, now) => [
      createIngest({ store, now, manualDevice: async () => 'watch-mia' }).feature,
      observations({ store, now }),
      ...recording(store, now),
    ],
  })
  await ensureHub(home.store, 'hub-1', home.clock.now())
  const owner = await home.claimed()
  for (const id of ['mia', 'tom']) await home.people.add({ id, name: id, age: 15 })
  const body = { id: 'watch-mia', type: 'watch', name: 'W', person_id: 'mia' }
  const { api_key: key } = (await home.call('POST', '/devices', { token: owner, body })).body.data
  const letIn = async (role: 'caregiver' | 'coach' | 'member', person_id: string) => ({
    authorization: `Bearer ${(await home.letIn(owner, { role, person_id })).access_token}`,
  })
  const all = { classes: ALL, write: true, read: true }
  const callers: Caller[] = [
    { who: 'nobody', role: null, headers: {}, may: {} },
    {
      who: 'the owner',
      role: 'owner',
      headers: { authorization: `Bearer ${owner}` },
      may: { mia: all, tom: all },
    },
    {
      who: "Mia's caregiver",
      role: 'caregiver',
      headers: await letIn('caregiver', 'mia'),
      may: { mia: { classes: ['wellness'], write: true, read: true } },
    },
    {
      who: "Mia's coach",
      role: 'coach',
      headers: await letIn('coach', 'mia'),
      may: { mia: { classes: ['training'], write: false, read: true } },
    },
    { who: 'Mia', role: 'member', headers: await letIn('member', 'mia'), may: { mia: all } },
    {
      who: "Mia's watch",
      role: 'device',
      headers: { 'x-api-key': key },
      may: { mia: { classes: ALL, write: true, read: false } },
    },
  ]
  const routes = home.server
    .routes()
    .filter(({ method, url }) => url.startsWith('/api/v1/') && method !== 'HEAD' && method !== 'OPTIONS')
    .map(({ method, url, policy }) => ({ name: `${method} ${url.slice('/api/v1'.length)}`, policy }))
    .filter(({ name }) => !name.endsWith('/openapi.json'))
  const ask = (name: string, personId: string, headers: Record<string, string>) => {
    const [method = '', path = ''] = name.split(' ')
    const url = (path + (QUERIES[name] ?? '')).replace(':personId', personId).replace(/:\w+/g, 'none')
    const body = BODIES[name]?.(personId) ?? (method === 'GET' || method === 'DELETE' ? undefined : {})
    return home.call(method, url, { headers, body })
  }
  return { callers, routes, ask }
}

/** The answer that the caller has to get; null: the route's own. */
function expected(caller: Caller, name: string, policy: PersonPolicy, personId: string): number | null {
  if (caller.role === null) return 401
  if (!policy.roles.includes(caller.role)) return 403
  const may = caller.may[personId]
  if (!may) return 404
  // Whoever names a metric here names the heart rate, which is wellness; the summary leaves out what one may not see.
  const namesMetric = name !== 'GET /dashboard/summary' && (name in QUERIES || name in BODIES)
  const asked = policy.class === 'by-metric' && namesMetric ? 'wellness' : policy.class
  const fits = asked === 'any' || asked === 'by-metric' || may.classes.includes(asked)
  return fits && (policy.action === 'write' ? may.write : may.read) ? null : 403
}

test('only the listed routes answer without a credential', async (t) => {
  const { routes } = await setup(t)
  const open = routes.filter(({ policy }) => policy.access === 'open').map(({ name }) => name)
  assert.deepEqual([...new Set(open)].sort(), OPEN)
})

test('every other route turns away who has no credential or the wrong role', async (t) => {
  const { routes, callers, ask } = await setup(t)
  let asked = 0
  for (const { name, policy } of routes) {
    if (policy.access !== 'signed-in') continue
    for (const { who, role, headers } of callers) {
      const { status } = await ask(name, 'none', headers)
      asked += 1
      if (role === null) assert.equal(status, 401, `${who}: ${name}`)
      else if (!policy.roles.includes(role)) assert.equal(status, 403, `${who}: ${name}`)
      else assert.ok(status !== 401 && status !== 403, `${who}: ${name} ${status}`)
    }
  }
  assert.ok(asked > 100, `${asked} combinations were asked`)
})

test('every route about a person follows the grants, and hides who may not be seen', async (t) => {
  const { routes, callers, ask } = await setup(t)
  let asked = 0
  for (const { name, policy } of routes) {
    if (policy.access !== 'person' || name.startsWith('DELETE')) continue
    for (const caller of callers) {
      for (const personId of ['mia', 'tom']) {
        const { status, body } = await ask(name, personId, caller.headers)
        const wanted = expected(caller, name, policy, personId)
        const what = `${caller.who}: ${name} of ${personId}`
        asked += 1
        if (wanted !== null) assert.equal(status, wanted, what)
        else if (!/^(PATCH|PUT) \/people/.test(name))
          assert.ok(![401, 403, 404].includes(status), `${what} ${status}`)
        if (wanted === 404) {
          const missing = await ask(name, 'nobody', caller.headers)
          assert.deepEqual(body.error, missing.body.error, what)
        }
      }
    }
  }
  assert.ok(asked >= 60, `${asked} combinations were asked`)
})
