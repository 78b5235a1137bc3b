/** How often something repeats: in plain words, and as the choices that most families need. */
import { parseRecurrence } from '../../../../domain/recurrence.ts'
import type { TranslateOf } from '../../../i18n/translate.ts'
import type { words } from './words.ts'

export const EVERY = ['never', 'day', 'week', 'twoWeeks', 'month'] as const
export type Every = (typeof EVERY)[number]

export interface Repeat {
  every: Every
  /** Days of the week, 0 is Monday; of a week's rule only. */
  days: readonly number[]
  /** The last day that it may be on; empty: it goes on. */
  until: string
}

const CODES = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
/** 1 January 2024 was a Monday. */
const MONDAY_MS = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000

/** The choices that say this rule; null for one that they cannot say. */
export function repeatOf(rrule: string | null): Repeat | null {
  if (rrule === null) return { every: 'never', days: [], until: '' }
  const rule = parseRecurrence(rrule)
  if ('wrong' in rule || rule.count !== null || (rule.until && 'atMs' in rule.until)) return null
  const until = rule.until ? new Date(rule.until.wallMs).toISOString().slice(0, 10) : ''
  const { frequency, interval, days } = rule
  if (frequency === 'WEEKLY' && interval <= 2)
    return { every: interval === 1 ? 'week' : 'twoWeeks', days, until }
  if (interval !== 1) return null
  return { every: frequency === 'DAILY' ? 'day' : 'month', days, until }
}

/** `startDay` is the weekday of the first time, which belongs to the days of a week's rule. */
export function ruleOf({ every, days, until }: Repeat, startDay: number): string | null {
  if (every === 'never') return null
  const weekly = every === 'week' || every === 'twoWeeks'
  const on = [...new Set([...days, startDay])].sort((a, b) => a - b).map((day) => CODES[day])
  return [
    `FREQ=${weekly ? 'WEEKLY' : every === 'day' ? 'DAILY' : 'MONTHLY'}`,
    every === 'twoWeeks' ? 'INTERVAL=2' : '',
    weekly ? `BYDAY=${on.join(',')}` : '',
    until === '' ? '' : `UNTIL=${until.replaceAll('-', '')}`,
  ]
    .filter((part) => part !== '')
    .join(';')
}

/** `every week on Tuesday and Thursday, until 30 June 2027`. */
export function repeatText(
  rrule: string,
  start: { weekday: number; dayOfMonth: number },
  say: TranslateOf<typeof words>,
  locale: string,
): string {
  const rule = parseRecurrence(rrule)
  if ('wrong' in rule) return say('repeat.unknown')
  const count = rule.interval
  const names = rule.days.length > 0 ? rule.days : [start.weekday]
  const days = new Intl.ListFormat(locale, { type: 'conjunction' }).format(
    names.map((day) => weekdayName(day, locale, 'long')),
  )
  const often =
    rule.frequency === 'DAILY'
      ? say('repeat.day', { count })
      : rule.frequency === 'WEEKLY'
        ? say('repeat.week', { count, days })
        : say('repeat.month', { count, day: start.dayOfMonth })
  const ends = [
    rule.count === null ? '' : say('repeat.times', { count: rule.count }),
    rule.until === null ? '' : say('repeat.until', { day: dayText(untilMs(rule.until), locale) }),
  ]
  return [often, ...ends].filter((part) => part !== '').join(', ')
}

export function weekdayName(day: number, locale: string, style: 'long' | 'short' | 'narrow'): string {
  return new Intl.DateTimeFormat(locale, { weekday: style, timeZone: 'UTC' }).format(MONDAY_MS + day * DAY_MS)
}

function untilMs(until: { atMs: number } | { wallMs: number }): number {
  return 'atMs' in until ? until.atMs : until.wallMs
}

function dayText(ms: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(ms)
}
