import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import type { Http } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'
import { SENSOR_SECURITY_POLICY } from './guard.ts'
import { isOwnPage } from './origin.ts'

const OPEN = { policy: { access: 'open', beforeClaim: true }, envelope: false } as const
/** Names that the build makes from the content, so that a name never changes its bytes. */
const HASHED = /[.-][A-Z0-9_-]{8,}\.(?:js|css|woff2|svg|png|webp|wasm|task)$/i
const SERVICE_WORKER = 'sw.js'
/** The worker with which a phone finds joints by itself. */
const SENSOR = /^sensor\/worker-[a-f0-9]+\.js$/
const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Homefield</title>
<h1>The app is not built</h1><p>This hub runs, but the files of its app are missing. Run <code>npm run build</code> and start it again.</p></html>`

/**
 * Serves the built app under `/app`. Deep links get its one page; that page and the service worker are asked for anew each
 * time, everything with a hash in its name is kept by the browser for a year. `/trusted` answers nothing: a browser that gets it
 * trusts the hub's certificate.
 */
export async function serveApp(
  http: Http,
  folder: string | null,
  ownHosts: () => ReadonlySet<string>,
): Promise<void> {
  const toApp = async (_request: unknown, reply: FastifyReply) => reply.redirect('/app/', 302)
  http.get('/', { config: OPEN, schema: { hide: true } }, toApp)
  http.get('/app', { config: OPEN, schema: { hide: true } }, toApp)
  http.get('/trusted', { config: OPEN, schema: { hide: true } }, async ({ headers, socket }, reply) => {
    // An answer that arrives says all there is to say; only the welcome page of this very hub may read it.
    if (isOwnPage(headers.origin, ownHosts(), socket.localAddress))
      reply.header('access-control-allow-origin', headers.origin)
    return reply.code(204).header('cache-control', 'no-store').send()
  })
  const built = folder !== null && existsSync(join(folder, 'index.html')) ? folder : null
  if (built === null) {
    http.get('/app/*', { config: OPEN, schema: { hide: true } }, async (_request, reply) =>
      reply.code(503).header('retry-after', '60').type('text/html; charset=utf-8').send(NOT_BUILT),
    )
    return
  }
  await http.register(fastifyStatic, { root: built, serve: false, preCompressed: true, cacheControl: false })
  http.get<{ Params: { '*': string } }>(
    '/app/*',
    { config: OPEN, schema: { hide: true }, compress: false },
    async (request, reply) => {
      const wanted = request.params['*']
      if (isFileName(wanted)) return sendFile(reply, built, wanted)
      return page(reply)
    },
  )
}

/** A last path segment with a dot names a file; anything else is a page of the app. */
function isFileName(path: string): boolean {
  return /\.[A-Za-z0-9]+$/.test(path)
}

function sendFile(reply: FastifyReply, folder: string, path: string): FastifyReply {
  const steps = path.split('/')
  if (steps.includes('..') || path.includes('\0') || !existsSync(join(folder, ...steps))) {
    throw new HubError('NOT_FOUND', 'The app has no such file. Reload it: it may have been updated.')
  }
  if (path === SERVICE_WORKER) reply.header('service-worker-allowed', '/app/')
  if (SENSOR.test(path)) reply.header('content-security-policy', SENSOR_SECURITY_POLICY)
  reply.header('cache-control', HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache')
  return reply.sendFile(path)
}

function page(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-cache').sendFile('index.html')
}
