/** Nights as they are told apart: which of a day's records is the night, what is owed, and how regular it was. */
import { wallClockMs } from '../../../../domain/zone.ts'
import type { RawPoint } from '../../../net/answers.ts'
import type { DailyRow, Night } from '../answers.ts'

const MINUTE_MS = 60_000
const DAY_MIN = 1440

/** The longest record of a waking day is its night; naps and other tellers of the same night stand back. */
export function nightsByDay(nights: readonly Night[]): Night[] {
  const byDay = new Map<string, Night>()
  for (const night of nights) {
    const known = byDay.get(night.wake_date)
    if (!known || lengthOf(night) > lengthOf(known)) byDay.set(night.wake_date, night)
  }
  return [...byDay.values()].sort((a, b) => (a.wake_date < b.wake_date ? -1 : 1))
}

function lengthOf({ sleep_start: start, sleep_end: end }: Night): number {
  return Date.parse(end) - Date.parse(start)
}

/** Hours of sleep that an age needs at least (AASM 2016 and 2015); null under a year. */
export function needHours(age: number | null): number | null {
  if (age === null || age >= 19) return 7
  if (age < 1) return null
  if (age < 3) return 11
  if (age < 6) return 10
  return age < 13 ? 9 : 8
}

const DEBT_NIGHTS = 14
const DEBT_LEAST = 7
const HALF_LIFE_NIGHTS = 7

/**
 * Hours short of the need over 14 nights, each night counting half of one a week later; what was slept more pays nothing back.
 * The same definition as the hub's overload indicator. Null under seven known nights.
 */
export function debtHours(rows: readonly DailyRow[], need: number): number | null {
  const recent = rows.slice(-DEBT_NIGHTS)
  const known = recent.filter(({ total_sleep_minutes: minutes }) => minutes !== null)
  if (known.length < DEBT_LEAST) return null
  return recent.reduce((sum, { total_sleep_minutes: minutes }, index) => {
    if (minutes === null) return sum
    return sum + Math.max(0, need - minutes / 60) * 2 ** (-(recent.length - 1 - index) / HALF_LIFE_NIGHTS)
  }, 0)
}

const PAIRS_LEAST = 4 * DAY_MIN

/**
 * How often one is asleep or awake at the same minute as the day before, −100 to 100 (Phillips 2017). A day without a night is
 * unknown. Null under four days of known pairs.
 */
export function regularityOf(nights: readonly Night[]): number | null {
  const [first] = nights
  const last = nights.at(-1)
  if (!first || !last) return null
  const startMs = noonBefore(Date.parse(first.sleep_end))
  const days = Math.round((noonBefore(Date.parse(last.sleep_end)) - startMs) / (DAY_MIN * MINUTE_MS)) + 1
  const asleep = Array.from<boolean | null>({ length: days * DAY_MIN }).fill(null)
  for (const night of nights) {
    const [fromMs, toMs] = [Date.parse(night.sleep_start), Date.parse(night.sleep_end)]
    const noon = Math.round((noonBefore(toMs) - startMs) / MINUTE_MS)
    asleep.fill(false, noon, noon + DAY_MIN)
    asleep.fill(true, Math.max(0, minuteOf(fromMs)), minuteOf(toMs))
  }
  let pairs = 0
  let same = 0
  for (let minute = DAY_MIN; minute < asleep.length; minute += 1) {
    const [now, before] = [asleep[minute] ?? null, asleep[minute - DAY_MIN] ?? null]
    if (now === null || before === null) continue
    pairs += 1
    if (now === before) same += 1
  }
  return pairs < PAIRS_LEAST ? null : -100 + (200 * same) / pairs

  function minuteOf(atMs: number): number {
    return Math.round((atMs - startMs) / MINUTE_MS)
  }
}

/** A stretch from noon to noon holds a night whole. */
function noonBefore(atMs: number): number {
  const dayMs = DAY_MIN * MINUTE_MS
  return Math.floor((atMs - dayMs / 2) / dayMs) * dayMs + dayMs / 2
}

export const STAGES = ['awake', 'rem', 'light', 'deep'] as const
export type Stage = (typeof STAGES)[number]

export interface StageSpan {
  stage: Stage
  fromMs: number
  toMs: number
}

const WORDS: Readonly<Record<string, Stage>> = {
  awake: 'awake',
  rem: 'rem',
  light: 'light',
  core: 'light',
  deep: 'deep',
}

/**
 * The night's own stages, else the states that were measured: each lasts until the next one, the last one until waking. States
 * that are no stage leave a hole.
 */
export function stagesOf(points: readonly RawPoint[], night: Night): StageSpan[] {
  if (night.stages && night.stages.length > 0)
    return night.stages.flatMap(({ stage, start, end }) => {
      const known = WORDS[stage]
      return known ? [{ stage: known, fromMs: Date.parse(start), toMs: Date.parse(end) }] : []
    })
  const [fromMs, toMs] = [Date.parse(night.sleep_start), Date.parse(night.sleep_end)]
  const states = points
    .map(({ ts, value }) => ({ atMs: Date.parse(ts), stage: WORDS[String(value)] ?? null }))
    .filter(({ atMs }) => atMs >= fromMs - MINUTE_MS && atMs < toMs)
    .sort((a, b) => a.atMs - b.atMs)
  return states.flatMap(({ atMs, stage }, index) => {
    const untilMs = Math.min(toMs, states[index + 1]?.atMs ?? toMs)
    return stage === null || untilMs <= atMs ? [] : [{ stage, fromMs: atMs, toMs: untilMs }]
  })
}

/** Minutes after six in the evening by the wall clock, so that nights lie under each other. */
export function eveningMinute(atMs: number, zone: string): number {
  const minute = Math.floor(wallClockMs(atMs, zone) / MINUTE_MS) % DAY_MIN
  return (minute - 18 * 60 + DAY_MIN) % DAY_MIN
}
