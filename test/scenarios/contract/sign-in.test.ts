/** The contract's claim, sign-in and account routes, as seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, outsider, PASSWORD } from './client.ts'

const hub = await outsider()

const post = (path: string, body?: unknown, headers = {}) =>
  hub.ask('POST', `/api/v1${path}`, { ...(body === undefined ? {} : { body }), headers })

function code({ status, json }: Answer): string {
  return `${status} ${json?.error?.code}`
}

function checkTokens(data: Record<string, unknown>): void {
  assert.deepEqual(Object.keys(data).sort(), [
    'access_token',
    'expires_in',
    'refresh_token',
    'token_type',
    'user',
  ])
  assert.deepEqual([data['token_type'], data['expires_in']], ['Bearer', 900])
  assert.deepEqual(Object.keys(data['user'] as object).sort(), ['id', 'name', 'person_id', 'role'])
}

const login = async () => (await post('/auth/login', { name: 'Anna', password: PASSWORD })).json.data

test('before the claim only health, welcome, claim, register and the app answer', async () => {
  assert.equal((await hub.ask('GET', '/health')).status, 200)
  assert.equal((await hub.ask('GET', '/api/v1/welcome')).json.data.claimed, false)
  assert.equal((await hub.ask('GET', '/app/')).status, 200)
  for (const [method, path] of [
    ['GET', '/api/v1/people'],
    ['POST', '/api/v1/auth/login'],
    ['POST', '/api/v1/auth/refresh'],
    ['POST', '/api/v1/pairing/connect'],
    ['POST', '/api/v1/ingest'],
    ['GET', '/ready'],
    ['GET', '/metrics'],
    ['GET', '/api/v1/openapi.json'],
    ['GET', '/api/v1/events'],
  ] as const)
    assert.equal(code(await hub.ask(method, path)), '403 NOT_CLAIMED', path)
  assert.equal(code(await post('/auth/register', { name: 'X', password: PASSWORD })), '403 INVITE_REQUIRED')
  const wrong = { claim_code: 'WRONGONE', name: 'X', password: PASSWORD }
  assert.equal(code(await post('/claim', wrong)), '401 PAIRING_INVALID')
})

test('registering with the claim code makes the owner, once', async () => {
  const { code: claim_code, expires_at } = (await hub.hub.control.call('GET', '/local/claim-code')) as {
    code: string
    expires_at: string
  }
  assert.ok(Date.parse(expires_at) > Date.now())
  const short = await post('/auth/register', { claim_code, name: 'Anna', password: '11 letters!' })
  assert.equal(code(short), '400 VALIDATION_ERROR')
  assert.equal(short.json.error.details[0].path, 'password')
  const body = { claim_code, name: 'Anna', email: 'anna@example.org', password: PASSWORD }
  const { status, json } = await post('/auth/register', body)
  assert.equal(status, 201)
  checkTokens(json.data)
  assert.equal(json.data.user.role, 'owner')
  assert.equal(code(await post('/claim', body)), '409 CONFLICT')
})

test('login takes a name or an address; the same words refuse a wrong password and an unknown name', async () => {
  const byName = await post('/auth/login', { name: 'Anna', password: PASSWORD })
  assert.equal(byName.status, 200)
  checkTokens(byName.json.data)
  assert.equal((await post('/auth/login', { email: 'anna@example.org', password: PASSWORD })).status, 200)
  const wrong = await post('/auth/login', { name: 'Anna', password: 'not the pass word' })
  const unknown = await post('/auth/login', { name: 'Nobody', password: 'not the pass word' })
  assert.equal(code(wrong), '401 UNAUTHENTICATED')
  assert.deepEqual(wrong.json.error, unknown.json.error)
})

test('me shows the account and what it may see; preferences merge and are kept as sent', async () => {
  const { access_token: token } = await login()
  const me = await hub.get('/auth/me', token)
  assert.deepEqual(Object.keys(me).sort(), [
    'email',
    'grants',
    'id',
    'name',
    'person_id',
    'preferences',
    'role',
  ])
  const patch = (preferences: object) => hub.ask('PATCH', '/api/v1/auth/me', { token, body: { preferences } })
  await patch({ theme: { dark: true } })
  assert.deepEqual((await patch({ units: 'mmol' })).json.data.preferences, {
    theme: { dark: true },
    units: 'mmol',
  })
  assert.equal(code(await patch({ much: 'x'.repeat(17_000) })), '413 TOO_LARGE')
})

test('a refresh token is traded for the next; asked again within the grace it gives the same successor', async () => {
  const first = await login()
  const refresh = (token: string) => post('/auth/refresh', { refresh_token: token })
  const second = await refresh(first.refresh_token)
  assert.equal(second.status, 200)
  checkTokens(second.json.data)
  assert.notEqual(second.json.data.refresh_token, first.refresh_token)
  const again = await refresh(first.refresh_token)
  assert.equal(again.json.data.refresh_token, second.json.data.refresh_token)
  const third = await refresh(second.json.data.refresh_token)
  assert.equal(third.status, 200)
  assert.equal(code(await refresh(first.refresh_token)), '401 TOKEN_REUSED')
  assert.equal(code(await refresh(third.json.data.refresh_token)), '401 UNAUTHENTICATED')
  const dead = await hub.ask('GET', '/api/v1/auth/me', { token: third.json.data.access_token })
  assert.equal(code(dead), '401 UNAUTHENTICATED')
})

test('a browser keeps its refresh token in a cookie that only refresh and logout read', async () => {
  const answer = await post(
    '/auth/login',
    { name: 'Anna', password: PASSWORD },
    { 'x-homefield-cookie': '1' },
  )
  const [set = ''] = answer.headers['set-cookie'] ?? []
  assert.match(set, /^__Host-hf=[^;]+;/)
  for (const flag of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict']) assert.ok(set.includes(flag), flag)
  assert.equal(answer.json.data.refresh_token, undefined)
  const cookie = set.split(';')[0] ?? ''
  assert.equal(code(await hub.ask('GET', '/api/v1/auth/me', { headers: { cookie } })), '401 UNAUTHENTICATED')
  const fresh = await post('/auth/refresh', undefined, { cookie })
  assert.equal(fresh.status, 200)
  assert.match(fresh.headers['set-cookie']?.[0] ?? '', /^__Host-hf=/)
})

test('logout ends the sign-in at once', async () => {
  const { access_token: token, refresh_token } = await login()
  const out = await hub.ask('POST', '/api/v1/auth/logout', { token, body: { refresh_token } })
  assert.deepEqual([out.status, out.json.data], [200, {}])
  assert.equal(code(await hub.ask('GET', '/api/v1/auth/me', { token })), '401 UNAUTHENTICATED')
  assert.equal(code(await post('/auth/refresh', { refresh_token })), '401 UNAUTHENTICATED')
})

test('a closed register says how to get an invitation; an invitation registers with a password', async () => {
  const refused = await post('/auth/register', { name: 'Gran', password: PASSWORD })
  assert.equal(code(refused), '403 INVITE_REQUIRED')
  assert.match(refused.json.error.message, /invit/i)
  const { access_token: owner } = await login()
  await hub.post('/people', owner, { id: 'mia', name: 'Mia' })
  const terms = { role: 'caregiver', person_id: 'mia', device_type: 'phone', invite: true }
  const { code: invite_code } = await hub.post('/pairing/generate', owner, terms)
  const joined = await post('/auth/register', { invite_code, name: 'Gran', password: PASSWORD })
  assert.equal(joined.status, 201, joined.bytes.toString())
  checkTokens(joined.json.data)
  assert.equal(joined.json.data.user.role, 'caregiver')
  const { grants } = await hub.get('/auth/me', joined.json.data.access_token)
  assert.deepEqual([grants[0].person_id, grants[0].class, grants[0].action], ['mia', 'wellness', 'write'])
  assert.equal(
    code(await post('/auth/register', { invite_code, name: 'B', password: PASSWORD })),
    '410 PAIRING_EXPIRED',
  )
})
