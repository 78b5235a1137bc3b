import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { operations, type PartState } from '../../../daemon/features/operations/operations.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, setup as setupHttp } from '../../http/setup.ts'

async function setup(t: TestContext, claimed = true) {
  const clock = fakeClock()
  const parts: PartState[] = [{ name: 'store', state: 'up', detail: null }]
  const feature = operations({
    version: '0.1.0',
    now: clock.now,
    parts: () => parts,
    metrics: async () => 'homefield_up 1\n',
    greeting: () => ({
      claimed,
      hubName: 'Lindenhof',
      caSha256: 'ab',
      fingerprintWords: ['amber', 'birch', 'coral', 'delta'],
      httpsUrl: 'https://homefield.local:8443',
      caUrl: 'http://homefield.local:8080/ca.crt',
      mqttsPort: 8883,
    }),
  })
  const { http } = await setupHttp(t, { features: [feature], claimed })
  return { http, parts }
}

test('health answers everybody, bare, at every one of its paths', async (t) => {
  const { http } = await setup(t, false)
  for (const url of ['/health', '/api/health', '/api/v1/health']) {
    const answer = await http.inject(url)
    assert.equal(answer.statusCode, 200, url)
    assert.deepEqual(answer.json(), {
      status: 'healthy',
      timestamp: '2026-03-14T08:00:00.000Z',
      version: '0.1.0',
    })
  }
})

test('the greeting says who the hub is before anybody signs in', async (t) => {
  const { http } = await setup(t, false)
  assert.deepEqual((await http.inject('/api/v1/welcome')).json<{ data: unknown }>().data, {
    claimed: false,
    hub_name: 'Lindenhof',
    version: '0.1.0',
    ca_sha256: 'ab',
    fingerprint_words: ['amber', 'birch', 'coral', 'delta'],
    https_url: 'https://homefield.local:8443',
    ca_url: 'http://homefield.local:8080/ca.crt',
    mqtts_port: 8883,
  })
})

test('readiness lists every part; a part that is down makes the hub not ready', async (t) => {
  const { http, parts } = await setup(t)
  const ready = await http.inject({ url: '/ready', headers: OWNER })
  assert.deepEqual(
    [ready.statusCode, ready.json<{ data: unknown }>().data],
    [200, { status: 'ready', parts }],
  )
  parts.push({ name: 'mdns', state: 'degraded', detail: 'no multicast' })
  assert.equal((await http.inject({ url: '/ready', headers: OWNER })).statusCode, 200)
  parts.push({ name: 'broker', state: 'down', detail: 'port 8883 is taken' })
  const down = await http.inject({ url: '/ready', headers: OWNER })
  const body = down.json<{ data: { parts: unknown[] }; error: { details: unknown[] } }>()
  assert.equal(down.statusCode, 503)
  assert.deepEqual(
    [body.data.parts.length, body.error.details],
    [3, [{ path: 'broker', message: 'port 8883 is taken' }]],
  )
})

test('owners and integrations watch the hub, nobody else', async (t) => {
  const { http } = await setup(t)
  const status = async (headers: Record<string, string>) =>
    Promise.all(
      ['/ready', '/metrics', '/api/v1/metrics'].map(
        async (url) => (await http.inject({ url, headers })).statusCode,
      ),
    )
  assert.deepEqual(await status(OWNER), [200, 200, 200])
  assert.deepEqual(await status({ 'x-api-key': 'ha-key' }), [200, 200, 200])
  assert.deepEqual(await status({ 'x-api-key': 'watch-key' }), [403, 403, 403])
  assert.deepEqual(await status({ authorization: 'Bearer member-token' }), [403, 403, 403])
  assert.deepEqual(await status({}), [401, 401, 401])
})
