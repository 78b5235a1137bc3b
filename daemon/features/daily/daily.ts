/** The person's days, one row each: what a dashboard, a burnout indicator or a search for patterns begins with. */
import { Type } from 'typebox'
import { can } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { isDay, localDay } from '../../domain/zone.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { createDays, type Days, type DaysDeps } from './days.ts'
import { DailyRow, visibleRow } from './row.ts'
import { summaryRoute } from './summary.ts'

export interface Daily {
  feature: Feature
  /** Rows of consecutive local days, for what computes on them. */
  rows: Days['rows']
}

const DAY_MS = 86_400_000
const DAYS_MAX = 400
const DAYS_DEFAULT = 30
/** What a row shows of whom depends on the classes that its reader may see. */
const READ: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'params', name: 'personId' },
  action: 'read',
  class: 'by-metric',
}
const Params = Type.Object({ personId: Id }, { additionalProperties: false })
const Query = Type.Object(
  {
    from: Type.Optional(Type.String({ maxLength: 64, description: 'First local day, or an instant in it' })),
    to: Type.Optional(
      Type.String({ maxLength: 64, description: 'Last local day, inclusive, or an instant, exclusive' }),
    ),
  },
  { additionalProperties: false },
)
const Rows = Type.Object({ person_id: Id, timezone: Type.String(), rows: Type.Array(DailyRow) })

export function createDaily(deps: DaysDeps): Daily {
  const days = createDays(deps)
  return {
    rows: days.rows,
    feature: {
      name: 'daily',
      routes(http) {
        dailyRoute(http, days, deps)
        summaryRoute(http, days, deps)
      },
      stop: days.stop,
    },
  }
}

function dailyRoute(http: Http, days: Days, { now, zoneOf }: DaysDeps): void {
  http.get(
    '/people/:personId/daily',
    {
      config: { policy: READ },
      schema: {
        tags: ['records'],
        summary: 'One row a local day: recovery, strain, sleep, HRV, mood, glucose, steps (default 30 days)',
        params: Params,
        querystring: Query,
        response: { 200: Ok(Rows) },
      },
    },
    async ({ personId, query, actor }) => {
      const zone = zoneOf(personId)
      const rows = await days.rows(personId, datesOf(query, zone, now()))
      const mayRead = (dataClass: Parameters<typeof can>[3]) => can(actor, 'read', personId, dataClass, now())
      return ok(now(), {
        person_id: personId,
        timezone: zone,
        rows: rows.map((row) => visibleRow(row, mayRead)),
      })
    },
  )
}

function datesOf(query: { from?: string; to?: string }, zone: string, nowMs: number): string[] {
  const last = query.to === undefined ? localDay(nowMs, zone) : dayIn('to', query.to, zone, -1)
  const first =
    query.from === undefined ? dayPlus(last, 1 - DAYS_DEFAULT) : dayIn('from', query.from, zone, 0)
  const count = Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1
  if (count < 1) throw invalid('from', 'lies after to', query.from)
  if (count > DAYS_MAX) throw invalid('from', `lies more than ${DAYS_MAX} days before to`, query.from)
  return Array.from({ length: count }, (_, index) => dayPlus(first, index))
}

/** A day as it stands, or the local day of an instant; `shiftMs` makes an instant exclusive. */
function dayIn(path: string, text: string, zone: string, shiftMs: number): string {
  if (isDay(text)) return text
  const parsed = parseInstant(text, zone)
  if ('wrong' in parsed) throw invalid(path, `${parsed.wrong}, or a day like 2026-03-14`, text)
  return localDay(parsed.atMs + shiftMs, zone)
}

function dayPlus(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

function invalid(path: string, message: string, value: unknown): HubError {
  return new HubError('VALIDATION_ERROR', `The query is not valid. ${path}: ${message}.`, {
    details: [{ path, message, value }],
  })
}
