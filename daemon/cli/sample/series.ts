/** What the sensors of a made-up person would have measured on those days. */
import { clamp, instantAt, type SampleDay } from './days.ts'
import type { Profile } from './profile.ts'
import { createRandom, type Random } from './random.ts'

export interface SampleValue {
  ts: number
  metric: string
  value: number | string
  tEnd?: number
}

export interface StageStretch {
  stage: 'light' | 'deep' | 'rem' | 'awake'
  startMs: number
  endMs: number
}

const MINUTE_MS = 60_000
const GLUCOSE_MS = 5 * MINUTE_MS
const STEPS_MS = 15 * MINUTE_MS
const HOUR_MS = 3_600_000
/** After a meal, until its peak. */
const PEAK_MS = 50 * MINUTE_MS
const MEAL_MS = 5 * HOUR_MS
const AFTER_SPORT_MS = 12 * HOUR_MS

export interface SeriesOf {
  profile: Profile
  days: readonly SampleDay[]
  seed: number
  zone: string
}

/** Glucose every five minutes: fasting level, dawn, meals, the late dinner's night, exercise, and a sensor's noise. */
export function glucoseOf({ profile, days, seed, zone }: SeriesOf): { atMs: number; value: number }[] {
  const random = createRandom(seed, `${profile.id} glucose`)
  let noise = 0
  return instants(days, zone, GLUCOSE_MS).map(({ atMs, index }) => {
    noise = 0.85 * noise + 2.2 * random.normal()
    const value = profile.glucoseBase + glucoseAbove(profile, days, index, atMs, zone) + noise
    return { atMs, value: Math.round(clamp(value, 45, 330)) }
  })
}

/** What stands above the fasting level at an instant, without noise. */
function glucoseAbove(
  profile: Profile,
  days: readonly SampleDay[],
  index: number,
  atMs: number,
  zone: string,
): number {
  const { effects } = profile
  const around = [days[index - 1], days[index]].filter((day) => day !== undefined)
  let above = 0
  for (const { meals, activity } of around) {
    for (const meal of meals) {
      const after = atMs - meal.atMs
      if (after > 0 && after < MEAL_MS)
        above += meal.carbsG * profile.glucosePerGram * (after / PEAK_MS) * Math.exp(1 - after / PEAK_MS)
    }
    if (activity && atMs > activity.startMs && atMs < activity.startMs + AFTER_SPORT_MS)
      above += effects.activityOnGlucose
  }
  const today = days[index]
  const yesterday = days[index - 1]
  if (!today) return above
  const hour = (atMs - instantAt(today.date, 0, zone)) / HOUR_MS
  if (hour >= 3 && hour < 8) above += 8 * Math.sin((Math.PI * (hour - 3)) / 5)
  if (yesterday?.lateMeal && hour < 6) above += effects.lateMealOnNightGlucose
  return above
}

/** Heart rate once a minute, by sleep, exercise and the hour. */
export function pulseOf({ profile, days, seed, zone }: SeriesOf): SampleValue[] {
  const random = createRandom(seed, `${profile.id} pulse`)
  let noise = 0
  return instants(days, zone, MINUTE_MS).map(({ atMs, index }) => {
    const day = days[index]
    noise = 0.9 * noise + 1.3 * random.normal()
    const resting = day?.restingPulse ?? profile.restingPulse
    const value = resting + effortAt(profile, days, index, atMs) + noise
    return { ts: atMs, metric: 'heart_rate', value: Math.round(clamp(value, 38, profile.highestPulse)) }
  })
}

/** Beats above the resting pulse. */
function effortAt(profile: Profile, days: readonly SampleDay[], index: number, atMs: number): number {
  if (isAsleep(days, index, atMs)) return 2
  const activity = days[index]?.activity
  if (activity && atMs >= activity.startMs && atMs < activity.startMs + activity.minutes * MINUTE_MS) {
    const warm = Math.min(1, (atMs - activity.startMs) / (8 * MINUTE_MS))
    return (profile.highestPulse - profile.restingPulse) * 0.62 * warm
  }
  return 16 + 6 * Math.sin(atMs / (1.7 * HOUR_MS))
}

/** Steps of each quarter of an hour that had some. */
export function stepsOf({ profile, days, seed, zone }: SeriesOf): SampleValue[] {
  const random = createRandom(seed, `${profile.id} steps`)
  const usual = profile.stepsADay / 60
  return instants(days, zone, STEPS_MS).flatMap(({ atMs, index }) => {
    const share = -Math.log(1 - random.next())
    if (isAsleep(days, index, atMs)) return []
    const activity = days[index]?.activity
    const sport =
      activity && atMs + STEPS_MS > activity.startMs && atMs < activity.startMs + activity.minutes * MINUTE_MS
    const value = Math.round(Math.min(2400, usual * share + (sport ? 1400 : 0)))
    return value === 0 ? [] : [{ ts: atMs, metric: 'steps', value, tEnd: atMs + STEPS_MS }]
  })
}

/** Cycles of ninety minutes: deep sleep first, dreams towards the morning, awake in between. */
export function stagesOf({ sleep, date }: SampleDay, random: Random): StageStretch[] {
  const stretches: StageStretch[] = []
  const awakeMin = Math.round((sleep.endMs - sleep.startMs) / MINUTE_MS) - sleep.asleepMin
  const cycles = Math.max(3, Math.round(sleep.asleepMin / 92))
  let atMs = sleep.startMs
  const put = (stage: StageStretch['stage'], minutes: number) => {
    const endMs = Math.min(sleep.endMs, atMs + Math.max(0, Math.round(minutes)) * MINUTE_MS)
    if (endMs > atMs) stretches.push({ stage, startMs: atMs, endMs })
    atMs = Math.max(atMs, endMs)
  }
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const minutes = sleep.asleepMin / cycles
    const late = cycle / (cycles - 1)
    const deep = minutes * (0.34 - 0.3 * late) * random.between(0.85, 1.15)
    const rem = minutes * (0.12 + 0.22 * late) * random.between(0.85, 1.15)
    put('light', (minutes - deep - rem) / 2)
    put('deep', deep)
    put('light', (minutes - deep - rem) / 2)
    put('rem', rem)
    put('awake', awakeMin / cycles)
  }
  const last = stretches.at(-1)
  if (!last) throw new Error(`the night of ${date} has no stage`)
  // Rounding must not leave a hole before waking.
  last.endMs = sleep.endMs
  return stretches
}

export function minutesOf(stages: readonly StageStretch[], wanted: StageStretch['stage']): number {
  const own = stages.filter(({ stage }) => stage === wanted)
  return own.reduce((sum, { startMs, endMs }) => sum + (endMs - startMs) / MINUTE_MS, 0)
}

function isAsleep(days: readonly SampleDay[], index: number, atMs: number): boolean {
  // A night that begins before midnight is told with the day it ends on.
  return [days[index], days[index + 1]].some(
    (day) => day && atMs >= day.sleep.startMs && atMs < day.sleep.endMs,
  )
}

/** Every so often from the first day's midnight to the last one's end, with the day each falls on. */
function instants(
  days: readonly SampleDay[],
  zone: string,
  everyMs: number,
): { atMs: number; index: number }[] {
  const found: { atMs: number; index: number }[] = []
  days.forEach(({ date }, index) => {
    const toMs = instantAt(date, 24 * 60, zone)
    for (let atMs = instantAt(date, 0, zone); atMs < toMs; atMs += everyMs) found.push({ atMs, index })
  })
  return found
}
