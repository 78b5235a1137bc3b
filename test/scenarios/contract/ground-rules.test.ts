/** The contract's ground rules of the API, as seen from outside. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { type Answer, household, letIn } from './client.ts'

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const hub = await household()

function refused(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.bytes.toString())
  assert.deepEqual(Object.keys(answer.json).sort(), ['error', 'success', 'timestamp'])
  assert.equal(answer.json.success, false)
  assert.equal(answer.json.error.code, code)
  assert.equal(typeof answer.json.error.message, 'string')
  assert.ok(Array.isArray(answer.json.error.details))
  assert.match(answer.json.timestamp, STAMP)
  assert.ok(answer.headers['x-request-id'])
}

test('hub.json says everything that is in use, readable by its owner alone', () => {
  const path = join(hub.dataDir, 'hub.json')
  const json = JSON.parse(readFileSync(path, 'utf8'))
  assert.deepEqual(Object.keys(json).sort(), [
    'caSha256',
    'httpPort',
    'httpsPort',
    'hubId',
    'mqttPort',
    'mqttsPort',
    'pid',
    'startedAt',
  ])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(hub.dataDir).mode & 0o777, 0o700)
  assert.ok(existsSync(join(hub.dataDir, 'tls', 'ca.pem')))
})

test('the plain port serves the welcome page, the CA and health, and sends every API call to HTTPS', async () => {
  const health = await hub.askPlain('GET', '/health')
  assert.deepEqual(Object.keys(health.json).sort(), ['status', 'timestamp', 'version'])
  assert.equal(health.json.status, 'healthy')
  assert.match((await hub.askPlain('GET', '/welcome')).bytes.toString(), /<html/)
  for (const name of ['ca.pem', 'ca.crt', 'ca.mobileconfig'])
    assert.equal((await hub.askPlain('GET', `/${name}`)).status, 200, name)
  for (const path of ['/api/v1/people', '/api/v1/health', '/api/health', '/api/v1/auth/login'])
    refused(await hub.askPlain('GET', path), 426, 'USE_HTTPS')
  refused(await hub.askPlain('POST', '/api/v1/auth/login'), 426, 'USE_HTTPS')
  for (const path of ['/app/', '/ready', '/metrics', '/docs', '/mqtt'])
    assert.notEqual((await hub.askPlain('GET', path)).status, 200, path)
})

test('an answer is {success, data, timestamp} with a request id; health stands alone', async () => {
  const { json, headers } = await hub.ask('GET', '/api/v1/people/child_1', { token: hub.owner })
  assert.deepEqual(Object.keys(json).sort(), ['data', 'success', 'timestamp'])
  assert.equal(json.success, true)
  assert.match(json.timestamp, STAMP)
  assert.match(json.data.created_at, STAMP)
  assert.ok(headers['x-request-id'])
  const sent = { headers: { 'x-request-id': 'trace-0001' } }
  assert.equal((await hub.ask('GET', '/health', sent)).headers['x-request-id'], 'trace-0001')
})

test('lists are paged by page and per_page, 20 by default and 200 at most', async () => {
  const list = (query: string) => hub.ask('GET', `/api/v1/people${query}`, { token: hub.owner })
  const first = (await list('')).json
  assert.deepEqual(first.pagination, { page: 1, per_page: 20, total: 2, pages: 1 })
  const second = (await list('?page=2&per_page=1')).json
  assert.deepEqual(second.pagination, { page: 2, per_page: 1, total: 2, pages: 2 })
  assert.equal(second.data[0].id, 'child_2')
  assert.equal((await list('?per_page=200')).status, 200)
  for (const query of ['?page=0', '?per_page=0', '?per_page=201', '?page=x', '?pages=1'])
    refused(await list(query), 400, 'VALIDATION_ERROR')
})

test('unknown and missing fields are refused by name, and nothing is coerced or dropped', async () => {
  const add = (body: unknown) => hub.ask('POST', '/api/v1/people', { token: hub.owner, body })
  const unknown = await add({ name: 'Tom', hat: 'red' })
  refused(unknown, 400, 'VALIDATION_ERROR')
  assert.equal(unknown.json.error.details[0].path, 'hat')
  const missing = await add({ age: 4 })
  refused(missing, 400, 'VALIDATION_ERROR')
  assert.equal(missing.json.error.details[0].path, 'name')
  const coerced = await add({ name: 'Tom', age: '9' })
  refused(coerced, 400, 'VALIDATION_ERROR')
  assert.deepEqual([coerced.json.error.details[0].path, coerced.json.error.details[0].value], ['age', '9'])
})

test('malformed, wrong and oversized bodies have codes of their own', async () => {
  const post = (bytes: Buffer | string, headers = {}) =>
    hub.ask('POST', '/api/v1/people', { token: hub.owner, bytes, headers })
  refused(await post('{"name":'), 400, 'VALIDATION_ERROR')
  refused(
    await post('name=Tom', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'UNSUPPORTED_MEDIA',
  )
  refused(await post('{}', { 'content-encoding': 'zstd' }), 415, 'UNSUPPORTED_MEDIA')
  refused(await post(JSON.stringify({ name: 'x'.repeat(2_000_000) })), 413, 'TOO_LARGE')
  const bomb = gzipSync(JSON.stringify({ name: 'x'.repeat(20_000_000) }))
  refused(await post(bomb, { 'content-encoding': 'gzip' }), 413, 'TOO_LARGE')
})

test('compressed bodies are taken, and answers over 1 KB are compressed with br or gzip', async () => {
  const body = gzipSync(JSON.stringify({ name: 'Kim', preferences: { note: 'n'.repeat(4000) } }))
  const added = await hub.ask('POST', '/api/v1/people', {
    token: hub.owner,
    bytes: body,
    headers: { 'content-encoding': 'gzip' },
  })
  assert.equal(added.status, 201, added.bytes.toString())
  const read = (encoding: string) =>
    hub.ask('GET', `/api/v1/people/${added.json.data.id}`, {
      token: hub.owner,
      headers: { 'accept-encoding': encoding },
    })
  const gzip = await read('gzip')
  assert.equal(gzip.headers['content-encoding'], 'gzip')
  assert.equal(JSON.parse(gunzipSync(gzip.bytes).toString()).data.name, 'Kim')
  const br = await read('br, gzip')
  assert.equal(br.headers['content-encoding'], 'br')
  assert.equal(JSON.parse(brotliDecompressSync(br.bytes).toString()).data.name, 'Kim')
  assert.equal(
    (await hub.ask('DELETE', `/api/v1/people/${added.json.data.id}`, { token: hub.owner })).status,
    200,
  )
})

test('a GET carries an ETag and answers 304 to who has it', async () => {
  const first = await hub.ask('GET', '/api/v1/people/child_1', { token: hub.owner })
  const { etag = '' } = first.headers
  assert.ok(etag)
  const again = (tag: string) =>
    hub.ask('GET', '/api/v1/people/child_1', { token: hub.owner, headers: { 'if-none-match': tag } })
  const same = await again(etag)
  assert.deepEqual([same.status, same.bytes.length], [304, 0])
  assert.ok(same.headers['x-request-id'])
  assert.equal((await again('"other"')).status, 200)
})

test('seed paths are aliases whose data also stands at the top level, v1 and its kin are not', async () => {
  const { json } = await hub.ask('GET', '/api/people/child_1', { token: hub.owner })
  assert.equal(json.id, 'child_1')
  assert.equal(json.data.id, 'child_1')
  assert.equal(json.success, true)
  const bulk = await hub.ask('POST', '/health_data/ingest', {
    token: hub.owner,
    body: { user_id: 'child_1', samples: [{ timestamp: Date.now() / 1000, metric: 'hr', value: 71 }] },
  })
  assert.deepEqual([bulk.status, bulk.json.accepted, bulk.json.data.accepted], [200, 1, 1])
  for (const path of ['/api/v2/people', '/api/v3/people', '/api/local-edge/people'])
    refused(await hub.ask('GET', path, { token: hub.owner }), 404, 'NOT_FOUND')
})

test('a foreign Host is 421, a foreign page 403', async () => {
  refused(await hub.ask('GET', '/api/v1/people', { headers: { host: 'evil.example' } }), 421, 'WRONG_HOST')
  const page = { origin: 'https://evil.example' }
  refused(await hub.ask('POST', '/api/v1/auth/login', { body: {}, headers: page }), 403, 'CROSS_SITE')
})

test('401 is no credential, 403 a role or right, 404 what the caller may not see, with one and the same body', async () => {
  refused(await hub.ask('GET', '/api/v1/people/child_1'), 401, 'UNAUTHENTICATED')
  refused(await hub.ask('GET', '/api/v1/people', { token: 'x.y.z' }), 401, 'UNAUTHENTICATED')
  refused(await hub.ask('GET', '/api/v1/people', { key: 'nonsense' }), 401, 'UNAUTHENTICATED')
  const member = await letIn(hub, hub.owner, { role: 'member', person_id: 'child_1' })
  refused(await hub.ask('POST', '/api/v1/people', { token: member, body: { name: 'X' } }), 403, 'FORBIDDEN')
  const hidden = await hub.ask('GET', '/api/v1/people/child_2', { token: member })
  const nobody = await hub.ask('GET', '/api/v1/people/nobody', { token: member })
  refused(hidden, 404, 'NOT_FOUND')
  assert.deepEqual(hidden.json.error, nobody.json.error)
  const coach = await letIn(hub, hub.owner, { role: 'coach', person_id: 'child_1' })
  const glucose = '/api/v1/people/child_1/observations?metric=glucose'
  refused(await hub.ask('GET', glucose, { token: coach }), 403, 'FORBIDDEN')
  assert.equal((await hub.ask('GET', glucose, { token: member })).status, 200)
})

test('a repeated POST with its Idempotency-Key is answered again, not done again', async () => {
  const post = (body: unknown, path = '/api/v1/people') =>
    hub.ask('POST', path, { token: hub.owner, body, headers: { 'idempotency-key': 'key-1' } })
  const first = await post({ name: 'Once' })
  const again = await post({ name: 'Once' })
  assert.equal(first.status, 201)
  assert.equal(again.status, 201)
  assert.equal(first.headers['idempotency-replayed'], undefined)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.deepEqual(again.bytes, first.bytes)
  refused(await post({ name: 'Twice' }), 409, 'IDEMPOTENCY_MISMATCH')
  assert.equal((await post({ type: 'watch', name: 'W' }, '/api/v1/devices')).status, 201)
  const long = { 'idempotency-key': 'k'.repeat(129) }
  refused(
    await hub.ask('POST', '/api/v1/people', { token: hub.owner, body: { name: 'X' }, headers: long }),
    400,
    'VALIDATION_ERROR',
  )
})

test('two of the same POST at once are done once', async () => {
  const post = () =>
    hub.ask('POST', '/api/v1/auth/login', {
      body: { name: 'Anna', password: 'a long enough pass' },
      headers: { 'idempotency-key': 'both' },
    })
  const answers = await Promise.all([post(), post()])
  const late = answers.find(({ status }) => status === 409)
  if (late) refused(late, 409, 'IN_PROGRESS')
  else assert.equal(answers[0]?.json.data.refresh_token, answers[1]?.json.data.refresh_token)
})

test('ready and metrics are for owners and integrations, health for everybody', async () => {
  assert.equal((await hub.ask('GET', '/api/v1/health')).status, 200)
  refused(await hub.ask('GET', '/ready'), 401, 'UNAUTHENTICATED')
  refused(await hub.ask('GET', '/metrics'), 401, 'UNAUTHENTICATED')
  const member = await letIn(hub, hub.owner, { role: 'member', person_id: 'child_2' })
  refused(await hub.ask('GET', '/ready', { token: member }), 403, 'FORBIDDEN')
  const watch = await hub.post('/devices', hub.owner, { type: 'watch', name: 'W' })
  refused(await hub.ask('GET', '/metrics', { key: watch.api_key }), 403, 'FORBIDDEN')
  const ha = await hub.post('/devices', hub.owner, { type: 'integration', name: 'HA' })
  assert.equal((await hub.ask('GET', '/metrics', { key: ha.api_key })).status, 200)
  const ready = await hub.ask('GET', '/ready', { token: hub.owner })
  assert.ok(ready.json.data.parts.every((part: { name: string; state: string }) => part.name && part.state))
  const metrics = (await hub.ask('GET', '/metrics', { token: hub.owner })).bytes.toString()
  for (const word of [/route/, /ack/i, /sync/, /queue/, /resident|memory/, /bytes_written/])
    assert.match(metrics, word)
})
