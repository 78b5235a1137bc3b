import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { createWhoop, type Whoop } from '../../../daemon/features/whoop/whoop.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { CLIENT, fakeWhoop } from '../../fakes/whoop.ts'
import { household, MIA, NURSE, OWNER, type Parts } from '../glucose/setup.ts'

const NOW = Date.UTC(2026, 2, 15, 12)
const PATH = '/integrations/whoop'

interface Status {
  configured: boolean
  state: string
  last_sync_at: string | null
  last_error: string | null
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(join('test', 'fixtures', 'whoop', name), 'utf8')).records

async function setup(t: TestContext, options: { configured?: boolean } = {}) {
  const made: { whoop?: Whoop; again?: () => Whoop } = {}
  const submitted: { personId: string; days: number | undefined }[] = []
  let now = () => NOW
  const api = await fakeWhoop(t, () => now())
  const settings = { ...CLIENT, baseUrl: api.baseUrl, redirectUri: '' }
  const build = ({ store, sources, ...rest }: Parts, clock: { now: () => number }) => {
    const records = createRecords({ store, sources, ...rest, newId: () => newId(rest.now()) })
    const whoop = createWhoop({
      ...{ store, fetch, secret: new Uint8Array(32).fill(3) },
      clock: { now: clock.now, monotonic: clock.now, every: () => () => {}, after: timers.after },
      settings: options.configured === false ? { ...settings, clientId: '' } : settings,
      records: { tell: records.tell, takeBack: records.takeBack },
      entry: () => sources.entryFor('whoop'),
      submit: async (personId, days) => {
        submitted.push({ personId, days })
        return { id: 'job-1' }
      },
    })
    return { whoop, records }
  }
  const timers = queueOfTimers()
  const home = await household(
    t,
    (parts) => {
      const { whoop, records } = build(parts, parts)
      made.whoop = whoop
      made.again = () => build(parts, parts).whoop
      return [whoop.feature, records.feature]
    },
    NOW,
  )
  now = home.now
  const status = async () => (await home.call<Status>('GET', `${PATH}/status`, MIA)).body.data
  async function connect() {
    const begun = await home.call<{ authorize_url: string }>('GET', `${PATH}/connect`, MIA)
    const { code, state } = api.allow(begun.body.data.authorize_url)
    return home.call('GET', `${PATH}/callback?code=${code}&state=${state}`, {})
  }
  const values = async (metric: string) => {
    const range = { personId: 'mia', metric, fromMs: 0, toMs: NOW * 2, limit: 1000 }
    return (await home.store.observations.range(range)).points
  }
  return { ...home, api, timers, status, connect, values, submitted, whoop: made.whoop!, again: made.again! }
}

/** Pauses end when the test says so; `waits` tells how long they would have been. */
function queueOfTimers() {
  const waits: number[] = []
  const pending = new Set<() => void>()
  return {
    waits,
    after(ms: number, fn: () => void) {
      if (ms >= 20_000 && ms !== 30_000) return () => {}
      waits.push(ms)
      pending.add(fn)
      return () => void pending.delete(fn)
    },
    /** Lets work that pauses come to its end. */
    async drain<Result>(work: Promise<Result>, onPause: (ms: number) => void = () => {}): Promise<Result> {
      let done = false
      const finished = work.finally(() => {
        done = true
      })
      finished.catch(() => {})
      while (!done) {
        await setImmediate()
        for (const fn of [...pending]) {
          pending.delete(fn)
          onPause(waits.at(-1) ?? 0)
          fn()
        }
      }
      return finished
    },
  }
}

const recovery = (daysAgo: number, score: number | null) => ({
  cycle_id: 1000 + daysAgo,
  sleep_id: `sleep-${daysAgo}`,
  created_at: new Date(NOW - daysAgo * 86_400_000).toISOString(),
  score_state: score === null ? 'PENDING_SCORE' : 'SCORED',
  ...(score === null
    ? {}
    : { score: { recovery_score: score, resting_heart_rate: 60, hrv_rmssd_milli: 40 } }),
})

