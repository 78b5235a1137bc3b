/** Sorts what is planned into days, and says what happens at the same time. */
import { weekdayOf } from '../../../../domain/recurrence.ts'
import { dayBounds, localDay } from '../../../../domain/zone.ts'
import { dayPlus } from '../scale.ts'
import type { Entry } from './answers.ts'

export interface Planned {
  entry: Entry
  /** Tells occurrences of one event apart. */
  key: string
  startMs: number
  endMs: number
  /** From midnight to midnight, or longer. */
  isAllDay: boolean
  /** Titles of what happens at the same time. */
  clashes: readonly string[]
}

export interface PlannedDay {
  day: string
  events: readonly Planned[]
}

const ALL_DAY_MS = 20 * 3_600_000

/** Ascending; a whole day at school is no clash with the training after it. */
export function plannedOf(entries: readonly Entry[]): Planned[] {
  const timed = entries.map((entry) => {
    const [startMs, endMs] = [Date.parse(entry.start_time), Date.parse(entry.end_time)]
    return { entry, startMs, endMs, key: `${entry.id} ${startMs}`, isAllDay: endMs - startMs >= ALL_DAY_MS }
  })
  return timed
    .map((one) => ({
      ...one,
      clashes: one.isAllDay
        ? []
        : timed
            .filter(
              (other) =>
                other.key !== one.key &&
                !other.isAllDay &&
                other.startMs < one.endMs &&
                other.endMs > one.startMs,
            )
            .map(({ entry }) => entry.title),
    }))
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
}

/** Days from `from` to `to` that have something, with it; what lasts for days is on each of them. */
export function daysOf(planned: readonly Planned[], zone: string, from: string, to: string): PlannedDay[] {
  const days = new Map<string, Planned[]>()
  for (const one of planned) {
    const last = localDay(one.endMs - 1, zone)
    for (let day = localDay(one.startMs, zone); day <= last && day <= to; day = dayPlus(day, 1))
      if (day >= from) days.set(day, [...(days.get(day) ?? []), one])
  }
  return [...days].map(([day, events]) => ({ day, events })).sort((a, b) => (a.day < b.day ? -1 : 1))
}

/** The days of a month with those that fill its first and last week, Monday first. */
export function gridOf(month: string): string[][] {
  const first = `${month}-01`
  const start = dayPlus(first, -weekdayOf(Date.parse(`${first}T00:00:00Z`)))
  const weeks: string[][] = []
  for (let day = start; day.slice(0, 7) <= month; day = dayPlus(day, 7))
    weeks.push(Array.from({ length: 7 }, (_, index) => dayPlus(day, index)))
  return weeks
}

export function monthPlus(month: string, by: number): string {
  const at = new Date(`${month}-01T00:00:00Z`)
  at.setUTCMonth(at.getUTCMonth() + by)
  return at.toISOString().slice(0, 7)
}

export function instantsOf(from: string, to: string, zone: string): { fromMs: number; toMs: number } {
  return { fromMs: dayBounds(from, zone).fromMs, toMs: dayBounds(to, zone).toMs }
}
