/** One instance of the cloud as a program: the service, its listeners, and the built-in shape server where that is wanted. */
import { randomBytes } from 'node:crypto'
import { hlcAt } from '../clock.ts'
import type { Failpoints } from '../failpoint.ts'
import { FEED_TABLE } from '../wire.ts'
import { migrate } from './database.ts'
import { sweepJobs } from './jobs.ts'
import type { CloudClock, CloudLog } from './parts.ts'
import { PUBLICATION } from './schema.ts'
import { type Cloud, createCloud } from './service.ts'
import { createShapeServer, type ShapeServer, type ShapeServerDeps } from './shapes/server.ts'

export interface RunningCloud {
  address: string
  shapesAddress: string | null
  cloud: Cloud
  shapeServer: ShapeServer | null
  close(): Promise<void>
}

export interface RunDeps {
  databaseUrl: string
  /** `host:port`; port 0 takes a free one. */
  listen: string
  /** `builtin`, the address of Electric or of another instance's built-in server, or null for no way down. */
  shapes: string | null
  shapesSecret: string | null
  shapesListen: string
  clock: CloudClock
  log: CloudLog
  failpoints: Failpoints
  /** For tests: limits of the built-in server. */
  shapeServer?: Partial<ShapeServerDeps>
  hubPerMinute?: number
  accountPerMinute?: number
}

const SWEEP_EVERY_MS = 3_600_000
/** A stream that ends every minute costs a hub 2 MB a day in greetings; the gatekeeper ends those that must end. */
const STREAM_MS = 3_600_000
/** The months of bulk rows that are kept. */
const BULK_MONTHS = 25
/** Longer than any hub is promised to be away. */
const TOMBSTONE_MS = 400 * 86_400_000

export async function runCloud(deps: RunDeps): Promise<RunningCloud> {
  await migrate(deps.databaseUrl)
  const builtin = deps.shapes === 'builtin' ? await startShapes(deps) : null
  const target =
    builtin ?? (deps.shapes === null ? null : { server: null, url: deps.shapes, secret: deps.shapesSecret })
  const cloud = await createCloud({
    ...deps,
    shapes: target === null ? null : { url: target.url, secret: target.secret },
  })
  const stopSweeping = deps.clock.every(SWEEP_EVERY_MS, () => {
    sweep(cloud, deps.clock.now()).catch((cause: unknown) =>
      deps.log.warn({ err: cause }, 'the hourly tidying failed'),
    )
  })
  const { host, port } = placeOf(deps.listen)
  const address = await cloud.http.listen({ host, port })
  return {
    address,
    shapesAddress: builtin?.url ?? null,
    cloud,
    shapeServer: builtin?.server ?? null,
    async close() {
      stopSweeping()
      await cloud.close()
      await builtin?.server.close()
    },
  }
}

async function startShapes(deps: RunDeps) {
  const secret = deps.shapesSecret ?? randomBytes(24).toString('base64url')
  const server = await createShapeServer({
    url: deps.databaseUrl,
    clock: deps.clock,
    log: deps.log,
    slot: 'homefield_shapes',
    publication: PUBLICATION,
    publishes: false,
    secret,
    streamMs: STREAM_MS,
    // What was erased must not be told from a log: the household's readers begin with a snapshot that never knew it.
    endsShape: (relation, row, definition) =>
      relation.table === FEED_TABLE &&
      row['kind'] === 'erasure' &&
      (definition.comparisons?.some(
        ({ column, value }) => column === 'household_id' && value === row['household_id'],
      ) ??
        true),
    ...deps.shapeServer,
  })
  const { host, port } = placeOf(deps.shapesListen)
  return { server, url: await server.http.listen({ host, port }), secret }
}

function placeOf(listen: string): { host: string; port: number } {
  const place = /^(.*):(\d{1,5})$/.exec(listen)
  if (!place) throw new RangeError(`Listen on host:port, not on "${listen}"`)
  return { host: place[1] || '0.0.0.0', port: Number(place[2]) }
}

/** Drops months and jobs that are too old; the same from every instance, whichever comes first. */
export async function sweep({ parts }: Pick<Cloud, 'parts'>, nowMs: number): Promise<void> {
  const now = new Date(nowMs)
  await parts.months.drop(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - BULK_MONTHS))
  await sweepJobs(parts.base.owner, nowMs)
  // A deletion is kept as long as a hub may come back that has not heard of it.
  await parts.base.owner.query(
    `DELETE FROM household_feed f WHERE kind IN ('calendar', 'group') AND body -> 'fields' -> 'deleted' -> 0 = 'true'
       AND body -> 'fields' -> 'deleted' ->> 1 < $1
       AND NOT EXISTS (SELECT FROM hub h WHERE h.household_id = f.household_id AND h.revoked_at IS NULL
         AND coalesce(h.last_seen_at, 0) < $2)`,
    [hlcAt(nowMs - TOMBSTONE_MS, ''), nowMs - TOMBSTONE_MS],
  )
}