test('nothing is asked of WHOOP before it is set up, and the answer says how', async (t) => {
  const { call, status, whoop, api } = await setup(t, { configured: false })
  assert.equal((await status()).state, 'not_configured')
  const refused = await call('GET', `${PATH}/connect`, MIA)
  assert.equal(refused.status, 409)
  assert.match(refused.body.error.message, /whoop\.clientId/)
  await whoop.run(null, {})
  assert.deepEqual(api.asked, [])
})

test('an account is connected with PKCE and a state that works once, and tokens are sealed at rest', async (t) => {
  const { call, connect, api, status, store, submitted } = await setup(t)
  const { body } = await call<{ authorize_url: string }>('POST', `${PATH}/connect?person_id=mia`, OWNER)
  const url = new URL(body.data.authorize_url)
  assert.equal(url.searchParams.get('code_challenge_method'), 'S256')
  assert.match(
    url.searchParams.get('redirect_uri') ?? '',
    /^https:\/\/.+\/api\/v1\/integrations\/whoop\/callback$/,
  )
  const { code, state } = api.allow(url.href)
  const forged = await call('GET', `${PATH}/callback?code=${code}&state=x${state}`, {})
  assert.equal(forged.status, 401)
  assert.equal((await call('GET', `${PATH}/callback?code=${code}&state=${state}`, {})).status, 200)
  assert.equal((await call('GET', `${PATH}/callback?code=${code}&state=${state}`, {})).status, 401)
  assert.equal((await status()).state, 'connected')
  assert.deepEqual(submitted, [{ personId: 'mia', days: undefined }])
  const kept = store.get<{ sealed: Uint8Array }>('SELECT sealed FROM whoop_connection')
  assert.doesNotMatch(Buffer.from(kept?.sealed ?? []).toString('latin1'), /[ar]t-/)
  assert.equal((await connect()).status, 200)
  assert.equal((await call('GET', `${PATH}/connect`, NURSE)).status, 400)
  assert.equal((await call('GET', `${PATH}/connect?person_id=mia`, NURSE)).status, 403)
})

test('a sign-in that took too long is refused', async (t) => {
  const { call, api, clock } = await setup(t)
  const { body } = await call<{ authorize_url: string }>('GET', `${PATH}/connect`, MIA)
  const { code, state } = api.allow(body.data.authorize_url)
  clock.advance(11 * 60_000)
  assert.equal((await call('GET', `${PATH}/callback?code=${code}&state=${state}`, {})).status, 410)
  assert.equal((await call('GET', `${PATH}/callback?error=access_denied&state=${state}`, {})).status, 400)
})

test('a browser that comes back from WHOOP is shown a page that says what became of it', async (t) => {
  const { call, api, clock, http } = await setup(t)
  const begin = async () => {
    const { body } = await call<{ authorize_url: string }>('GET', `${PATH}/connect`, MIA)
    return api.allow(body.data.authorize_url)
  }
  const shown = async (query: string) => {
    const headers = { accept: 'text/html,application/xhtml+xml' }
    const answer = await http.inject({ method: 'GET', url: `/api/v1${PATH}/callback?${query}`, headers })
    return [answer.statusCode, answer.headers.location]
  }
  const { code, state } = await begin()
  const page = '/app/health/mia/whoop?whoop='
  assert.deepEqual(await shown(`error=access_denied&state=${state}`), [303, `${page}denied`])
  assert.deepEqual(await shown(`code=wrong&state=${state}`), [303, `${page}refused`])
  assert.deepEqual(await shown(`code=${code}&state=${state}`), [303, '/app/health?whoop=used'])
  const second = await begin()
  assert.deepEqual(await shown(`code=${second.code}&state=${second.state}`), [303, `${page}connected`])
  const third = await begin()
  clock.advance(11 * 60_000)
  assert.deepEqual(await shown(`code=${third.code}&state=${third.state}`), [303, `${page}late`])
})

