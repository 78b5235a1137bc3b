/** The API client: what it sends, how it renews, what it makes of refusals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, createApi } from '../../daemon/ui/net/api.ts'

interface Asked {
  url: string
  method: string
  headers: Record<string, string>
}
type Answer = { status: number; body: unknown; headers?: Record<string, string> } | 'no network'

function setup(answers: Answer[], { renews = true }: { renews?: boolean } = {}) {
  const asked: Asked[] = []
  const reachable: boolean[] = []
  let token = 'old'
  let renewals = 0
  const api = createApi({
    fetch: async (url, init) => {
      asked.push({
        url: String(url),
        method: init?.method ?? '',
        headers: init?.headers as Record<string, string>,
      })
      const answer = answers.shift()
      if (!answer || answer === 'no network') throw new TypeError('fetch failed')
      return new Response(JSON.stringify(answer.body), {
        status: answer.status,
        headers: answer.headers ?? {},
      })
    },
    newId: () => 'key-1',
    timeout: () => new AbortController().signal,
    token: () => token,
    async renew() {
      renewals += 1
      if (renews) token = 'new'
      return renews
    },
    onHubTime: () => {},
    onReachable: (yes) => reachable.push(yes),
  })
  return { api, asked, reachable, renewals: () => renewals }
}

const ok = (data: unknown, rest: object = {}): Answer => ({
  status: 200,
  body: { success: true, data, timestamp: '2026-11-20T14:00:00.000Z', ...rest },
})
const refused = (status: number, code: string, headers?: Record<string, string>): Answer => ({
  status,
  body: { success: false, error: { code, message: code, details: [] }, timestamp: '' },
  ...(headers ? { headers } : {}),
})

test('an expired token is renewed once and the request repeated with the new one', async () => {
  const { api, asked, renewals } = setup([refused(401, 'TOKEN_EXPIRED'), ok('mia')])
  assert.equal(await api.get('/people/mia'), 'mia')
  assert.deepEqual(
    asked.map(({ headers }) => headers['authorization']),
    ['Bearer old', 'Bearer new'],
  )
  assert.equal(renewals(), 1)
})

test('a refusal after renewing is given up, not repeated for ever', async () => {
  const { api, asked } = setup([refused(401, 'TOKEN_EXPIRED'), refused(401, 'UNAUTHENTICATED')])
  await assert.rejects(api.get('/people'), (error) => error instanceof ApiError && error.status === 401)
  assert.equal(asked.length, 2)
})

test('a wrong pairing code is no reason to renew the sign-in', async () => {
  const { api, renewals } = setup([refused(401, 'PAIRING_INVALID')])
  await assert.rejects(api.post('/pairing/connect', {}), { code: 'PAIRING_INVALID' })
  assert.equal(renewals(), 0)
})

test('a POST carries an idempotency key that survives the renewal', async () => {
  const { api, asked } = setup([refused(401, 'TOKEN_EXPIRED'), ok({ id: 'mia' })])
  await api.post('/people', { name: 'Mia' })
  assert.deepEqual(
    asked.map(({ headers }) => headers['idempotency-key']),
    ['key-1', 'key-1'],
  )
})

test('a hub that does not answer is offline, and an answer of any kind is not', async () => {
  const { api, reachable } = setup(['no network', refused(500, 'INTERNAL')])
  await assert.rejects(api.get('/people'), { code: 'OFFLINE' })
  await assert.rejects(api.get('/people'), { code: 'INTERNAL' })
  assert.deepEqual(reachable, [false, true])
})

test('an answer that is not JSON is a refusal with its status', async () => {
  const { api } = setup([{ status: 502, body: undefined }])
  await assert.rejects(api.get('/people'), { status: 502, code: 'INTERNAL' })
})

test('a list is read page by page to its end', async () => {
  const pages = { pagination: { page: 1, per_page: 200, total: 3, pages: 2 } }
  const { api, asked } = setup([ok(['mia', 'ben'], pages), ok(['zoe'], pages)])
  assert.deepEqual(await api.all('/people'), ['mia', 'ben', 'zoe'])
  assert.match(asked[1]!.url, /page=2/)
})

test('the wait that the hub asks for is kept in seconds', async () => {
  const { api } = setup([refused(429, 'RATE_LIMITED', { 'retry-after': '12' })])
  await assert.rejects(api.get('/people'), { retryAfterS: 12 })
})
