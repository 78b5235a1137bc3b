import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODES } from '../../daemon/kernel/errors.ts'
import { answering, OWNER, setup } from './setup.ts'

const code = (answer: { json(): unknown }) => (answer.json() as { error: { code: string } }).error.code
const details = (answer: { json(): unknown }) =>
  (answer.json() as { error: { details: { path: string; message: string; value?: unknown }[] } }).error
    .details

test('every answer carries the policy for pages, a request id and no HSTS', async (t) => {
  const { http } = await setup(t)
  const asks = [
    { method: 'GET', url: '/api/v1/things', headers: OWNER },
    { method: 'GET', url: '/api/v1/things' },
    { method: 'GET', url: '/nowhere' },
    { method: 'GET', url: '/api/v1/open', headers: { host: 'evil.example' } },
    {
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...OWNER, 'content-type': 'text/plain' },
      payload: 'x',
    },
    { method: 'POST', url: '/api/v1/things', headers: OWNER, payload: { name: 'x'.repeat(1_100_000) } },
    { method: 'POST', url: '/api/v1/fails', headers: OWNER, payload: {} },
    { method: 'GET', url: '/app/' },
    { method: 'GET', url: '/api/v1/people/%zz/any' },
    { method: 'GET', url: `/api/v1/people/${'x'.repeat(300)}/any`, headers: OWNER },
    { method: 'GET', url: '/' },
  ] as const
  for (const ask of asks) {
    const { headers, statusCode } = await http.inject(ask)
    const what = `${ask.method} ${ask.url} ${statusCode}`
    assert.match(
      String(headers['content-security-policy']),
      /default-src 'none'.*require-trusted-types-for/,
      what,
    )
    assert.equal(headers['x-content-type-options'], 'nosniff', what)
    assert.equal(headers['referrer-policy'], 'no-referrer', what)
    assert.ok(headers['x-request-id'], what)
    assert.equal(headers['strict-transport-security'], undefined, what)
  }
})

test('a request id of the caller is kept, one that could forge a log line is not', async (t) => {
  const { http } = await setup(t)
  const kept = await http.inject({ url: '/api/v1/open', headers: { 'x-request-id': 'phone-1234' } })
  assert.equal(kept.headers['x-request-id'], 'phone-1234')
  const forged = await http.inject({ url: '/api/v1/open', headers: { 'x-request-id': 'a"\u001b[31m,b' } })
  assert.match(String(forged.headers['x-request-id']), /^id-/)
})

test('before the claim everything but what is open for it answers NOT_CLAIMED', async (t) => {
  const { http, hub } = await setup(t, { claimed: false })
  for (const { method, url, policy } of hub.routes()) {
    if (method === 'HEAD' || url === '/mqtt') continue
    const answer = await http.inject({
      method: method as 'GET',
      url: url.replace(':personId', 'mia').replace('*', ''),
      headers: OWNER,
    })
    if (policy.access === 'open' && policy.beforeClaim) assert.notEqual(answer.statusCode, 403, url)
    else assert.deepEqual([answer.statusCode, code(answer)], [403, 'NOT_CLAIMED'], `${method} ${url}`)
  }
  assert.equal(code(await http.inject('/api/v1/unknown')), 'NOT_CLAIMED')
})

test('a route that says nothing about who may use it keeps the hub from starting', async (t) => {
  const bare = answering('bare', (http) => {
    http.get('/bare', async () => 'hello')
  })
  await assert.rejects(setup(t, { features: [bare] }), /GET \/api\/v1\/bare has no policy/)
})

test('a foreign Host is refused before anything else is looked at', async (t) => {
  const { http } = await setup(t, { claimed: false })
  const answer = await http.inject({ url: '/api/v1/things', headers: { ...OWNER, host: 'rebound.example' } })
  assert.deepEqual([answer.statusCode, code(answer)], [421, 'WRONG_HOST'])
})

