import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '../../config/load.ts'
import { featuresOf } from '../../daemon/composition/features.ts'
import { createHousehold } from '../../daemon/composition/household.ts'
import { openBroker } from '../../daemon/composition/listening.ts'
import type { Actor, UserRole } from '../../daemon/domain/access.ts'
import { createAnnouncement } from '../../daemon/features/announce/announce.ts'
import { openHouse } from '../../daemon/house.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { MANUAL_DEVICE_ID } from '../../daemon/store/hub.ts'
import { fakeClock } from '../fakes/clock.ts'
import { answering, setup as setupHttp } from '../http/setup.ts'
import {
  type Ask,
  CLASSES,
  type Class,
  PAGES,
  ROUTES,
  type Subject,
  type Verdict,
  verdictOf,
} from './access-oracle.ts'

/** Sent with a request that must not be carried out: the answer 299 says that it got as far as its handler. */
const STOP = 'x-stop-at-handler'
const REACHED = 299

/** When a glucose reading of Mia was typed in. */
const READ_AT = Date.UTC(2026, 2, 14, 7)

/** What is known of Mia before anybody asks, in the order of its ids. */
const RECORDED = {
  '/mood': { param: 'moodId', body: { rating: 5, timestamp: READ_AT } },
  '/sleep': { param: 'sleepId', body: { sleep_start: READ_AT - 28_800_000, sleep_end: READ_AT } },
  '/activities': { param: 'activityId', body: { timestamp: READ_AT, activity_type: 'walking' } },
  '/meals': { param: 'mealId', body: { timestamp: READ_AT, carbs_grams: 40 } },
  '/alerts': { param: 'alertId', body: { title: 'Come here' } },
  '/rules': {
    param: 'ruleId',
    body: { name: 'Slow', condition: { type: 'below', metric: 'heart_rate', threshold: 30 } },
  },
  '/episodes/start': { param: 'episodeId', body: { kind: 'worry' } },
  '/journal': { param: 'journalId', body: { date: '2026-03-13', energy: 4 } },
}

interface Asker {
  subject: Subject
  /** Null: nobody, or root on the box. */
  actor: Actor | null
}

