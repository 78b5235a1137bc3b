/** What a made-up person does on each day: sleep, meals, exercise, and how that leaves them. */
import { wallTimeToMs } from '../../domain/zone.ts'
import type { Profile } from './profile.ts'
import { createRandom, type Random } from './random.ts'

export interface SampleMeal {
  atMs: number
  type: 'breakfast' | 'lunch' | 'dinner' | 'snack'
  carbsG: number
  proteinG: number
  fatG: number
}

export interface SampleDay {
  date: string
  /** The night that ends on this day. */
  sleep: { startMs: number; endMs: number; asleepMin: number; quality: number }
  meals: readonly SampleMeal[]
  /** Whether dinner was at nine. */
  lateMeal: boolean
  activity: { startMs: number; minutes: number; type: string } | null
  mood: { atMs: number; rating: number }
  restingPulse: number
  hrvMs: number
}

export interface SampleSpan {
  seed: number
  /** The last day, `YYYY-MM-DD`; it is complete. */
  lastDate: string
  days: number
  zone: string
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAY_MIN = 1440
const SPORTS = ['running', 'cycling', 'soccer', 'swimming', 'walking'] as const

/** All days in order; each depends on its own date and the seed alone. */
export function daysOf(profile: Profile, { seed, lastDate, days, zone }: SampleSpan): SampleDay[] {
  return Array.from({ length: days }, (_, index) => {
    const date = dayPlus(lastDate, index - days + 1)
    return dayOf(profile, date, zone, createRandom(seed, `${profile.id} ${date}`))
  })
}

function dayOf(profile: Profile, date: string, zone: string, random: Random): SampleDay {
  const { effects } = profile
  const at = (minutes: number) => instantAt(date, minutes, zone)
  const sleep = nightOf(profile, at, random)
  const lateMeal = random.chance(0.35)
  const moreSleepH = (sleep.asleepMin - profile.sleepNeedMin) / 60
  const rating = profile.mood + effects.sleepHourOnMood * moreSleepH + 0.7 * random.normal()
  const restingPulse =
    profile.restingPulse - effects.lostSleepHourOnRestingPulse * moreSleepH + 1.2 * random.normal()
  const activity = random.chance(0.45)
    ? {
        startMs: at(16 * 60 + 15 * Math.round(random.between(0, 6))),
        minutes: Math.round(random.between(30, 75)),
        type: SPORTS[Math.floor(random.next() * SPORTS.length)] ?? 'running',
      }
    : null
  return {
    date,
    sleep,
    lateMeal,
    activity,
    meals: mealsOf(profile, { at, lateMeal, awakeMs: sleep.endMs }, random),
    mood: { atMs: at(19 * 60 + 30), rating: Math.round(clamp(rating, 1, 10)) },
    restingPulse: Math.round(restingPulse),
    hrvMs: Math.round(clamp(profile.hrvMs * (1 + 0.08 * moreSleepH + 0.1 * random.normal()), 8, 250)),
  }
}

function nightOf(profile: Profile, at: (minutes: number) => number, random: Random): SampleDay['sleep'] {
  const bedMin = profile.bedtimeMin + 20 * random.normal() - DAY_MIN
  const asleepMin = Math.round(clamp(profile.sleepNeedMin + 55 * random.normal(), 200, 720))
  const awakeMin = Math.round(random.between(12, 40))
  const startMs = at(Math.round(bedMin))
  const usual = (asleepMin - profile.sleepNeedMin) / 60
  const quality = clamp(7 + usual + 0.6 * random.normal(), 1, 10)
  return {
    startMs,
    endMs: startMs + (asleepMin + awakeMin) * MINUTE_MS,
    asleepMin,
    quality: Math.round(quality * 10) / 10,
  }
}

interface Table {
  at: (minutes: number) => number
  lateMeal: boolean
  awakeMs: number
}

function mealsOf(profile: Profile, { at, lateMeal, awakeMs }: Table, random: Random): SampleMeal[] {
  const dinnerMin = lateMeal ? random.between(20 * 60 + 45, 21 * 60 + 30) : random.between(18 * 60, 19 * 60)
  const meal = (atMs: number, type: SampleMeal['type'], share: number): SampleMeal => {
    const carbsG = Math.round(profile.carbs * share * (1 + 0.2 * random.normal()))
    return {
      atMs: Math.round(atMs / MINUTE_MS) * MINUTE_MS,
      type,
      carbsG: Math.max(8, carbsG),
      proteinG: Math.round(random.between(8, 30) * share),
      fatG: Math.round(random.between(6, 28) * share),
    }
  }
  return [
    meal(awakeMs + random.between(20, 60) * MINUTE_MS, 'breakfast', 0.8),
    meal(at(random.between(12 * 60, 13 * 60)), 'lunch', 1),
    ...(random.chance(0.4) ? [meal(at(random.between(15 * 60, 16 * 60)), 'snack', 0.4)] : []),
    meal(at(dinnerMin), 'dinner', 1),
  ]
}

/** The instant of so many minutes on the wall clock after midnight; negative ones lie on the day before. */
export function instantAt(date: string, minutes: number, zone: string): number {
  const whole = Math.round(minutes)
  const day = dayPlus(date, Math.floor(whole / DAY_MIN))
  const inDay = ((whole % DAY_MIN) + DAY_MIN) % DAY_MIN
  const clock = `${pad(Math.floor(inDay / 60))}:${pad(inDay % 60)}`
  return wallTimeToMs(`${day}T${clock}`, zone) ?? Date.parse(`${day}T${clock}Z`)
}

export function dayPlus(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
