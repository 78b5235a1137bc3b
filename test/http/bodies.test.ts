import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib'
import { OWNER, setup } from './setup.ts'

const JSON_TYPE = { ...OWNER, 'content-type': 'application/json' }

test('a compressed body is read like a plain one', async (t) => {
  const { http } = await setup(t)
  const text = JSON.stringify({ name: 'watch' })
  for (const [encoding, payload] of [
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
  ] as const) {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding }
    const answer = await http.inject({ method: 'POST', url: '/api/v1/things', headers, payload })
    assert.equal(answer.statusCode, 201, encoding)
  }
})

test('the limit counts what a body inflates to, so a small bomb is refused', async (t) => {
  const { http } = await setup(t)
  const bomb = gzipSync(JSON.stringify({ name: 'x'.repeat(50_000_000) }))
  assert.ok(bomb.length < 60_000)
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  const answer = await http.inject({ method: 'POST', url: '/api/v1/things', headers, payload: bomb })
  assert.deepEqual(
    [answer.statusCode, answer.json<{ error: { code: string } }>().error.code],
    [413, 'TOO_LARGE'],
  )
})

test('a body that is too large is refused without compression too', async (t) => {
  const { http } = await setup(t)
  const payload = JSON.stringify({ name: 'x'.repeat(1_048_577) })
  const answer = await http.inject({ method: 'POST', url: '/api/v1/things', headers: JSON_TYPE, payload })
  assert.equal(answer.statusCode, 413)
})

test('a body that does not inflate and an encoding nobody knows are refused', async (t) => {
  const { http } = await setup(t)
  const post = (encoding: string, payload: Buffer) =>
    http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...JSON_TYPE, 'content-encoding': encoding },
      payload,
    })
  const broken = await post('gzip', Buffer.from('this is no gzip'))
  assert.deepEqual(
    [broken.statusCode, broken.json<{ error: { code: string } }>().error.code],
    [400, 'VALIDATION_ERROR'],
  )
  assert.equal((await post('zstd', Buffer.from('x'))).statusCode, 415)
})

test('answers over 1 KB are compressed for those who take it', async (t) => {
  const { http } = await setup(t)
  const headers = { ...OWNER, 'accept-encoding': 'gzip, br' }
  const large = await http.inject({ url: '/api/v1/things', headers })
  assert.equal(large.headers['content-encoding'], 'br')
  assert.match(brotliDecompressSync(large.rawPayload).toString(), /"success":true/)
  const small = await http.inject({ url: '/api/v1/open', headers })
  assert.equal(small.headers['content-encoding'], undefined)
})

test('asking again for what has not changed is 304, whatever the hour', async (t) => {
  const { http, clock } = await setup(t)
  const first = await http.inject({ url: '/api/v1/things', headers: OWNER })
  const tag = String(first.headers['etag'])
  clock.advance(5000)
  const again = await http.inject({ url: '/api/v1/things', headers: { ...OWNER, 'if-none-match': tag } })
  assert.deepEqual([again.statusCode, again.body, again.headers['etag']], [304, '', tag])
  const other = await http.inject({
    url: '/api/v1/things?limit=5',
    headers: { ...OWNER, 'if-none-match': tag },
  })
  assert.equal(other.statusCode, 200)
  const seed = await http.inject({ url: '/api/things', headers: OWNER })
  clock.advance(5000)
  const seedAgain = await http.inject({
    url: '/api/things',
    headers: { ...OWNER, 'if-none-match': String(seed.headers['etag']) },
  })
  assert.equal(seedAgain.statusCode, 304)
})

test('a refusal has no tag and is not kept by anybody', async (t) => {
  const { http } = await setup(t)
  const refused = await http.inject('/api/v1/things')
  assert.equal(refused.headers['etag'], undefined)
})
