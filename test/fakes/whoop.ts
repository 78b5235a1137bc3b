/** A WHOOP of our own on loopback: OAuth with PKCE, rotating refresh tokens, pages, limits and failures as documented. */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export const CLIENT = { clientId: 'homefield-test', clientSecret: 'homefield-test-client-secret' }

type Failure = { status: number; headers?: Record<string, string> }

export async function fakeWhoop(t: TestContext, now: () => number) {
  const records: Record<string, Record<string, unknown>[]> = {
    cycle: [],
    recovery: [],
    sleep: [],
    workout: [],
  }
  const codes = new Map<string, { challenge: string; redirectUri: string }>()
  const access = new Map<string, number>()
  let refreshToken: string | null = null
  const asked: string[] = []
  const failures: Failure[] = []
  const tokenFailures: Failure[] = []
  let refreshes = 0
  let revoked = 0
  /** Called after a refresh has been granted and before its answer leaves. */
  const hooks: { onRefresh?: () => void | Promise<void>; dropAnswer?: boolean } = {}

  function issue() {
    const token = `at-${randomBytes(6).toString('hex')}`
    refreshToken = `rt-${randomBytes(6).toString('hex')}`
    access.set(token, now() + 3_600_000)
    return {
      access_token: token,
      refresh_token: refreshToken,
      expires_in: 3600,
      scope: 'offline',
      token_type: 'bearer',
    }
  }

  function tokenRoute(form: URLSearchParams): { status: number; body: object } {
    const refused = { status: 400, body: { error: 'invalid_grant' } }
    if (form.get('client_id') !== CLIENT.clientId || form.get('client_secret') !== CLIENT.clientSecret)
      return { status: 401, body: { error: 'invalid_client' } }
    if (form.get('grant_type') === 'refresh_token') {
      if (refreshToken === null || form.get('refresh_token') !== refreshToken) return refused
      refreshes += 1
      return { status: 200, body: issue() }
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (!code || code.challenge !== challenge || code.redirectUri !== form.get('redirect_uri')) return refused
    return { status: 200, body: issue() }
  }

  function pageOf(url: URL): object {
    const kind = url.pathname.split('/').at(-1) ?? ''
    const start = Date.parse(url.searchParams.get('start') ?? '1970-01-01T00:00:00Z')
    const limit = Math.min(25, Number(url.searchParams.get('limit') ?? 10))
    const offset = Number(Buffer.from(url.searchParams.get('nextToken') ?? '', 'base64url').toString() || 0)
    const all = (records[kind] ?? []).filter(
      (one) => Date.parse(String(one['start'] ?? one['created_at'])) >= start,
    )
    const next =
      offset + limit < all.length ? Buffer.from(String(offset + limit)).toString('base64url') : null
    return { records: all.slice(offset, offset + limit), next_token: next }
  }

  const server = createServer((request, response) => void serve(request, response))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://whoop')
    asked.push(`${request.method} ${url.pathname}`)
    const isToken = url.pathname === '/oauth/oauth2/token'
    const answer = (status: number, body: object, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    }
    const sent = isToken ? await textOf(request) : ''
    const failure = (isToken ? tokenFailures : failures).shift()
    if (failure) return answer(failure.status, {}, failure.headers)
    if (isToken) {
      const before = refreshes
      const { status, body } = tokenRoute(new URLSearchParams(sent))
      if (refreshes > before) await hooks.onRefresh?.()
      if (refreshes > before && hooks.dropAnswer) return void response.destroy()
      return answer(status, body)
    }
    const token = (request.headers.authorization ?? '').replace('Bearer ', '')
    if ((access.get(token) ?? 0) <= now()) return answer(401, {})
    if (request.method === 'DELETE') {
      revoked += 1
      return answer(200, {})
    }
    return answer(200, pageOf(url))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    records,
    failures,
    tokenFailures,
    hooks,
    asked,
    refreshes: () => refreshes,
    revoked: () => revoked,
    /** A person on WHOOP's page says yes; answers what WHOOP sends back with them. */
    allow(authorizeUrl: string) {
      const { searchParams } = new URL(authorizeUrl)
      const code = randomBytes(8).toString('hex')
      codes.set(code, {
        challenge: searchParams.get('code_challenge') ?? '',
        redirectUri: searchParams.get('redirect_uri') ?? '',
      })
      return { code, state: searchParams.get('state') ?? '' }
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