test('documented records become values, a night and a workout, and a second fetch adds nothing', async (t) => {
  const { connect, api, whoop, values, call, status } = await setup(t)
  await connect()
  for (const [kind, file] of [
    ['cycle', 'cycle'],
    ['recovery', 'recovery.page1'],
    ['sleep', 'sleep'],
    ['workout', 'workout'],
  ] as const)
    api.records[kind] = fixture(`${file}.json`)
  const first = await whoop.run('mia', { days: 30 })
  assert.deepEqual(Object(first).mia.skipped, [])
  assert.equal(Object(first).mia.pending, 1)
  assert.deepEqual(
    (await values('recovery')).map(({ value, source }) => [value, source]),
    [[44, 'whoop']],
  )
  assert.deepEqual(
    (await values('resting_heart_rate')).map(({ value }) => value),
    [64],
  )
  assert.deepEqual(
    (await values('skin_temp')).map(({ value }) => value),
    [33.7],
  )
  const [strain] = await values('strain')
  assert.equal(strain?.atMs, Date.parse('2026-03-14T06:40:12.325Z'))
  assert.equal(strain?.extra?.['heart_rate_avg'], 68)
  assert.deepEqual(await values('heart_rate'), [])
  const nights = (await call<Record<string, unknown>[]>('GET', '/sleep', MIA)).body.data
  const night = nights.map((one) => [
    one['wake_date'],
    one['duration_minutes'],
    one['deep_sleep_minutes'],
    one['quality_score'],
  ])
  assert.deepEqual(night, [['2026-03-14', 480, 120, 8.8]])
  const [run] = (await call<Record<string, unknown>[]>('GET', '/activities', MIA)).body.data
  assert.deepEqual(
    [run?.['activity_type'], run?.['duration_minutes'], run?.['distance_m']],
    ['soccer', 61.5, 5200.4],
  )
  const again = Object(await whoop.run('mia', { days: 30 })).mia
  assert.deepEqual([again.accepted, again.revised], [0, 0])
  assert.equal((await status()).last_sync_at, new Date(NOW).toISOString())
})

test('a record that is scored late or anew replaces what stood there, and one whose beginning moves does not stand twice', async (t) => {
  const { connect, api, whoop, values, call } = await setup(t)
  await connect()
  api.records['recovery'] = [recovery(1, null)]
  api.records['sleep'] = fixture('sleep.json')
  await whoop.run('mia', {})
  assert.deepEqual(await values('recovery'), [])
  api.records['recovery'] = [recovery(1, 50)]
  await whoop.run('mia', {})
  api.records['recovery'] = [recovery(1, 55)]
  api.records['sleep'] = [{ ...fixture('sleep.json')[0], start: '2026-03-13T21:50:00.000Z' }]
  await whoop.run('mia', {})
  assert.deepEqual(
    (await values('recovery')).map(({ value, revision }) => [value, revision]),
    [[55, 1]],
  )
  const nights = (await call<{ sleep_start: string }[]>('GET', '/sleep', MIA)).body.data
  assert.deepEqual(
    nights.map((one) => one.sleep_start),
    ['2026-03-13T21:50:00.000Z'],
  )
})

test('all pages are fetched, and the next fetch begins shortly before the last one', async (t) => {
  const { connect, api, whoop, values, clock } = await setup(t)
  await connect()
  api.records['recovery'] = Array.from({ length: 60 }, (_, index) => recovery(index / 3, 50))
  await whoop.run('mia', { days: 30 })
  assert.equal((await values('recovery')).length, 60)
  assert.equal(api.asked.filter((one) => one.endsWith('/recovery')).length, 3)
  clock.advance(1_800_000)
  const { records } = Object(await whoop.run('mia', {})).mia
  assert.equal(records, 10)
})