test('what a foreign page can send without asking is refused', async (t) => {
  const { http } = await setup(t)
  const post = (headers: Record<string, string>, payload: string) =>
    http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...OWNER, host: 'homefield.local', ...headers },
      payload,
    })
  const json = { 'content-type': 'application/json' }
  const crossed = await post({ ...json, origin: 'https://evil.example' }, '{"name":"x"}')
  assert.deepEqual([crossed.statusCode, code(crossed)], [403, 'CROSS_SITE'])
  assert.equal(code(await post({ ...json, 'sec-fetch-site': 'cross-site' }, '{"name":"x"}')), 'CROSS_SITE')
  const form = await post({ 'content-type': 'application/x-www-form-urlencoded' }, 'name=x')
  assert.deepEqual([form.statusCode, code(form)], [415, 'UNSUPPORTED_MEDIA'])
  assert.equal((await post({ 'content-type': 'text/plain' }, '{"name":"x"}')).statusCode, 415)
  assert.equal((await post({ 'content-type': 'multipart/form-data; boundary=x' }, '--x--')).statusCode, 415)
  assert.equal((await post({ ...json, origin: 'https://homefield.local' }, '{"name":"x"}')).statusCode, 201)
})

test('an origin that the owner allowed may call with a bearer token, never with a cookie', async (t) => {
  let cookie: string | undefined = 'unset'
  const features = [
    answering('cookies', (http) => {
      http.post('/cookies', { config: { policy: { access: 'open' } } }, async (request) => {
        cookie = request.headers.cookie
        return {}
      })
    }),
  ]
  const { http } = await setup(t, { features, settings: { allowedOrigins: ['https://dash.example'] } })
  const headers = { origin: 'https://dash.example', host: 'homefield.local' }
  const preflight = await http.inject({
    method: 'OPTIONS',
    url: '/api/v1/cookies',
    headers: { ...headers, 'access-control-request-method': 'POST' },
  })
  assert.equal(preflight.statusCode, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://dash.example')
  assert.equal(preflight.headers['access-control-allow-credentials'], undefined)
  const answer = await http.inject({
    method: 'POST',
    url: '/api/v1/cookies',
    headers: { ...headers, cookie: '__Host-hf=x' },
  })
  assert.equal(answer.statusCode, 200)
  assert.equal(cookie, undefined)
  const other = await http.inject({
    url: '/api/v1/open',
    headers: { host: 'homefield.local', origin: 'https://evil.example' },
  })
  assert.equal(other.headers['access-control-allow-origin'], undefined)
})

test('no credential, a bad one and a role that is not meant are told apart', async (t) => {
  const { http } = await setup(t)
  const get = (headers: Record<string, string>) => http.inject({ url: '/api/v1/owners', headers })
  const anonymous = await get({})
  assert.deepEqual([anonymous.statusCode, code(anonymous)], [401, 'UNAUTHENTICATED'])
  assert.ok(anonymous.headers['www-authenticate'])
  assert.equal((await get({ authorization: 'Bearer stolen' })).statusCode, 401)
  assert.equal((await get({ 'x-api-key': 'guess' })).statusCode, 401)
  const member = await get({ authorization: 'Bearer member-token' })
  assert.deepEqual([member.statusCode, code(member)], [403, 'FORBIDDEN'])
  assert.equal((await get(OWNER)).statusCode, 200)
  assert.equal(
    (await http.inject('/api/v1/owners?access_token=owner-token')).statusCode,
    401,
    'never from the URL',
  )
})

test('a person out of sight looks exactly like one that does not exist', async (t) => {
  const { http } = await setup(t)
  const coach = { authorization: 'Bearer coach-token' }
  const strip = (body: string) => body.replace(/"timestamp":"[^"]+"/, '')
  const hidden = await http.inject({ url: '/api/v1/people/leo/wellness', headers: coach })
  const absent = await http.inject({ url: '/api/v1/people/nobody/wellness', headers: OWNER })
  assert.equal(hidden.statusCode, 404)
  assert.equal(strip(hidden.body), strip(absent.body))
  const seen = await http.inject({ url: '/api/v1/people/mia/wellness', headers: coach })
  assert.deepEqual([seen.statusCode, code(seen)], [403, 'FORBIDDEN'], 'sees the person, not this class')
  assert.equal((await http.inject({ url: '/api/v1/people/mia/any', headers: coach })).statusCode, 200)
})

test('without a person in the request it is the caller, or whom the device serves', async (t) => {
  const { http } = await setup(t)
  const post = (headers: Record<string, string>, payload: object) =>
    http.inject({ method: 'POST', url: '/api/v1/about', headers, payload: { name: 'x', ...payload } })
  const of = (answer: { json(): unknown }) => (answer.json() as { data: { of: string } }).data.of
  assert.equal(of(await post({ authorization: 'Bearer member-token' }, {})), 'mia')
  assert.equal(of(await post({ 'x-api-key': 'watch-key' }, {})), 'mia')
  assert.equal(of(await post(OWNER, { child_id: 'leo' })), 'leo')
  const nobody = await post(OWNER, {})
  assert.deepEqual([nobody.statusCode, details(nobody)[0]?.path], [400, 'person_id'])
  assert.equal((await post({ 'x-api-key': 'watch-key' }, { person_id: 'leo' })).statusCode, 404)
  assert.equal((await post({ authorization: 'Bearer coach-token' }, { person_id: 'mia' })).statusCode, 403)
})

test('an unknown field of a body is refused by its name, however deep', async (t) => {
  const { http } = await setup(t)
  const post = (payload: object) =>
    http.inject({ method: 'POST', url: '/api/v1/things', headers: OWNER, payload })
  const top = await post({ name: 'x', colour: 'red' })
  assert.deepEqual([top.statusCode, code(top)], [400, 'VALIDATION_ERROR'])
  assert.deepEqual(details(top), [{ path: 'colour', message: 'is not a field of this request' }])
  const deep = await post({ name: 'x', inner: { password: 'long enough 12', extra: 1 } })
  assert.equal(details(deep)[0]?.path, 'inner.extra')
})

test('a body is taken as sent: nothing is converted, and no secret is echoed', async (t) => {
  const { http } = await setup(t)
  const post = (payload: object) =>
    http.inject({ method: 'POST', url: '/api/v1/things', headers: OWNER, payload })
  assert.deepEqual(details(await post({ name: 'x', count: '3' }))[0], {
    path: 'count',
    message: 'must be integer',
    value: '3',
  })
  assert.equal((await post({ name: 5 })).statusCode, 400)
  assert.deepEqual(details(await post({})), [{ path: 'name', message: 'is missing' }])
  const secret = await post({ name: 'x', inner: { password: 'hunter2' } })
  assert.equal(secret.statusCode, 400)
  assert.ok(!secret.body.includes('hunter2'))
})

test('a query is text, so it is converted; what does not convert is refused', async (t) => {
  const { http } = await setup(t)
  const get = (query: string) => http.inject({ url: `/api/v1/things?${query}`, headers: OWNER })
  const read = (answer: { json(): unknown }) => (answer.json() as { data: { query: object } }).data.query
  assert.deepEqual(read(await get('limit=5&deep=true&start=2026-03-14')), {
    limit: 5,
    deep: true,
    from: '2026-03-14',
  })
  assert.deepEqual(read(await get('')), { limit: 10 })
  assert.equal((await get('limit=many')).statusCode, 400)
  assert.deepEqual(details(await get('limti=5')), [
    { path: 'limti', message: 'is not a field of this request' },
  ])
})

test('broken JSON, poisoned prototypes and missing bodies are 400', async (t) => {
  const { http } = await setup(t)
  const post = (payload: string) =>
    http.inject({
      method: 'POST',
      url: '/api/v1/things',
      headers: { ...OWNER, 'content-type': 'application/json' },
      payload,
    })
  const deep = `{"name":"x","inner":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  for (const body of [deep, '{', '', 'null', '[]', '{"__proto__":{"x":1},"name":"x"}']) {
    const answer = await post(body)
    assert.deepEqual([answer.statusCode, code(answer)], [400, 'VALIDATION_ERROR'], body.slice(0, 40))
  }
})

test('what nobody expected is logged once and told to nobody', async (t) => {
  const { http, logged } = await setup(t)
  const answer = await http.inject({ method: 'POST', url: '/api/v1/fails', headers: OWNER, payload: {} })
  assert.deepEqual([answer.statusCode, code(answer)], [500, 'INTERNAL'])
  assert.ok(!answer.body.includes('secret detail'))
  const errors = logged.filter((line) => line['level'] === 50)
  assert.equal(errors.length, 1)
  assert.equal(errors[0]?.['reqId'], answer.headers['x-request-id'])
})

test('a refusal that time heals says when to come back', async (t) => {
  const { http } = await setup(t, { settings: { rateLimitPerMinute: 3 } })
  const busy = await http.inject({ method: 'POST', url: '/api/v1/busy', headers: OWNER, payload: {} })
  assert.deepEqual([busy.statusCode, busy.headers['retry-after']], [503, '5'])
  await http.inject({ url: '/api/v1/things', headers: OWNER })
  await http.inject({ url: '/api/v1/things', headers: OWNER })
  const held = await http.inject({ url: '/api/v1/things', headers: OWNER })
  assert.deepEqual([held.statusCode, code(held), held.headers['retry-after']], [429, 'RATE_LIMITED', '60'])
})

test('rate limits go by user, devices have their own, and guesses count', async (t) => {
  const { http, clock } = await setup(t, { settings: { rateLimitPerMinute: 2, deviceRateLimitPerMinute: 4 } })
  const times = async (n: number, headers: Record<string, string>) => {
    const seen: number[] = []
    for (let i = 0; i < n; i += 1)
      seen.push((await http.inject({ url: '/api/v1/things', headers })).statusCode)
    return seen
  }
  assert.deepEqual(await times(3, OWNER), [200, 200, 429])
  assert.deepEqual(await times(3, { authorization: 'Bearer member-token' }), [200, 200, 429])
  assert.deepEqual(await times(5, { 'x-api-key': 'watch-key' }), [200, 200, 200, 200, 429])
  assert.deepEqual(await times(3, { 'x-api-key': 'guess' }), [401, 401, 429])
  clock.advance(60_000)
  assert.deepEqual(await times(1, OWNER), [200])
})

test('another spelling of the same path counts against the same limit', async (t) => {
  const { http } = await setup(t, { settings: { rateLimitPerMinute: 2 } })
  const ask = async (url: string) => (await http.inject({ url, headers: OWNER })).statusCode
  assert.deepEqual(
    [await ask('/api/v1/things'), await ask('/%61pi/v1/things'), await ask('/%61pi/v1/things')],
    [200, 200, 429],
  )
})

test('a limit of 0 is honoured on loopback only', async (t) => {
  const { http } = await setup(t, { settings: { rateLimitPerMinute: 0 } })
  const ask = (remoteAddress: string) => http.inject({ url: '/api/v1/things', headers: OWNER, remoteAddress })
  let far = 0
  for (let i = 0; i < 110; i += 1) {
    assert.equal((await ask('127.0.0.1')).statusCode, 200)
    if ((await ask('192.168.1.9')).statusCode === 429) far += 1
  }
  assert.equal(far, 10)
})

test("the seeds' paths answer with the data on top", async (t) => {
  const { http } = await setup(t)
  const answer = await http.inject({ url: '/api/things', headers: OWNER })
  const body = answer.json() as Record<string, unknown>
  assert.deepEqual(body['query'], { limit: 10 })
  assert.deepEqual((body['data'] as Record<string, unknown>)['query'], { limit: 10 })
  const own = (await http.inject({ url: '/api/v1/things', headers: OWNER })).json() as Record<string, unknown>
  assert.equal(own['query'], undefined)
  assert.equal((await http.inject('/api/things')).statusCode, 401, 'policies are the same')
})

test('the reference lists every error code and every route, and loads nothing from elsewhere', async (t) => {
  const { http } = await setup(t)
  const api = (await http.inject('/api/v1/openapi.json')).json() as {
    openapi: string
    paths: Record<string, unknown>
    components: {
      schemas: { Failure: { properties: { error: { properties: { code: { enum: string[] } } } } } }
    }
  }
  assert.equal(api.openapi, '3.1.0')
  assert.deepEqual(api.components.schemas.Failure.properties.error.properties.code.enum, Object.keys(CODES))
  assert.ok(api.paths['/api/v1/people/{personId}/wellness'])
  const page = await http.inject('/docs/')
  assert.equal(page.statusCode, 200)
  assert.ok(!/(?:src|href)="https?:/.test(page.body), 'every file of the page is ours')
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'; script-src 'self'/)
  assert.ok(!/https?:/.test(String(page.headers['content-security-policy'])))
  const start = await http.inject('/docs/static/swagger-initializer.js')
  assert.match(start.body, /validatorUrl: null/)
})

test('routes are timed by pattern, not by path', async (t) => {
  const { http, deps } = await setup(t)
  await http.inject({ url: '/api/v1/people/mia/any', headers: OWNER })
  const text = await deps.registry.metrics()
  assert.match(
    text,
    /homefield_http_request_seconds_count\{method="GET",route="\/api\/v1\/people\/:personId\/any",status="200"\} 1/,
  )
  assert.ok(!text.includes('/people/mia'))
})
