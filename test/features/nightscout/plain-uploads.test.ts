import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPlainUploads } from '../../../daemon/features/nightscout/plain-uploads.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, openStore, setup as setupHttp } from '../../http/setup.ts'

const HOUR_MS = 3_600_000

interface Shown {
  open: boolean
  port: number | null
  urls: string[]
  opened_by: string | null
  expires_at: string | null
}

async function setup(t: TestContext, options: { taken?: boolean } = {}) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  const ports: number[] = []
  const said: string[] = []
  const create = () =>
    createPlainUploads({
      store,
      clock,
      log: { warn: (_facts: object, text: string) => void said.push(text) } as never,
      listener: {
        async open(port) {
          if (options.taken) throw new Error('the port is taken')
          ports.push(port)
          return port
        },
        async close() {
          ports.length = 0
        },
      },
      hosts: () => ['192.168.1.5', 'fd00::5'],
    })
  const plain = create()
  const { http } = await setupHttp(t, { store, features: [plain.feature] })
  const call = async (method: 'GET' | 'PUT' | 'DELETE', body?: object, headers: object = OWNER) => {
    const answer = await http.inject({
      method,
      url: '/api/v1/uploaders/plain',
      headers: { host: 'homefield.local', ...headers },
      ...(body ? { payload: body } : {}),
    })
    return { status: answer.statusCode, shown: answer.json<{ data: Shown }>().data }
  }
  return { clock, plain, create, call, ports, said }
}

test('an owner opens the way for uploaders for some hours; then it is shut by itself', async (t) => {
  const { clock, plain, call, ports, said } = await setup(t)
  assert.equal((await call('GET')).shown.open, false)
  const { shown } = await call('PUT', { hours: 30 })
  assert.deepEqual([shown.open, shown.port, shown.opened_by], [true, 1337, 'olga'])
  assert.deepEqual(shown.urls, ['http://192.168.1.5:1337/', 'http://[fd00::5]:1337/'])
  assert.deepEqual(ports, [1337])
  clock.advance(29 * HOUR_MS)
  assert.equal(plain.state()?.port, 1337)
  clock.advance(HOUR_MS)
  assert.equal(plain.state(), null)
  await new Promise(setImmediate)
  assert.deepEqual(ports, [])
  assert.deepEqual(said, [
    'the plain listener for uploaders is open',
    'the plain listener for uploaders is shut',
  ])
  assert.equal((await call('GET')).shown.expires_at, null)
})

test('what was open is open again after a restart, but not beyond its time', async (t) => {
  const { clock, plain, create, call, ports } = await setup(t)
  await call('PUT', { hours: 2, port: 0 })
  await plain.feature.stop?.()
  assert.deepEqual(ports, [])
  clock.advance(HOUR_MS)
  const again = create()
  await again.feature.start?.()
  assert.equal(again.state()?.expiresAtMs, clock.now() + HOUR_MS)
  await again.feature.stop?.()
  clock.advance(2 * HOUR_MS)
  const late = create()
  await late.feature.start?.()
  assert.equal(late.state(), null)
})

test('an owner shuts it at any time; nobody else may open it', async (t) => {
  const { plain, call } = await setup(t)
  await call('PUT', { hours: 1 })
  assert.equal((await call('DELETE')).shown.open, false)
  assert.equal(plain.state(), null)
  assert.equal((await call('PUT', { hours: 1 }, { authorization: 'Bearer coach-token' })).status, 403)
  assert.equal((await call('PUT', { hours: 1000 })).status, 400)
  assert.equal((await call('PUT', { hours: 1, port: 80 })).status, 400)
})