test('a token that ran out is renewed once, however many ask', async (t) => {
  const { connect, api, whoop, clock } = await setup(t)
  await connect()
  clock.advance(3_600_000)
  await Promise.all([whoop.run('mia', {}), whoop.run('mia', {}), whoop.run('mia', {})])
  assert.equal(api.refreshes(), 1)
  clock.advance(3_600_000)
  await whoop.run('mia', {})
  assert.equal(api.refreshes(), 2)
})

test('a hub killed after WHOOP renewed the token and before it was saved asks to connect again', async (t) => {
  const { connect, api, whoop, again, clock, status, store, call } = await setup(t)
  await connect()
  clock.advance(3_600_000)
  // The answer never arrives, as when the hub dies at that moment: only the intent is on disk.
  api.hooks.dropAnswer = true
  await assert.rejects(whoop.run('mia', {}), { code: 'OVERLOADED' })
  assert.equal(store.get<{ state: string }>('SELECT state FROM whoop_connection')?.state, 'refreshing')
  api.hooks.dropAnswer = false
  await assert.rejects(again().run('mia', {}), { code: 'CONFLICT' })
  assert.equal((await status()).state, 'connect_again')
  assert.match((await status()).last_error ?? '', /sign-in/)
  assert.equal((await call('POST', `${PATH}/sync`, MIA)).status, 409)
  await connect()
  assert.equal((await status()).state, 'connected')
  await again().run('mia', {})
})

test('a hub killed before WHOOP heard of the renewal goes on by itself', async (t) => {
  const { connect, api, whoop, again, clock, status } = await setup(t)
  await connect()
  clock.advance(3_600_000)
  api.tokenFailures.push({ status: 503 })
  await assert.rejects(whoop.run('mia', {}), { code: 'OVERLOADED' })
  await again().run('mia', {})
  assert.deepEqual([(await status()).state, (await status()).last_error], ['connected', null])
})

test('a limit is waited for as long as WHOOP says, and a long one is left to the queue', async (t) => {
  const { connect, api, whoop, timers, clock, status } = await setup(t)
  await connect()
  api.failures.push({ status: 429, headers: { 'retry-after': '5' } })
  await timers.drain(whoop.run('mia', {}), (ms) => clock.advance(ms))
  assert.ok(
    timers.waits.some((ms) => ms >= 4000 && ms <= 5000),
    String(timers.waits),
  )
  api.failures.push({ status: 429, headers: { 'retry-after': '600' } })
  await assert.rejects(
    timers.drain(whoop.run('mia', {}), (ms) => clock.advance(ms)),
    { code: 'RATE_LIMITED' },
  )
  const before = api.asked.length
  await assert.rejects(whoop.run('mia', {}), { code: 'RATE_LIMITED' })
  assert.equal(api.asked.length, before)
  assert.match((await status()).last_error ?? '', /wait/)
})

test('failures of WHOOP are tried again with growing pauses, a few times', async (t) => {
  const { connect, api, whoop, timers, clock } = await setup(t)
  await connect()
  api.failures.push({ status: 500 }, { status: 502 })
  await timers.drain(whoop.run('mia', {}), (ms) => clock.advance(ms))
  assert.deepEqual(timers.waits, [1000, 2000])
  api.failures.push(...Array.from({ length: 4 }, () => ({ status: 503 })))
  await assert.rejects(
    timers.drain(whoop.run('mia', {}), (ms) => clock.advance(ms)),
    { code: 'OVERLOADED' },
  )
})

test('disconnecting forgets the tokens and keeps what was fetched', async (t) => {
  const { connect, api, whoop, call, status, store, values } = await setup(t)
  await connect()
  api.records['recovery'] = [recovery(1, 50)]
  await whoop.run(null, {})
  assert.equal((await call('DELETE', PATH, MIA)).status, 200)
  assert.equal(api.revoked(), 1)
  assert.equal((await status()).state, 'not_connected')
  assert.equal(store.get('SELECT 1 FROM whoop_connection'), undefined)
  assert.equal((await values('recovery')).length, 1)
  assert.equal((await call('POST', `${PATH}/sync?days=30`, MIA)).status, 409)
})
