/** What somebody sent, as an event that can be kept. */
import { type Static, Type } from 'typebox'
import { type CalendarEvent, EVENT_TYPES, type PlannedFor } from '../../domain/calendar.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { OPEN_OBJECT_BYTES } from '../../domain/person.ts'
import { parseRecurrence, weekdayOf } from '../../domain/recurrence.ts'
import { isZone, wallClockMs } from '../../domain/zone.ts'
import { type ErrorCode, HubError } from '../../kernel/errors.ts'

const Instant = Type.Union([Type.String({ maxLength: 64 }), Type.Number()], {
  description: "RFC 3339 (without offset: the event's zone), or epoch seconds or milliseconds",
})
const Optional = {
  event_type: Type.Optional(Type.Enum([...EVENT_TYPES])),
  timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  rrule: Type.Optional(
    Type.Union([Type.String({ maxLength: 200 }), Type.Null()], {
      description: 'RFC 5545: FREQ=DAILY, WEEKLY or MONTHLY with INTERVAL, BYDAY (weekly), COUNT or UNTIL',
    }),
  ),
  drills: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 100 })),
  ai_generated: Type.Optional(Type.Boolean()),
}
const Title = Type.String({ minLength: 1, maxLength: 200 })

export const NewEvent = Type.Object(
  {
    id: Type.Optional(Id),
    player_id: Type.Optional(Type.Union([Id, Type.Null()])),
    group_id: Type.Optional(Type.Union([Id, Type.Null()])),
    title: Title,
    start_time: Instant,
    end_time: Instant,
    ...Optional,
  },
  { additionalProperties: false },
)
export type NewEvent = Static<typeof NewEvent>
export const EventChanges = Type.Object(
  {
    title: Type.Optional(Title),
    start_time: Type.Optional(Instant),
    end_time: Type.Optional(Instant),
    ...Optional,
  },
  { additionalProperties: false },
)
export type EventChanges = Static<typeof EventChanges>

const LONGEST_MS = 14 * 86_400_000
const EARLIEST_MS = Date.UTC(2000, 0, 1)
const LATEST_MS = Date.UTC(2100, 0, 1)

/** `before` with what was sent in its place, judged as a whole. Throws what is wrong with it. */
export function merged(before: CalendarEvent, sent: EventChanges, nowMs: number): CalendarEvent {
  const timezone = sent.timezone ?? before.timezone
  if (!isZone(timezone)) throw refused('VALIDATION_ERROR', 'timezone', 'is no IANA time zone')
  const event: CalendarEvent = {
    ...before,
    timezone,
    title: sent.title ?? before.title,
    eventType: sent.event_type ?? before.eventType,
    startMs: instantOf('start_time', sent.start_time, timezone) ?? before.startMs,
    endMs: instantOf('end_time', sent.end_time, timezone) ?? before.endMs,
    rrule: sent.rrule === undefined ? before.rrule : sent.rrule,
    drills: sent.drills ?? before.drills,
    aiGenerated: sent.ai_generated ?? before.aiGenerated,
    updatedAtMs: nowMs,
  }
  checkSpan(event)
  checkRule(event)
  if (Buffer.byteLength(JSON.stringify(event.drills)) > OPEN_OBJECT_BYTES)
    throw refused('TOO_LARGE', 'drills', 'may take 16 KB')
  return event
}

/** An event that says nothing yet, for `merged` to fill. */
export function blank(
  id: string,
  of: PlannedFor,
  { timezone, createdBy, nowMs }: { timezone: string; createdBy: string | null; nowMs: number },
): CalendarEvent {
  return {
    ...{ id, ...of, title: '', eventType: 'training', startMs: nowMs, endMs: nowMs, timezone, rrule: null },
    ...{ drills: [], aiGenerated: false, createdBy, createdAtMs: nowMs, updatedAtMs: nowMs },
  }
}

export function refused(code: ErrorCode, path: string, message: string): HubError {
  return new HubError(code, `${path} ${message}.`, { details: [{ path, message }] })
}

function instantOf(path: string, sent: string | number | undefined, zone: string): number | null {
  if (sent === undefined) return null
  const parsed = parseInstant(sent, zone)
  if ('wrong' in parsed) throw refused('VALIDATION_ERROR', path, parsed.wrong)
  return parsed.atMs
}

function checkSpan({ startMs, endMs }: CalendarEvent): void {
  if (startMs < EARLIEST_MS || startMs >= LATEST_MS)
    throw refused('OUT_OF_RANGE', 'start_time', 'is from 2000 to 2099')
  if (endMs <= startMs || endMs - startMs > LONGEST_MS)
    throw refused('OUT_OF_RANGE', 'end_time', 'lies after start_time, by 14 days at most')
}

function checkRule({ rrule, startMs, timezone }: CalendarEvent): void {
  if (rrule === null) return
  const rule = parseRecurrence(rrule)
  if ('wrong' in rule) throw refused('OUT_OF_RANGE', 'rrule', rule.wrong)
  if (rule.days.length > 0 && !rule.days.includes(weekdayOf(wallClockMs(startMs, timezone))))
    throw refused('OUT_OF_RANGE', 'rrule', 'names other days than that of start_time: add it to BYDAY')
}
