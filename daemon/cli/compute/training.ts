/** `compute load-rules | youth-rules | gps-kpis`: the numbers of training and of a young athlete's week. */
import { ADULT_GPS, type GpsSettings, gpsKpis } from '../../../models/series/gps.ts'
import { loadDays, sessionLoad } from '../../../models/series/load.ts'
import { sleepNeed } from '../../../models/series/sleep.ts'
import { type YouthSession, youthWeek } from '../../../models/series/youth.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation } from './computation.ts'
import { numberOf, numbersOf, recordOf, recordsOf } from './reading.ts'

/** `{sessions:[{rpe,min}], daily_load:[…]}` → session loads and the load of each day. */
export const loadRules: Computation = async (file) => {
  const input = recordOf(await file.json(), 'load-rules')
  const sessions = recordsOf(input['sessions'] ?? [], 'sessions')
  const daily = numbersOf(input['daily_load'] ?? [], 'daily_load')
  if (daily.some((load) => !(load >= 0)))
    throw new HubError(
      'VALIDATION_ERROR',
      'daily_load has a day that is negative or missing; a rest day is 0.',
    )
  return {
    session_loads: sessions.map((session, index) =>
      sessionLoad(
        numberOf(session['rpe'], `sessions[${index}].rpe`),
        numberOf(session['min'], `sessions[${index}].min`),
      ),
    ),
    days: loadDays(daily).map((day, index) => ({
      day: index + 1,
      acute_7: day.acute,
      acwr_coupled: day.ratioCoupled,
      acwr_uncoupled: day.ratioUncoupled,
      ewma_acute: day.ewmaAcute,
      ewma_chronic: day.ewmaChronic,
      acwr_ewma: day.ratioEwma,
      ...(day.weekLoad === null
        ? {}
        : { week_load: day.weekLoad, monotony: day.monotony, strain: day.strain }),
    })),
  }
}

/** `{cases:[{age,sessions}]}` → the week against the guidelines; `{ages:[…]}` → hours of sleep needed. */
export const youthRules: Computation = async (file) => {
  const input = recordOf(await file.json(), 'youth-rules')
  if (input['ages'] !== undefined) return sleepNeeds(numbersOf(input['ages'], 'ages'))
  return {
    cases: recordsOf(input['cases'], 'cases').map((one, index) => {
      const where = `cases[${index}]`
      const sessions = recordsOf(one['sessions'], `${where}.sessions`).map((session, at) =>
        youthSession(session, `${where}.sessions[${at}]`),
      )
      const week = youthWeek(numberOf(one['age'], `${where}.age`), sessions)
      return {
        hours: week.hours,
        organized_hours: week.organizedHours,
        sport_days: week.sportDays,
        rest_days: week.restDays,
        violations: week.violations,
      }
    }),
  }
}

function youthSession(session: Record<string, unknown>, where: string): YouthSession {
  return {
    day: numberOf(session['day'], `${where}.day`),
    startHour: session['hour'] === undefined ? 0 : numberOf(session['hour'], `${where}.hour`),
    minutes: numberOf(session['min'], `${where}.min`),
    organized: session['organized'] === true,
    intensity: session['intensity'] === 'high' ? 'high' : session['intensity'] === 'low' ? 'low' : null,
  }
}

function sleepNeeds(ages: readonly number[]) {
  const hours: Record<string, [number, number | null] | null> = {}
  for (const age of ages) {
    const need = sleepNeed(age)
    hours[String(age)] = need && [need.fromHours, need.toHours]
  }
  return { hours, note: 'AASM 2016 children; AASM/SRS 2015 adults >= 7 h; 18 counts as teen' }
}

/** `{hz,speed_mps,zones_mps,hsr,sprint,…}` → distances, efforts and accelerations. */
export const gpsKpisOfFile: Computation = async (file) => {
  const input = recordOf(await file.json(), 'gps-kpis')
  const kpis = gpsKpis(numbersOf(input['speed_mps'], 'speed_mps'), gpsSettings(input))
  const some = kpis.samples > 0
  return {
    total_distance_m: some ? kpis.distanceM : null,
    zone_distance_m: kpis.zoneDistanceM.map((metres) => (some ? metres : null)),
    hsr_distance_m: some ? kpis.highSpeedDistanceM : null,
    sprint_distance_m: some ? kpis.sprintDistanceM : null,
    hsr_efforts: some ? kpis.highSpeedEfforts : null,
    sprints: some ? kpis.sprints : null,
    max_speed: kpis.maxSpeedMps,
    accelerations: some ? kpis.accelerations : null,
    decelerations: some ? kpis.decelerations : null,
    ...(some ? {} : { reason: 'no_samples' }),
  }
}

function gpsSettings(input: Record<string, unknown>): GpsSettings {
  const given = (name: string, fallback: number) =>
    input[name] === undefined ? fallback : numberOf(input[name], name)
  const halfWindow = /([\d.]+)\s*s/.exec(String(input['accel_window'] ?? ''))?.[1]
  const settings = {
    hz: given('hz', ADULT_GPS.hz),
    zonesMps:
      input['zones_mps'] === undefined ? ADULT_GPS.zonesMps : numbersOf(input['zones_mps'], 'zones_mps'),
    highSpeedMps: given('hsr', ADULT_GPS.highSpeedMps),
    sprintMps: given('sprint', ADULT_GPS.sprintMps),
    minEffortS: given('min_effort_s', ADULT_GPS.minEffortS),
    accelerationMps2: given('accel_threshold', ADULT_GPS.accelerationMps2),
    minAccelerationS: given('accel_min_s', ADULT_GPS.minAccelerationS),
    accelerationHalfWindowS:
      halfWindow === undefined ? ADULT_GPS.accelerationHalfWindowS : Number(halfWindow),
  }
  if (!(settings.hz > 0 && settings.hz <= 1000))
    throw new HubError('VALIDATION_ERROR', 'hz must be more than 0 and at most 1000.')
  return settings
}
