/** Reading glucose: the ranked readings of a window, and the report of a day or a run of days. */
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { Day } from '../../domain/person.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { dayBounds, isDay, localDay } from '../../domain/zone.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { ReadingOut } from './bodies.ts'
import type { Periods } from './periods.ts'
import type { ReadingIds } from './shown.ts'
import { type Period, Summary, type Target } from './summary.ts'
import type { Traces } from './traces.ts'

export interface ReadRoutesDeps {
  traces: Traces
  periods: Periods
  ids: ReadingIds
  now: () => number
  zoneOf: (personId: string) => string
  targetOf: (personId: string) => Target
  /** When the last reading before an instant was, at most three months back; null for none. */
  lastReadingMs: (personId: string, beforeMs: number) => Promise<number | null>
}

const DAY_MS = 86_400_000
const WINDOW_DAYS = 92
/** Periods this long are reports and not days. */
const REPORT_DAYS = 14
const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'query', name: 'person_id', orSelf: true },
  action: 'read',
  class: 'glucose',
}
const ListQuery = Type.Object(
  {
    ...PageQuery.properties,
    person_id: Type.Optional(Id),
    from: Type.Optional(Type.String({ maxLength: 64, description: 'Inclusive; `start` means the same' })),
    to: Type.Optional(Type.String({ maxLength: 64, description: 'Exclusive; `end` means the same' })),
  },
  { additionalProperties: false },
)
const SummaryQuery = Type.Object(
  {
    person_id: Type.Optional(Id),
    date: Type.Optional(Day),
    days: Type.Integer({
      minimum: 1,
      maximum: WINDOW_DAYS,
      default: 1,
      description:
        'Days that end with `date`; from 14 on, without a date, with the last whole day of readings',
    }),
    profile: Type.Boolean({ default: false, description: 'With the ambulatory glucose profile' }),
  },
  { additionalProperties: false },
)

export function readRoutes(http: Http, deps: ReadRoutesDeps): void {
  const { traces, periods, ids, now, zoneOf, targetOf, lastReadingMs } = deps
  /** A report without a date ends with the last whole day of readings, for today is never two weeks' fourteenth whole day. */
  const endOf = async ({ date, days }: { date?: string; days: number }, personId: string) => {
    const zone = zoneOf(personId)
    const today = localDay(now(), zone)
    if (date !== undefined) return date
    if (days < REPORT_DAYS) return today
    const beforeMs = await lastReadingMs(personId, dayBounds(today, zone).fromMs)
    return beforeMs === null ? today : localDay(beforeMs, zone)
  }
  http.get(
    '/glucose/readings',
    {
      config: { policy: READ },
      schema: {
        tags: ['glucose'],
        summary: 'Readings of a window (default the last 24 hours), rival sources ranked',
        querystring: ListQuery,
        response: { 200: OkPage(ReadingOut) },
      },
    },
    async ({ query, personId }) => {
      const { fromMs, toMs } = windowOf(query, zoneOf(personId), now())
      const readings = await traces.read(personId, fromMs, toMs)
      const page = readings.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(now(), page.map(ids.view), query, readings.length)
    },
  )
  http.get(
    '/glucose/daily-summary',
    {
      config: { policy: READ },
      schema: {
        tags: ['glucose'],
        summary: 'Glucose of a local day (default today), or of the days that end with it',
        querystring: SummaryQuery,
        response: { 200: Ok(Summary) },
      },
    },
    async ({ query, personId }) =>
      ok(
        now(),
        await periods.summary(
          {
            ...periodOf({ ...query, date: await endOf(query, personId) }, personId, zoneOf(personId)),
            target: targetOf(personId),
          },
          query.profile,
        ),
      ),
  )
}

function periodOf(
  { date, days }: { date: string; days: number },
  personId: string,
  zone: string,
): Omit<Period, 'target'> {
  if (!isDay(date)) throw invalid('date', 'is no calendar day', date)
  const first = new Date(Date.parse(`${date}T00:00:00Z`) - (days - 1) * DAY_MS).toISOString().slice(0, 10)
  const { fromMs } = dayBounds(first, zone)
  return { personId, date, days, zone, fromMs, toMs: dayBounds(date, zone).toMs }
}

function windowOf(query: { from?: string; to?: string }, zone: string, nowMs: number) {
  const toMs = query.to === undefined ? null : instantOf('to', query.to, zone)
  const fromMs = query.from === undefined ? (toMs ?? nowMs) - DAY_MS : instantOf('from', query.from, zone)
  // "Up to now" includes a reading of this very millisecond.
  const endMs = toMs ?? Math.max(nowMs, fromMs) + 1
  if (fromMs > endMs) throw invalid('from', 'lies after to', query.from)
  if (endMs - fromMs > WINDOW_DAYS * DAY_MS + 1)
    throw invalid(
      'from',
      `lies more than ${WINDOW_DAYS} days before to: ask for a shorter window`,
      query.from,
    )
  return { fromMs, toMs: endMs }
}

function instantOf(path: string, text: string, zone: string): number {
  const parsed = parseInstant(text, zone)
  if ('wrong' in parsed) throw invalid(path, parsed.wrong, text)
  return parsed.atMs
}

function invalid(path: string, message: string, value: unknown): HubError {
  return new HubError('VALIDATION_ERROR', `The query is not valid. ${path}: ${message}.`, {
    details: [{ path, message, value }],
  })
}
