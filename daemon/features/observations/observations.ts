import { Type } from 'typebox'
import { can } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { type Metric, metricNamed, resolveMetric } from '../../domain/metric.ts'
import { LEVELS, type Level } from '../../domain/observation.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import { csv, wantsCsv } from './csv.ts'
import { Latest, LevelSeries, latestOf, levelSeries, RawSeries, rawSeries } from './shown.ts'
import { Timeline, timelineOf } from './timeline.ts'

export interface ObservationsDeps {
  store: Pick<Store, 'all' | 'get' | 'observations'>
  now: () => number
}

const DAY_MS = 86_400_000
const LIMIT_DEFAULT = 5000
const LIMIT_MAX = 50_000

const PersonPath = Type.Object({ personId: Id }, { additionalProperties: false })
const Window = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 64, description: 'Canonical name or alias' }),
    from: Type.Optional(Type.String({ description: 'Inclusive; RFC 3339 with offset, or epoch s or ms' })),
    to: Type.Optional(Type.String({ description: 'Exclusive' })),
    level: Type.Enum(['raw', ...LEVELS], { default: 'raw' }),
    limit: Type.Integer({ minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT }),
  },
  { additionalProperties: false },
)

const Day = Type.Object(
  {
    date: Type.Optional(
      Type.String({ maxLength: 10, description: 'YYYY-MM-DD in the person’s zone; absent: today' }),
    ),
  },
  { additionalProperties: false },
)

/** Which class it is depends on the metric asked for, so the handlers ask for it themselves. */
const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'by-metric',
}

/** Reads what was recorded: values or roll-ups of one metric over a window, the newest value of every metric, a day. */
export function observations(deps: ObservationsDeps): Feature {
  return {
    name: 'observations',
    routes(http) {
      routeWindow(http, deps)
      routeLatest(http, deps)
      routeTimeline(http, deps)
    },
  }
}

function routeWindow(http: Http, { store, now }: ObservationsDeps): void {
  http.get(
    '/people/:personId/observations',
    {
      config: { policy: READ },
      schema: {
        tags: ['observations'],
        summary: 'Values or roll-ups of one metric',
        params: PersonPath,
        querystring: Window,
        response: { 200: Ok(Type.Union([RawSeries, LevelSeries])) },
      },
    },
    async (request, reply) => {
      const { personId } = request
      const metric = metricOf(request.query.metric)
      request.authorize(personId, 'read', metric.class)
      const { fromMs, toMs } = windowOf(request.query, now())
      const range = { personId, metric: metric.name, fromMs, toMs, limit: request.query.limit }
      const series = await read(store, metric, request.query.level, range)
      if (!wantsCsv(request)) return ok(now(), series)
      if (series.next_from) reply.header('x-next-from', series.next_from)
      return csv(reply, `${personId}-${metric.name}`, series.points)
    },
  )
}

function routeLatest(http: Http, { store, now }: ObservationsDeps): void {
  http.get(
    '/people/:personId/latest',
    {
      config: { policy: READ },
      schema: {
        tags: ['observations'],
        summary: 'Newest value of every metric, with its age',
        params: PersonPath,
        response: { 200: Ok(Latest) },
      },
    },
    async (request, reply) => {
      const values = await store.observations.latest(request.personId)
      const seen = values.filter(({ metric, personId }) => {
        const dataClass = metricNamed(metric)?.class
        return dataClass !== undefined && can(request.actor, 'read', personId, dataClass, now())
      })
      const latest = latestOf(seen, now())
      if (!wantsCsv(request)) return ok(now(), latest)
      const rows = Object.entries(latest).map(([metric, value]) => ({ metric, ...value }))
      return csv(reply, `${request.personId}-latest`, rows)
    },
  )
}

function routeTimeline(http: Http, deps: ObservationsDeps): void {
  http.get(
    '/people/:personId/timeline',
    {
      config: { policy: READ },
      schema: {
        tags: ['observations'],
        summary: 'One local day as lanes, with the notes of that day',
        params: PersonPath,
        querystring: Day,
        response: { 200: Ok(Timeline) },
      },
    },
    async (request, reply) => {
      const { actor, personId, query } = request
      const timeline = await timelineOf({ actor, personId, date: query.date }, deps)
      if (!wantsCsv(request)) return ok(deps.now(), timeline)
      const rows = timeline.lanes.flatMap(({ metric, unit, points }) =>
        points.map((point) => ({ metric, unit, ...point })),
      )
      return csv(reply, `${personId}-${timeline.date}`, rows)
    },
  )
}

type Range = Parameters<Store['observations']['range']>[0]

async function read(store: ObservationsDeps['store'], metric: Metric, level: 'raw' | Level, range: Range) {
  if (level === 'raw') return rawSeries(metric, await store.observations.range(range))
  if (metric.kind !== 'number') {
    throw invalid('level', `${metric.name} has no roll-ups, it is no number: ask for level=raw`, level)
  }
  return levelSeries(metric, level, await store.observations.level({ ...range, level }))
}

function metricOf(name: string): Metric {
  const metric = resolveMetric(name)
  if (metric) return metric
  throw new HubError('UNKNOWN_METRIC', 'There is no such metric. The metrics are listed in /docs.', {
    details: [{ path: 'metric', message: 'is no metric', value: name }],
  })
}

function windowOf(query: { from?: string; to?: string }, nowMs: number): { fromMs: number; toMs: number } {
  const toMs = query.to === undefined ? null : instantOf('to', query.to)
  const fromMs = query.from === undefined ? (toMs ?? nowMs) - DAY_MS : instantOf('from', query.from)
  // "Up to now" includes a value of this very millisecond.
  const endMs = toMs ?? Math.max(nowMs, fromMs) + 1
  if (fromMs > endMs) throw invalid('from', 'lies after to', query.from)
  return { fromMs, toMs: endMs }
}

function instantOf(path: string, text: string): number {
  const parsed = parseInstant(text, null)
  if ('wrong' in parsed) throw invalid(path, parsed.wrong, text)
  return parsed.atMs
}

function invalid(path: string, message: string, value: unknown): HubError {
  return new HubError('VALIDATION_ERROR', `The query is not valid. ${path}: ${message}.`, {
    details: [{ path, message, value }],
  })
}
