/** What helps somebody who was asked for help: versions, states and counts; no names, addresses, paths, keys or values. */
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { Type } from 'typebox'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import type { Store } from '../../store/store.ts'

/** One part of the hub and how it is. */
export interface PartHealth {
  name: string
  state: 'up' | 'starting' | 'degraded' | 'down'
  /** What is wrong with it, null when nothing is. */
  detail: string | null
}

export interface SupportDeps {
  now: () => number
  version: string
  startedAtMs: number
  store: Pick<Store, 'all'>
  parts: () => readonly PartHealth[]
  /** Prometheus text of every part. */
  metrics: () => Promise<string>
}

const Counted = Type.Array(Type.Object({ what: Type.String(), count: Type.Integer() }))
const Bundle = Type.Object({
  made_at: Timestamp,
  version: Type.String(),
  node: Type.String(),
  machine: Type.Object({
    platform: Type.String(),
    release: Type.String(),
    arch: Type.String(),
    cores: Type.Integer(),
    memory_bytes: Type.Integer(),
  }),
  started_at: Timestamp,
  parts: Type.Array(Type.Object({ name: Type.String(), state: Type.String() })),
  devices: Counted,
  quarantined: Counted,
  jobs: Counted,
  metrics: Type.Array(Type.String()),
})

const OWNERS: Policy = { access: 'signed-in', roles: ['owner'] }
const DEVICES = `SELECT type AS what, count(*) AS count FROM device WHERE revoked_at IS NULL GROUP BY type ORDER BY type`
const QUARANTINED = `SELECT code AS what, count(*) AS count FROM quarantine GROUP BY code ORDER BY code`
const JOBS = `SELECT kind || ' ' || status AS what, count(*) AS count FROM job GROUP BY kind, status ORDER BY kind, status`

/** Everything after the first word of a part's name may have been typed by somebody. */
const OWN_WORDS = new Set(['plain uploads'])

export function routeSupport(http: Http, deps: SupportDeps): void {
  const { now, version, startedAtMs, store, parts, metrics } = deps
  const counted = (sql: string) => store.all<{ what: string; count: number }>(sql)
  http.get(
    '/system/support',
    {
      config: { policy: OWNERS },
      schema: {
        tags: ['hub'],
        summary: 'Versions, states and counts for somebody who helps; nothing personal',
        response: { 200: Ok(Bundle) },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return ok(now(), {
        made_at: iso(now()),
        version,
        node: process.version,
        machine: {
          platform: platform(),
          release: release(),
          arch: arch(),
          cores: cpus().length,
          memory_bytes: totalmem(),
        },
        started_at: iso(startedAtMs),
        parts: parts().map(({ name, state }) => ({ name: plainName(name), state })),
        devices: counted(DEVICES),
        quarantined: counted(QUARANTINED),
        jobs: counted(JOBS),
        metrics: impersonal(await metrics()),
      })
    },
  )
}

function plainName(name: string): string {
  return OWN_WORDS.has(name) ? name : (name.split(' ')[0] ?? '')
}

/** Lines whose labels were typed by nobody: those of a camera carry its name. */
function impersonal(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .filter((line) => [...line.matchAll(/(\w+)="/g)].every(([, label]) => LABELS.has(label ?? '')))
}

const LABELS: ReadonlySet<string> = new Set([
  'method',
  'route',
  'status',
  'le',
  'quantile',
  'kind',
  'space',
  'version',
])
