/** A person's values as a file for other programs: a table, FHIR or Open mHealth, read and sent page by page. */
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { Type } from 'typebox'
import { can } from '../../domain/access.ts'
import { GLUCOSE_UNITS, type GlucoseUnit } from '../../domain/glucose-unit.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { METRICS, metricNamed, resolveMetric } from '../../domain/metric.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { dayBounds, isDay } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { fhir } from './fhir.ts'
import { omh } from './omh.ts'
import { tableIn } from './table.ts'
import { type ExportFormat, exported } from './value.ts'

export interface ExportsDeps {
  store: Pick<Store, 'observations'>
  now: () => number
  zoneOf: (personId: string) => string
  /** What a user reads glucose in; of the household for null. */
  glucoseUnitOf: (userId: string | null) => GlucoseUnit
}

const FORMATS: Readonly<Record<'csv' | 'fhir' | 'omh', ExportFormat>> = { csv: tableIn('mg/dL'), fhir, omh }
const DAY_MS = 86_400_000
const DAYS_DEFAULT = 90
/** Ten years. */
const DAYS_MAX = 3660
const ROWS_AT_ONCE = 5000
/** Each reads and sends at its reader's pace; more at once would keep the disk from whoever looks at today. */
const AT_ONCE = 3
const RETRY_S = 30

const Params = Type.Object({ personId: Id }, { additionalProperties: false })
const Query = Type.Object(
  {
    format: Type.Enum(['csv', 'fhir', 'omh'], { default: 'csv' }),
    glucose_unit: Type.Optional(
      Type.Enum([...GLUCOSE_UNITS], {
        description: 'Of a CSV; absent: the one that I chose. FHIR and Open mHealth: mg/dL',
      }),
    ),
    metric: Type.Optional(
      Type.String({ maxLength: 1000, description: 'Names with commas between; absent: all that I may read' }),
    ),
    from: Type.Optional(Type.String({ maxLength: 64, description: 'An instant or a local day, inclusive' })),
    to: Type.Optional(
      Type.String({ maxLength: 64, description: 'An instant, exclusive, or a local day, inclusive' }),
    ),
  },
  { additionalProperties: false },
)
/** What of it depends on the classes that the reader may see. */
const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'by-metric',
}

interface Window {
  personId: string
  fromMs: number
  toMs: number
}

export function createExports(deps: ExportsDeps): Feature {
  let running = 0
  return {
    name: 'exports',
    routes(http) {
      exportRoute(
        http,
        deps,
        async function* (text) {
          running += 1
          try {
            yield* text
          } finally {
            running -= 1
          }
        },
        () => {
          if (running < AT_ONCE) return
          throw new HubError('OVERLOADED', 'Other exports are running. Ask again in a moment.', {
            retryAfterS: RETRY_S,
          })
        },
      )
    },
  }
}

function exportRoute(
  http: Http,
  { store, now, zoneOf, glucoseUnitOf }: ExportsDeps,
  counted: (text: AsyncGenerator<string>) => AsyncGenerator<string>,
  refuseMany: () => void,
): void {
  http.get(
    '/people/:personId/export',
    {
      config: { policy: READ, envelope: false },
      schema: {
        tags: ['observations'],
        summary:
          'Recorded values as a file: CSV, a FHIR R4 Bundle, or Open mHealth data points (default 90 days)',
        params: Params,
        querystring: Query,
        response: {
          200: {
            description: 'Metric by metric, ascending; what the format cannot say is left out',
            content: Object.fromEntries(
              Object.values(FORMATS).map(({ mediaType }) => [
                mediaType.split(';')[0],
                { schema: Type.Unknown() },
              ]),
            ),
          },
        },
      },
    },
    async (request, reply) => {
      const { personId, query, actor } = request
      const window = { personId, ...windowOf(query, zoneOf(personId), now()) }
      const metrics = asked(query.metric).filter((name) => {
        const dataClass = metricNamed(name)?.class ?? 'wellness'
        // A metric that was named is refused like any read of it; of all, one gets those that one may read.
        if (query.metric !== undefined) request.authorize(personId, 'read', dataClass)
        return can(actor, 'read', personId, dataClass, now())
      })
      const unit = query.glucose_unit ?? glucoseUnitOf(actor.kind === 'user' ? actor.userId : null)
      const format = query.format === 'csv' ? tableIn(unit) : FORMATS[query.format]
      refuseMany()
      // Counted from its first piece to its last, so that one nobody reads, as of HEAD, counts for nothing.
      const text = counted(written(format, metrics, window, store))
      const file = request.method === 'HEAD' ? undefined : Readable.from(text, { objectMode: false })
      return reply
        .header('content-type', format.mediaType)
        .header('content-disposition', `attachment; filename="${personId}.${format.extension}"`)
        .header('cache-control', 'private, no-store')
        .send(file)
    },
  )
}

/** Text of the file in pieces of one page; the next is read when the one before has left. */
async function* written(
  format: ExportFormat,
  metrics: readonly string[],
  { personId, fromMs, toMs }: Window,
  store: Pick<Store, 'observations'>,
): AsyncGenerator<string> {
  yield format.head
  let isFirst = true
  for (const metric of metrics) {
    let next: number | null = fromMs
    while (next !== null && next < toMs) {
      const range = { personId, metric, fromMs: next, toMs, limit: ROWS_AT_ONCE }
      const page = await store.observations.range(range)
      const items = page.points.flatMap((point) => format.write(exported(point), personId) ?? [])
      if (items.length > 0) {
        yield (isFirst ? '' : format.separator) + items.join(format.separator)
        isFirst = false
      }
      next = page.nextFromMs
      await setImmediate()
    }
  }
  yield format.tail
}

function asked(names: string | undefined): string[] {
  if (names === undefined) return METRICS.map(({ name }) => name)
  return names.split(',').map((name) => {
    const metric = resolveMetric(name.trim())
    if (metric) return metric.name
    throw new HubError('UNKNOWN_METRIC', `There is no metric ${JSON.stringify(name.slice(0, 64))}.`, {
      details: [{ path: 'metric', message: 'is not known', value: name.slice(0, 64) }],
    })
  })
}

function windowOf(query: { from?: string; to?: string }, zone: string, nowMs: number) {
  const edge = (path: 'from' | 'to', text: string) => {
    if (isDay(text)) return dayBounds(text, zone)[path === 'from' ? 'fromMs' : 'toMs']
    const parsed = parseInstant(text, zone)
    if ('wrong' in parsed) throw invalid(path, parsed.wrong, text)
    return parsed.atMs
  }
  const toMs = query.to === undefined ? nowMs + 1 : edge('to', query.to)
  const fromMs = query.from === undefined ? toMs - DAYS_DEFAULT * DAY_MS : edge('from', query.from)
  if (fromMs > toMs) throw invalid('from', 'lies after to', query.from)
  if (toMs - fromMs > DAYS_MAX * DAY_MS)
    throw invalid('from', `lies more than ${DAYS_MAX} days before to`, query.from)
  return { fromMs, toMs }
}

function invalid(path: string, message: string, value: unknown): HubError {
  return new HubError('VALIDATION_ERROR', `The query is not valid. ${path}: ${message}.`, {
    details: [{ path, message, value }],
  })
}
