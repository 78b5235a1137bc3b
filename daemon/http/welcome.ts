import { createServer, type IncomingMessage } from 'node:http'
import type { Clock } from '../kernel/clock.ts'
import { iso } from '../kernel/envelope.ts'
import { HubError } from '../kernel/errors.ts'
import { type CrowdDeps, keepCrowdsOut } from './crowds.ts'
import { failureBody } from './failures.ts'
import { CONTENT_SECURITY_POLICY, SECURITY_HEADERS } from './guard.ts'
import { mobileConfig } from './mobile-config.ts'
import { bareHost, hostIsOurs } from './origin.ts'
import { WELCOME_CSS, WELCOME_JS, welcomePage } from './welcome-page.ts'

/** The household's certificate authority, as phones need it to trust the hub. */
export interface Trust {
  hubName: string
  caPem: string
  caDer: Uint8Array
  /** Four words of the CA's fingerprint, to compare with the ones the hub shows. */
  fingerprintWords: readonly string[]
}

export interface WelcomeDeps {
  settings: { http: { host: string; port: number } }
  version: string
  clock: Clock
  newId: () => string
  ownHosts: () => ReadonlySet<string>
  trust: () => Trust
  crowds: CrowdDeps
}

export interface Welcome {
  /** Opens the listener; answers the port. The page links to the app on `httpsPort`. */
  listen(httpsPort: number): Promise<number>
  close(): Promise<void>
  cut(): void
}

interface Answer {
  status: number
  type: string
  body: string | Uint8Array
  headers?: Record<string, string>
}

const CONNECTIONS_MAX = 256
const REQUEST_MS = 10_000
const JSON_TYPE = 'application/json; charset=utf-8'

/**
 * The plain HTTP listener. A phone that does not trust the household's certificate yet comes here first; nothing secret is
 * served and nothing is taken, because everybody on the network can read and change what goes over it.
 */
export function createWelcome(deps: WelcomeDeps): Welcome {
  let httpsPort = 0
  const server = createServer({ requestTimeout: REQUEST_MS }, (request, response) => {
    const answer = answerTo(request, deps, httpsPort)
    response.writeHead(answer.status, {
      ...SECURITY_HEADERS,
      'content-type': answer.type,
      'cache-control': 'no-store',
      'x-request-id': deps.newId(),
      ...answer.headers,
    })
    response.end(request.method === 'HEAD' ? undefined : answer.body)
    request.resume()
  })
  server.maxConnections = CONNECTIONS_MAX
  keepCrowdsOut(server, deps.crowds)
  return {
    listen(port) {
      httpsPort = port
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(deps.settings.http.port, deps.settings.http.host, () => {
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : 0)
        })
      })
    },
    close() {
      if (!server.listening) return Promise.resolve()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      })
    },
    cut: () => server.closeAllConnections(),
  }
}

function answerTo(request: IncomingMessage, deps: WelcomeDeps, httpsPort: number): Answer {
  const { host } = request.headers
  if (!hostIsOurs(host, deps.ownHosts(), request.socket.localAddress)) {
    return refusal(new HubError('WRONG_HOST', 'This hub does not answer to that name.'), deps)
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const found = page(path, request, deps, httpsPort)
  if (found && (request.method === 'GET' || request.method === 'HEAD')) return found
  if (found || path === '/api' || path.startsWith('/api/')) {
    const error = new HubError(
      'USE_HTTPS',
      `Plain HTTP only serves the welcome page. Use ${httpsUrl(host, httpsPort)}.`,
    )
    return { ...refusal(error, deps), headers: { upgrade: 'TLS/1.2, HTTP/1.1', connection: 'Upgrade' } }
  }
  return { status: 302, type: 'text/plain', body: '', headers: { location: '/welcome' } }
}

function page(path: string, request: IncomingMessage, deps: WelcomeDeps, httpsPort: number): Answer | null {
  const trust = deps.trust()
  switch (path) {
    case '/welcome':
      return html(httpsUrl(request.headers.host, httpsPort), request.headers['user-agent'] ?? '', trust)
    case '/welcome.js':
      return { status: 200, type: 'text/javascript; charset=utf-8', body: WELCOME_JS }
    case '/welcome.css':
      return { status: 200, type: 'text/css; charset=utf-8', body: WELCOME_CSS }
    case '/ca.pem':
      return download('ca.pem', 'application/x-pem-file', trust.caPem)
    case '/ca.crt':
      return download('homefield-ca.crt', 'application/x-x509-ca-cert', trust.caDer)
    case '/ca.mobileconfig':
      return download('homefield.mobileconfig', 'application/x-apple-aspen-config', mobileConfig(trust))
    case '/health': {
      const body = { status: 'healthy', timestamp: iso(deps.clock.now()), version: deps.version }
      return { status: 200, type: JSON_TYPE, body: JSON.stringify(body) }
    }
    default:
      return null
  }
}

/** The page may ask the hub's own HTTPS address whether it is trusted by now, and nobody else. */
function html(ownUrl: string, userAgent: string, trust: Trust): Answer {
  const policy = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", `connect-src ${ownUrl}`)
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: welcomePage({ ...trust, httpsUrl: ownUrl, userAgent }),
    headers: { 'content-security-policy': policy },
  }
}

function download(name: string, type: string, body: string | Uint8Array): Answer {
  return { status: 200, type, body, headers: { 'content-disposition': `attachment; filename="${name}"` } }
}

function refusal(error: HubError, deps: WelcomeDeps): Answer {
  return { status: error.status, type: JSON_TYPE, body: JSON.stringify(failureBody(error, deps.clock.now())) }
}

function httpsUrl(host: string | undefined, port: number): string {
  const bare = bareHost(host) ?? 'localhost'
  const shown = bare.includes(':') ? `[${bare}]` : bare
  return `https://${shown}${port === 443 ? '' : `:${port}`}`
}
