/** What the forecasting net looks at for one hour to come. */
import {
  DAY_HOURS,
  dayOf,
  type HourlySeries,
  hourOfDay,
  QUANTILES,
  type Subject,
  valueAt,
} from './forecast-days.ts'
import type { Profile } from './forecast-profile.ts'

const FADES = [1, 3, 8, 24, 72] as const
const HARMONICS = 4
const LAST = QUANTILES.length - 1
const MIDDLE = 4
export const HORIZON = 24
export const FORECAST_EVIDENCE = 13 + 2 * HARMONICS + 1 + 4 + FADES.length + 3 + 3 + 4 + 2
const MOST = 6

/** How far the last hours were from their usual, fading at several speeds, in units of the usual deviation. */
export function recentOf(series: HourlySeries, origin: number, profile: Profile): number[] {
  const fading = FADES.map(() => 0)
  let seen = false
  for (let hour = origin - 10 * DAY_HOURS; hour < origin; hour += 1) {
    const distance = distanceAt(series, hour, profile)
    if (distance === null) continue
    FADES.forEach((tau, at) => {
      const share = tau === 1 ? 1 : 1 - Math.exp(-1 / tau)
      fading[at] = (fading[at] ?? 0) + (seen ? share : 1) * (distance - (fading[at] ?? 0))
    })
    seen = true
  }
  return fading
}

function distanceAt(series: HourlySeries, hour: number, profile: Profile): number | null {
  const value = valueAt(series, hour)
  return Number.isNaN(value) ? null : clip((value - profile.at(hour).mean) / profile.residualSd)
}

/** Writes FORECAST_EVIDENCE numbers about the hour `origin + ahead`; `series` holds nothing after the origin. */
export function readEvidence(
  { series, origin, subject, profile, recent }: ForecastGround,
  ahead: number,
  into: Float64Array,
): void {
  const hour = origin + ahead
  const { days, kind, ageYears } = subject
  const day = dayOf(hour)
  const [today, tomorrow, yesterday] = [days(day), days(day + 1), days(day - 1)]
  const usual = profile.at(hour)
  const unit = profile.residualSd
  let at = 0
  const put = (value: number) => {
    into[at] = value
    at += 1
  }
  const isSleep = kind === 'sleep' ? 1 : 0
  const inSchool = hourOfDay(hour) >= 7 && hourOfDay(hour) <= 14 ? 1 : 0
  put(isSleep)
  put(today.isSchoolDay ? 1 : 0)
  put(tomorrow.isSchoolDay ? 1 : 0)
  put(yesterday.isSchoolDay ? 1 : 0)
  put(today.event / 3)
  put(today.event > 0 ? 1 : 0)
  put(yesterday.event / 3)
  put(tomorrow.event / 3)
  put((inSchool * today.event) / 3)
  put(inSchool * (today.event > 0 ? 1 : 0))
  put((1 - inSchool) * (today.event / 3))
  put(((1 - inSchool) * tomorrow.event) / 3)
  put(today.isSchoolDay && !yesterday.isSchoolDay ? 1 : 0)
  const angle = (2 * Math.PI * hourOfDay(hour)) / DAY_HOURS
  for (let k = 1; k <= HARMONICS; k += 1) {
    put(Math.sin(k * angle))
    put(Math.cos(k * angle))
  }
  put(clip((usual.mean - profile.mean) / profile.sd))
  put(clip(usual.sd / unit))
  put(clip(((usual.quantiles[LAST] ?? 0) - (usual.quantiles[MIDDLE] ?? 0)) / unit))
  put(clip(((usual.quantiles[MIDDLE] ?? 0) - (usual.quantiles[0] ?? 0)) / unit))
  put(clip(((usual.quantiles[MIDDLE] ?? 0) - usual.mean) / unit))
  recent.forEach(put)
  put(lastAt(hour, 1))
  put(lastAt(hour, 7))
  put(weekMean(hour))
  put(ahead / HORIZON)
  put(Math.exp(-ahead / 3))
  put(Math.exp(-ahead / 8))
  put((recent[0] ?? 0) * Math.exp(-ahead / 4))
  put((recent[1] ?? 0) * Math.exp(-ahead / 4))
  put((recent[2] ?? 0) * Math.exp(-ahead / 8))
  put((recent[3] ?? 0) * Math.exp(-ahead / 24))
  put(Math.log(Math.max(profile.days, 1)) / 4)
  put((ageYears ?? 10) / 20)

  function lastAt(asked: number, daysAgo: number): number {
    return distanceAt(series, asked - daysAgo * DAY_HOURS, profile) ?? 0
  }

  function weekMean(asked: number): number {
    let [sum, count] = [0, 0]
    for (let ago = 1; ago <= 7; ago += 1) {
      const distance = distanceAt(series, asked - ago * DAY_HOURS, profile)
      if (distance === null) continue
      sum += distance
      count += 1
    }
    return count === 0 ? 0 : sum / count
  }
}

export interface ForecastGround {
  series: HourlySeries
  origin: number
  subject: Subject
  profile: Profile
  recent: readonly number[]
}

function clip(value: number): number {
  return Math.max(-MOST, Math.min(MOST, value))
}