/** The hub as it is put together for its users, with credentials that are known by name. */
async function assemble(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'homefield-access-'))
  const clock = fakeClock()
  const off = { HOMEFIELD_MQTT_PORT: '0', HOMEFIELD_MQTTS_PORT: '0', HOMEFIELD_MDNS_ENABLED: 'false' }
  const config = loadConfig({ HOMEFIELD_DATA: dataDir, HOMEFIELD_TIMEZONE: 'Europe/Berlin', ...off })
  const house = await openHouse(
    { config, dataDir, version: '0.1.0', builtAtMs: clock.now(), clock, log: createLog('silent') },
    (cause) => {
      throw cause
    },
  )
  const household = createHousehold(house)
  const broker = await openBroker(house, household)
  const announcement = createAnnouncement({
    log: house.log,
    enabled: false,
    describe: () => ({ hubId: house.hubId, name: '', httpsPort: 0, mqttsPort: 0, caSha256: '' }),
  })
  const features = featuresOf(house, household, {
    broker,
    announcement,
    ports: () => ({ httpPort: 0, httpsPort: 0 }),
    plainListener: { open: async () => 0, close: async () => {} },
  })
  t.after(async () => {
    for (const feature of features.toReversed()) await feature.stop?.()
    await Promise.all([broker.stop(0), house.snapshots.stop()])
    await house.store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return { clock, house, household, features }
}

async function setup(t: TestContext) {
  const { clock, house, household, features } = await assemble(t)
  const { people, devices } = household
  const { store } = house
  const asked = new Map(askers(clock.now()).map((asker) => [asker.subject.name, asker]))
  const known = (name: string): Actor => {
    const actor = asked.get(name.replaceAll('_', ' '))?.actor
    if (actor) return actor
    throw new HubError(
      name === 'signed_in_too_long_ago' ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED',
      'Sign in again.',
    )
  }
  const stop = answering('stop', (http) => {
    http.addHook('preHandler', async (asking, reply) =>
      asking.headers[STOP] === undefined ? undefined : reply.code(REACHED).send(),
    )
  })
  const { hub, http, dir } = await setupHttp(t, {
    features: [stop, ...features],
    store,
    settings: { rateLimitPerMinute: 0, deviceRateLimitPerMinute: 0 },
    deps: {
      clock,
      personExists: people.exists,
      authenticator: { fromBearer: known, fromApiKey: known, isProven: () => true, isClaimed: () => true },
    },
  })
  await people.add({ id: 'mia', name: 'Mia' })
  await people.add({ id: 'leo', name: 'Leo' })
  for (const personId of ['mia', 'leo']) {
    const plan = devices.plan({ id: `watch-${personId}`, name: 'Watch', type: 'watch', personId })
    await store.write(plan.writes)
    plan.committed()
  }
  await store.observations.append([
    {
      ...{ personId: 'mia', deviceId: MANUAL_DEVICE_ID, metric: 'glucose', atMs: READ_AT, value: 110 },
      ...{ source: 'manual', quality: null, extra: null },
    },
  ])
  const recorded: Record<string, string> = {}
  for (const [path, { param, body }] of Object.entries(RECORDED)) {
    const headers = credentialOf({ name: 'owner', role: 'owner', reads: [], writes: [] })
    const answer = await http.inject({
      method: 'POST',
      url: `/api/v1${path}`,
      headers,
      payload: { person_id: 'mia', ...body },
    })
    recorded[param] = answer.json<{ data: { id: string } }>().data.id
  }
  const camera = { id: 'camera-mia', name: 'Yard', kind: 'push', person_ids: ['mia'] }
  const headers = credentialOf({ name: 'owner', role: 'owner', reads: [], writes: [] })
  await http.inject({ method: 'POST', url: '/api/v1/cameras', headers, payload: camera })
  const session = { id: 'session-mia', player_id: 'mia' }
  await http.inject({ method: 'POST', url: '/api/v1/sessions', headers, payload: session })
  const plan = { id: 'event-mia', player_id: 'mia', title: 'Match' }
  const hour = { start_time: '2026-03-16T10:00:00Z', end_time: '2026-03-16T11:00:00Z' }
  const planned = { ...plan, ...hour }
  await http.inject({ method: 'POST', url: '/api/v1/calendar/events', headers, payload: planned })
  await hub.start()
  const params = { ...PARAMS, ...recorded }
  return { hub, http, params, askers: [...asked.values()], socketPath: join(dir, 'hub.sock') }
}

function user(name: string, role: UserRole, personId: string | null = null): Actor & { kind: 'user' } {
  return { kind: 'user', userId: name, signInId: name, role, personId, grants: [] }
}

/** Every role, with every grant that a caregiver, coach or member may hold for Mia. */
function askers(nowMs: number): Asker[] {
  const none = { reads: [], writes: [] }
  const all = { reads: CLASSES, writes: CLASSES }
  const watch = (personId: string, type = 'watch'): Actor => ({
    kind: 'device',
    deviceId: `watch-${personId}`,
    type,
    role: 'device',
    serves: personId === '' ? [] : [personId],
  })
  const fixed: Asker[] = [
    { subject: { name: 'anonymous', role: 'nobody', ...none }, actor: null },
    { subject: { name: 'a stolen token', role: 'nobody', ...none }, actor: null },
    { subject: { name: 'signed in too long ago', role: 'nobody', ...none }, actor: null },
    { subject: { name: 'root on the box', role: 'box', ...all }, actor: null },
    { subject: { name: 'owner', role: 'owner', ...all }, actor: user('owner', 'owner') },
    { subject: { name: 'Mia', role: 'member', isMia: true, ...all }, actor: user('Mia', 'member', 'mia') },
    { subject: { name: 'Leo', role: 'member', ...none }, actor: user('Leo', 'member', 'leo') },
    {
      subject: {
        name: "Mia's watch",
        role: 'device',
        type: 'watch',
        isMias: true,
        reads: [],
        writes: CLASSES,
      },
      actor: watch('mia'),
    },
    { subject: { name: "Leo's watch", role: 'device', type: 'watch', ...none }, actor: watch('leo') },
    {
      subject: {
        ...{ name: "Mia's uploader", role: 'device', type: 'integration', isMias: true },
        ...{ reads: [], writes: CLASSES },
      },
      actor: watch('mia', 'integration'),
    },
    {
      subject: { name: 'Home Assistant', role: 'device', type: 'integration', ...none },
      actor: watch('', 'integration'),
    },
  ]
  return [...fixed, ...(['caregiver', 'coach', 'member'] as const).flatMap((role) => withGrants(role, nowMs))]
}

function withGrants(role: 'caregiver' | 'coach' | 'member', nowMs: number): Asker[] {
  const bare: Asker = {
    subject: { name: `${role} without a grant`, role, reads: [], writes: [] },
    actor: user(`${role}`, role),
  }
  const granted = CLASSES.flatMap((one): Asker[] => [
    holder(role, one, 'read', null),
    holder(role, one, 'write', nowMs + 1),
    holder(role, one, 'write', nowMs),
  ])
  return [bare, ...granted]

  function holder(
    role: UserRole & Subject['role'],
    one: Class,
    action: 'read' | 'write',
    expiresAtMs: number | null,
  ): Asker {
    const isOver = expiresAtMs === nowMs
    const name = `${role} with ${one} ${action}${isOver ? ' until now' : ''}`
    const grants = [{ personId: 'mia', class: one, action, expiresAtMs }]
    return {
      subject: { name, role, reads: isOver ? [] : [one], writes: isOver || action === 'read' ? [] : [one] },
      actor: { ...user(name, role), grants },
    }
  }
}

const PARAMS: Readonly<Record<string, string>> = {
  personId: 'mia',
  deviceId: 'watch-mia',
  cameraId: 'camera-mia',
  sessionId: 'session-mia',
  eventId: 'event-mia',
  backupId: 'nothing',
  exportId: 'nothing',
  feedId: 'nothing',
  subscriptionId: 'nothing',
  attachmentId: 'nothing',
  tagId: 'nothing',
  viewId: 'nothing',
  streamId: 'nothing',
  device_id: 'watch-mia',
  userId: 'nobody',
  groupId: 'nothing',
  zoneId: 'nothing',
  topic: 'nothing',
  user_id: 'mia',
  person: 'mia',
  id: 'nothing',
  // The instant, the first person and the first device: Mia and what is entered by hand.
  readingId: `g${(READ_AT + 1e14).toString(36)}-1-1`,
  key: '0123456789abcdef',
  '*': 'x',
}

function pathOf(url: string, query: string | undefined, params: Readonly<Record<string, string>>): string {
  const path = url.replace(/:(\w+)|\*/g, (all, name: string | undefined) => params[name ?? all] ?? all)
  return query === undefined ? path : `${path}?${query}`
}

test('every route decides for every role and grant as the table says', async (t) => {
  const { hub, http, askers, params, socketPath } = await setup(t)
  const wrong: string[] = []
  let asked = 0
  for (const { method, url } of hub.routes()) {
    for (const ask of asksOf(method, url)) {
      for (const { subject } of askers) {
        const status = await statusFor(method, pathOf(url, ask.query, params), ask, subject)
        const expected = verdictOf(ask.need, subject)
        asked += 1
        if (seen(status, ask) !== expected)
          wrong.push(`${method} ${url} ${ask.query ?? ''} as ${subject.name}: ${status}, not ${expected}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(asked > 2000, `${asked} decisions were compared`)

  async function statusFor(method: string, url: string, ask: Ask, subject: Subject): Promise<number> {
    const headers = { ...credentialOf(subject), ...(ask.run ? {} : { [STOP]: '1' }) }
    if (subject.role === 'box') return statusOverSocket(socketPath, method, url, headers, ask.body)
    const payload = ask.body === undefined ? {} : { payload: ask.body }
    return (await http.inject({ method: method as 'GET', url, headers, ...payload })).statusCode
  }
})

test('the table knows every route, and no route that is not there', async (t) => {
  const { hub } = await setup(t)
  const registered = new Set(
    hub
      .routes()
      .filter(({ method, url }) => method !== 'HEAD' && !PAGES.some((page) => page.test(url)))
      .map(({ method, url }) => `${method} ${url.replace('/api/v1', '')}`),
  )
  assert.deepEqual([...registered].sort(), Object.keys(ROUTES).sort())
})

test('lists hold what their reader may see, and nothing else', async (t) => {
  const { http, askers } = await setup(t)
  const ids = async (url: string, subject: Subject) => {
    const answer = await http.inject({ url, headers: credentialOf(subject) })
    return answer.json<{ data: { id: string }[] }>().data.map(({ id }) => id)
  }
  for (const { subject } of askers) {
    if (!['owner', 'caregiver', 'coach', 'member'].includes(subject.role)) continue
    const visible =
      subject.role === 'owner'
        ? ['mia', 'leo']
        : subject.name === 'Leo'
          ? ['leo']
          : subject.reads.length > 0
            ? ['mia']
            : []
    assert.deepEqual((await ids('/api/v1/people', subject)).sort(), [...visible].sort(), subject.name)
    const worn = visible.map((personId) => `watch-${personId}`).sort()
    assert.deepEqual((await ids('/api/v1/devices', subject)).sort(), worn, subject.name)
  }
})

function asksOf(method: string, url: string): readonly Ask[] {
  if (PAGES.some((page) => page.test(url))) return [{ need: { who: 'everybody' } }]
  // What may be asked with GET may be asked with HEAD, by the same people.
  const key = `${method === 'HEAD' ? 'GET' : method} ${url.replace('/api/v1', '')}`
  const asks = ROUTES[key]
  assert.ok(asks, `${key} is not in the table: say who may use it`)
  return asks
}

function credentialOf(subject: Subject): Record<string, string> {
  if (subject.name === 'anonymous' || subject.role === 'box') return {}
  return subject.role === 'device'
    ? { 'x-api-key': subject.name }
    : { authorization: `Bearer ${subject.name.replaceAll(' ', '_')}` }
}

/** Routes for everybody may refuse for reasons of their own, but never for want of a credential. */
function seen(status: number, { need }: Ask): Verdict | 'something else' {
  if (need.who === 'everybody') return status === 401 || status === 403 ? status : 'in'
  if (status === REACHED || (status >= 200 && status < 300)) return 'in'
  // Roles are looked at before a body is, so a body that does not fit says that the role does.
  if (status === 400 && !need.of) return 'in'
  return status === 401 || status === 403 || status === 404 ? status : 'something else'
}

function statusOverSocket(
  socketPath: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: object | undefined,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    // A connection of its own: one that is kept may be closed by the hub, idle, just as the next request takes it.
    const own = { agent: false, headers: { ...headers, ...json } }
    const asking = request({ socketPath, method, path, ...own }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
    })
    asking.on('error', reject)
    asking.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
