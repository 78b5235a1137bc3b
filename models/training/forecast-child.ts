/** Made-up children with hours of stress and sleep that follow school, events, their own habits and chance. */
import { DAY_HOURS, type DayFacts, type HourlySeries, type Subject } from '../series/forecast-days.ts'
import type { Draw } from './random.ts'

export interface MadeChild {
  stress: HourlySeries
  sleep: HourlySeries
  subjectOf: (kind: Subject['kind']) => Subject
}

const DAYS = 90
/** What is known of days beyond the history. */
const CALENDAR_DAYS = DAYS + 4

export function drawChild(draw: Draw): MadeChild {
  const calendar = drawCalendar(draw)
  const ageYears = draw.whole(5, 17)
  const days = (day: number): DayFacts => calendar[day] ?? { isSchoolDay: day % 7 < 5, event: 0 }
  const nights = drawNights(days, draw)
  const values = { stress: drawStress(days, nights, draw), sleep: drawSleep(nights, draw) }
  const holes = draw.chance(0.4) ? draw.uniform(0, 0.05) : 0
  for (const series of Object.values(values))
    for (let at = 0; at < series.length; at += 1) if (draw.chance(holes)) series[at] = Number.NaN
  return {
    stress: { firstHour: 0, values: values.stress },
    sleep: { firstHour: 0, values: values.sleep },
    subjectOf: (kind) => ({ kind, days, ageYears }),
  }
}

/** Day 0 is a Monday here; the weekday itself is nothing that a forecast looks at. */
function drawCalendar({ chance, whole, uniform, pick }: Draw): DayFacts[] {
  const often = uniform(0.03, 0.22)
  const holiday = chance(0.5) ? whole(0, CALENDAR_DAYS) : -30
  return Array.from({ length: CALENDAR_DAYS }, (_, day) => {
    const isSchoolDay = day % 7 < 5 && !(day >= holiday && day < holiday + 9)
    return { isSchoolDay, event: isSchoolDay && chance(often) ? pick([1, 1, 2, 2, 3]) : 0 }
  })
}

interface Night {
  /** Hours, with fractions, from the first midnight. */
  from: number
  to: number
  /** Share of it that is sleep. */
  share: number
}

function drawNights(days: (day: number) => DayFacts, draw: Draw): Night[] {
  const bed = draw.uniform(19.5, 23)
  const bedFree = bed + draw.uniform(-0.1, 1.5)
  const wake = draw.uniform(5.7, 7.2)
  const wakeFree = wake + draw.uniform(0.2, 2.6)
  const [bedSd, bedFreeSd] = [draw.uniform(0.15, 0.6), draw.uniform(0.2, 0.9)]
  const [wakeSd, wakeFreeSd] = [draw.uniform(0.05, 0.35), draw.uniform(0.2, 0.9)]
  const share = draw.uniform(0.87, 0.96)
  const wander = draw.uniform(0, 0.25)
  let late = 0
  return Array.from({ length: DAYS + 1 }, (_, index) => {
    const day = index - 1
    const isSchool = days(day + 1).isSchoolDay
    late = 0.6 * late + draw.normal(0, wander)
    const nerves = days(day + 1).event >= 2 ? draw.uniform(0, 0.5) : 0
    return {
      from:
        day * DAY_HOURS + draw.normal(isSchool ? bed : bedFree, isSchool ? bedSd : bedFreeSd) + late + nerves,
      to: (day + 1) * DAY_HOURS + draw.normal(isSchool ? wake : wakeFree, isSchool ? wakeSd : wakeFreeSd),
      share: Math.min(0.99, share + draw.normal(0, 0.015)),
    }
  })
}

function drawSleep(nights: readonly Night[], draw: Draw): Float64Array {
  const minutes = new Float64Array(DAYS * DAY_HOURS)
  const naps = draw.chance(0.15) ? draw.uniform(0, 0.2) : 0
  for (const { from, to, share } of nights) {
    for (let hour = Math.max(0, Math.floor(from)); hour < to && hour < minutes.length; hour += 1) {
      const inside = Math.min(hour + 1, to) - Math.max(hour, from)
      if (inside > 0) minutes[hour] = 60 * share * inside
    }
  }
  for (let day = 0; day < DAYS; day += 1)
    if (draw.chance(naps)) minutes[day * DAY_HOURS + draw.whole(13, 15)] = draw.uniform(15, 60)
  return minutes
}

function drawStress(days: (day: number) => DayFacts, nights: readonly Night[], draw: Draw): Float64Array {
  const night = draw.uniform(4, 30)
  const height = draw.uniform(12, 35)
  const school = draw.uniform(0, 9)
  const perEvent = [0, draw.uniform(2, 10), draw.uniform(6, 20), draw.uniform(10, 32)]
  const eve = draw.uniform(0, 0.35)
  const relief = draw.uniform(-0.2, 0.3)
  const [keep, sd] = [draw.uniform(0.6, 0.92), draw.uniform(2.5, 7)]
  const evening = draw.uniform(0.9, 1.5)
  const daySd = draw.uniform(0, 2.5)
  const noise = draw.uniform(0, 1.5)
  const [slope, midday] = [draw.uniform(-0.4, 0.8), draw.uniform(11, 15)]
  let [wander, mood, arousal] = [0, 0, 0]
  return Float64Array.from({ length: DAYS * DAY_HOURS }, (_, t) => {
    const day = Math.floor(t / DAY_HOURS)
    const hour = t % DAY_HOURS
    const { isSchoolDay, event } = days(day)
    if (hour === 0) mood = 0.5 * mood + draw.normal(0, daySd)
    const isAsleep = nights.some(({ from, to }) => t + 0.5 > from && t + 0.5 < to)
    arousal += ((isAsleep ? 0 : 1) - arousal) * 0.55
    const inSchool = hour >= 8 && hour < 15
    const load = perEvent[event] ?? 0
    const nerves = perEvent[days(day + 1).event] ?? 0
    const added = inSchool ? (isSchoolDay ? school : 0) + load : hour >= 15 ? eve * nerves - relief * load : 0
    const strength = sd * (hour >= 20 ? evening : 1)
    wander = keep * wander + draw.normal(0, strength * Math.sqrt(1 - keep * keep))
    const level = night + arousal * (height + mood + slope * (hour - midday)) + added + wander
    return Math.max(0, Math.round((level + draw.normal(0, noise)) * 100) / 100)
  })
}
