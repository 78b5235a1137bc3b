import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, OWNER, setup } from './setup.ts'

interface Made {
  data: { made: number }
}

test('a repeated POST gets the first answer and is not done twice', async (t) => {
  const { http } = await setup(t)
  const post = () =>
    http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...OWNER, 'idempotency-key': 'k1' },
      payload: { name: 'x' },
    })
  const first = await post()
  const again = await post()
  assert.equal(first.headers['idempotency-replayed'], undefined)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.deepEqual([again.statusCode, again.body], [first.statusCode, first.body])
})

test('the same key for another body is a mismatch', async (t) => {
  const { http } = await setup(t)
  const post = (name: string) =>
    http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...OWNER, 'idempotency-key': 'k1' },
      payload: { name },
    })
  await post('x')
  const other = await post('y')
  assert.deepEqual(
    [other.statusCode, other.json<{ error: { code: string } }>().error.code],
    [409, 'IDEMPOTENCY_MISMATCH'],
  )
})

test('a key belongs to one caller, and another key is another request', async (t) => {
  const { http } = await setup(t)
  const post = async (token: string, key: string) => {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': key }
    const answer = await http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers,
      payload: { name: 'x' },
    })
    return answer.json<Made>().data.made
  }
  assert.deepEqual(
    [
      await post('owner-token', 'k1'),
      await post('member-token', 'k1'),
      await post('owner-token', 'k2'),
      await post('owner-token', 'k1'),
    ],
    [1, 2, 3, 1],
  )
})

test('without an account the credential itself is the caller: no key gives out what came of another one', async (t) => {
  const features = [
    answering('sign-in', (http) => {
      let made = 0
      http.post('/renew', { config: { policy: { access: 'open' } } }, async () => {
        made += 1
        return { success: true, data: { made }, timestamp: '' }
      })
    }),
  ]
  const { http } = await setup(t, { features })
  const post = async (headers: Record<string, string>) => {
    const answer = await http.inject({
      method: 'POST',
      url: '/api/v1/renew',
      headers: { ...headers, 'idempotency-key': 'k1' },
    })
    return answer.json<Made>().data.made
  }
  assert.deepEqual(
    [
      await post({ cookie: '__Host-hf=one' }),
      await post({ cookie: '__Host-hf=other' }),
      await post({}),
      await post({ authorization: 'Bearer one' }),
      await post({ cookie: '__Host-hf=one' }),
    ],
    [1, 2, 3, 4, 1],
  )
})

test('a repeat while the first still runs is told so', async (t) => {
  let release: () => void = () => {}
  let entered: () => void = () => {}
  const running = new Promise<void>((resolve) => {
    entered = resolve
  })
  const features = [
    answering('slow', (http) => {
      http.post('/slow', { config: { policy: { access: 'signed-in', roles: ['owner'] } } }, async () => {
        entered()
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return { done: true }
      })
    }),
  ]
  const { http } = await setup(t, { features })
  const post = (payload: object) =>
    http.inject({
      method: 'POST',
      url: '/api/v1/slow',
      headers: { ...OWNER, 'idempotency-key': 'k1' },
      payload,
    })
  // An injected request starts when somebody waits for it.
  const first = post({}).then((answer) => answer)
  await running
  const second = await post({})
  assert.deepEqual(
    [second.statusCode, second.json<{ error: { code: string } }>().error.code],
    [409, 'IN_PROGRESS'],
  )
  assert.equal(
    (await post({ other: 1 })).json<{ error: { code: string } }>().error.code,
    'IDEMPOTENCY_MISMATCH',
  )
  release()
  assert.equal((await first).statusCode, 200)
  assert.equal((await post({})).headers['idempotency-replayed'], 'true')
})

test('a refusal is repeated too, except one that time heals', async (t) => {
  const { http } = await setup(t)
  const post = (url: string, payload: object) =>
    http.inject({ method: 'POST', url, headers: { ...OWNER, 'idempotency-key': url }, payload })
  await post('/api/v1/busy', {})
  assert.equal((await post('/api/v1/busy', {})).headers['idempotency-replayed'], undefined)
})

test('after a day a key is free again, and the old answer is gone', async (t) => {
  const { http, clock, store } = await setup(t)
  const post = (key: string) =>
    http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...OWNER, 'idempotency-key': key },
      payload: { name: 'x' },
    })
  await post('k1')
  clock.advance(24 * 3_600_000)
  assert.equal((await post('k1')).headers['idempotency-replayed'], undefined)
  clock.advance(24 * 3_600_000)
  await post('k2')
  assert.equal(store.all('SELECT id FROM idempotency').length, 1)
})

test('what is kept cannot be read from the database', async (t) => {
  const { http, store } = await setup(t)
  const headers = { ...OWNER, 'idempotency-key': 'key-in-clear' }
  await http.inject({
    method: 'POST',
    url: '/api/v1/things',
    headers,
    payload: { name: 'canary-of-a-token' },
  })
  const [row] = store.all<{ id: Uint8Array; body_hash: string; sealed: Uint8Array }>(
    'SELECT * FROM idempotency',
  )
  assert.ok(row)
  const text = `${Buffer.from(row.id).toString('latin1')}${row.body_hash}${Buffer.from(row.sealed).toString('latin1')}`
  assert.ok(!text.includes('canary-of-a-token'))
  assert.ok(!text.includes('key-in-clear'))
})

test('a key that is too long is refused', async (t) => {
  const { http } = await setup(t)
  const headers = { ...OWNER, 'idempotency-key': 'k'.repeat(129) }
  const answer = await http.inject({ method: 'POST', url: '/api/v1/things', headers, payload: { name: 'x' } })
  assert.equal(answer.statusCode, 400)
})
