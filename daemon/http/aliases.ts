import type { IncomingMessage } from 'node:http'

/** Roots that the seed projects serve without `/api`; a browser asking for a page there means the app instead. */
const SEED_ROOTS = /^\/(?:episodes|groups|alerts|health_data|community)(?=[/?]|$)/
/** Paths that monitors expect at the root. */
const ROOT_PATHS = /^\/(?:health|ready|metrics)(?=\?|$)/
const SEED_API = /^\/api\/(?!(?:v1|v2|v3|local-edge)(?:[/?]|$))(?=[^/?])/
const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['success', 'error', 'timestamp'])

export interface RewrittenUrl {
  url: string
  /** Whether a seed project's client is asking, which looks for the data at the top level. */
  seed: boolean
}

/** The path under `/api/v1` that a seed path or a monitor's path stands for. */
export function rewrite(url: string, accept: string | undefined): RewrittenUrl {
  if (SEED_API.test(url)) return { url: url.replace('/api/', '/api/v1/'), seed: true }
  if (SEED_ROOTS.test(url) && !accept?.includes('text/html')) return { url: `/api/v1${url}`, seed: true }
  if (ROOT_PATHS.test(url)) return { url: `/api/v1${url}`, seed: false }
  return { url, seed: false }
}

export interface SeedPaths {
  rewriteUrl(request: IncomingMessage): string
  isSeed(request: IncomingMessage): boolean
}

/** Rewrites seed paths and remembers which requests came by one. */
export function createSeedPaths(): SeedPaths {
  const seeds = new WeakSet<IncomingMessage>()
  return {
    rewriteUrl(request) {
      const { url, seed } = rewrite(request.url ?? '/', request.headers.accept)
      if (seed) seeds.add(request)
      return url
    },
    isSeed: (request) => seeds.has(request),
  }
}

/** Copies the keys of an object `data` beside it, the envelope's own keys winning; `timestamp` stays last. */
export function withDataOnTop(payload: unknown): unknown {
  if (!isObject(payload) || payload['success'] !== true || !isObject(payload['data'])) return payload
  const { timestamp, ...envelope } = payload
  const data = Object.entries(payload['data']).filter(([key]) => !ENVELOPE_KEYS.has(key))
  return { ...Object.fromEntries(data), ...envelope, timestamp }
}

/** Other names under which the seeds send a field. */
const FIELD_ALIASES: Readonly<Record<string, string>> = {
  child_id: 'person_id',
  player_id: 'person_id',
  user_id: 'person_id',
  start: 'from',
  end: 'to',
}

/**
 * Renames aliased fields in place where the route knows the field but not the alias (a grant's `user_id` is a field of its
 * own). Returns the alias that contradicts the field it stands for, if any.
 */
export function renameFields(target: unknown, schema: unknown): string | null {
  const known = propertiesOf(schema)
  if (!isObject(target) || known === null) return null
  for (const [alias, name] of Object.entries(FIELD_ALIASES)) {
    if (!Object.hasOwn(target, alias) || alias in known || !(name in known)) continue
    if (Object.hasOwn(target, name) && target[name] !== target[alias]) return alias
    target[name] = target[alias]
    delete target[alias]
  }
  return null
}

function propertiesOf(schema: unknown): Record<string, unknown> | null {
  if (!isObject(schema) || !isObject(schema['properties'])) return null
  return schema['properties']
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
