/** Events as they happen: each time that a repeated one comes, and what a school announced. */
import { createHash } from 'node:crypto'
import type { CalendarEvent } from '../../domain/calendar.ts'
import { parseInstant } from '../../domain/instant.ts'
import { parseRecurrence, startsWithin } from '../../domain/recurrence.ts'
import { dayBounds, isDay } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'

export interface Occurrence {
  event: CalendarEvent
  startMs: number
  endMs: number
  readOnly: boolean
}

export interface Window {
  fromMs: number
  toMs: number
}

export const OCCURRENCES_MAX = 2000
const HOUR_MS = 3_600_000

/** Occurrences that touch the window, ascending. Throws OUT_OF_RANGE for more than OCCURRENCES_MAX: nothing is left out quietly. */
export function occurrencesOf(events: readonly CalendarEvent[], window: Window): Occurrence[] {
  const found: Occurrence[] = []
  for (const event of events) {
    const lastsMs = event.endMs - event.startMs
    const starts = startsOf(event, { fromMs: window.fromMs - lastsMs + 1, toMs: window.toMs })
    found.push(...starts.map((startMs) => ({ event, startMs, endMs: startMs + lastsMs, readOnly: false })))
    if (found.length > OCCURRENCES_MAX)
      throw new HubError(
        'OUT_OF_RANGE',
        `More than ${OCCURRENCES_MAX} events happen in that time. Ask for a shorter one.`,
      )
  }
  return found.sort((a, b) => a.startMs - b.startMs)
}

function startsOf({ startMs, timezone, rrule }: CalendarEvent, window: Window): number[] {
  const rule = rrule === null ? null : parseRecurrence(rrule)
  if (rule === null || 'wrong' in rule)
    return startMs >= window.fromMs && startMs < window.toMs ? [startMs] : []
  return startsWithin({ startMs, zone: timezone, rule }, window, OCCURRENCES_MAX + 1)
}

/** A person's `school_events` that say when: texts and objects without a day are no plan and stay where they are. */
export function schoolOf(
  person: { id: string; timezone: string; schoolEvents: readonly unknown[] },
  window: Window,
): Occurrence[] {
  return person.schoolEvents
    .flatMap((told, index) => {
      const when = whenOf(told, person.timezone)
      if (when === null || when.endMs <= window.fromMs || when.startMs >= window.toMs) return []
      const id = createHash('sha256').update(`${person.id} ${index}`).digest('hex').slice(0, 16)
      return [{ event: schoolEvent(`school-${id}`, person, told, when), ...when, readOnly: true }]
    })
    .sort((a, b) => a.startMs - b.startMs)
}

function schoolEvent(
  id: string,
  { id: personId, timezone }: { id: string; timezone: string },
  told: unknown,
  when: { startMs: number; endMs: number },
): CalendarEvent {
  const title = textOf(told, ['title', 'name', 'event', 'summary']) ?? 'School'
  return {
    ...{ id, personId, groupId: null, title, eventType: 'school', ...when, timezone, rrule: null },
    ...{ drills: [], aiGenerated: false, createdBy: null, createdAtMs: 0, updatedAtMs: 0 },
  }
}

function whenOf(told: unknown, zone: string): { startMs: number; endMs: number } | null {
  const start = textOf(told, ['start_time', 'start', 'datetime', 'date'])
  if (start === null) return null
  if (isDay(start)) {
    const { fromMs, toMs } = dayBounds(start, zone)
    return { startMs: fromMs, endMs: toMs }
  }
  const begun = parseInstant(start, zone)
  if ('wrong' in begun) return null
  const ended = parseInstant(textOf(told, ['end_time', 'end']) ?? '', zone)
  const endMs = 'atMs' in ended && ended.atMs > begun.atMs ? ended.atMs : begun.atMs + HOUR_MS
  return { startMs: begun.atMs, endMs }
}

function textOf(told: unknown, names: readonly string[]): string | null {
  if (typeof told !== 'object' || told === null) return null
  for (const name of names) {
    const value: unknown = Reflect.get(told, name)
    if (typeof value === 'string' && value !== '') return value.slice(0, 200)
  }
  return null
}
