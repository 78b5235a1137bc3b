/** `compute anomaly`: minutes in which a person's vitals leave their own pattern. */
import { loadPulseNet } from '../../../models/pulsenet.ts'
import { ALARM_P, calibrateAnomaly, createAnomaly, isAlarming } from '../../../models/series/anomaly.ts'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation } from './computation.ts'
import { wholeNumber } from './patterns-input.ts'
import { readNumber } from './reading.ts'

const DAY_MINUTES = 1440
const THREE_DAYS = 4320
/** Alarms that are nearer to each other are one. */
const MERGE_MINUTES = 15
/** More minutes than three years of them. */
const MOST_MINUTES = 1_600_000

/**
 * Rows `minute,hr,hrv,steps` (and `spo2`, `temp` where there are), minutes counted from a local midnight, missing ones left out or
 * empty: `{alerts:[[start,end]],score:[…]}`, ends included, a score for every minute from the first (null where there is nothing to
 * judge). The first `calibrate=4320` minutes teach what is ordinary and raise no alert; `p=0.0041667` is how many ordinary hours of 1
 * may hold an alert. A watch that repeats itself and oxygen below the person's own range are checked beside the model, at a sixth of `p`.
 */
export const anomaly: Computation = async (file, set) => {
  const calibrate = wholeNumber(set, 'calibrate', DAY_MINUTES, THREE_DAYS)
  const alarmP = set.number('p', ALARM_P)
  if (!(alarmP > 0 && alarmP < 1)) throw new HubError('VALIDATION_ERROR', 'p must be between 0 and 1.')
  const { first, minutes } = minutesOf(await file.csv(), file.path)
  if (minutes.length < calibrate)
    throw new HubError(
      'VALIDATION_ERROR',
      `${file.path} holds ${minutes.length} minutes; the first ${calibrate} are needed to learn what is ordinary.`,
    )
  const { net, population, checks, name, version } = loadPulseNet()
  const profile = calibrateAnomaly(net, minutes.slice(0, calibrate))
  const judge = createAnomaly({ net, population, checks, profile })
  const alerts: [number, number][] = []
  const score = minutes.map((minute, at) => {
    const step = judge.step(minute)
    if (at >= calibrate && isAlarming(step, alarmP)) extend(alerts, first + at)
    return step.score === null ? null : Math.round(step.score * 1e4) / 1e4
  })
  return { model: name, version, first_minute: first, alarm_p: alarmP, alerts, score }
}

function extend(alerts: [number, number][], at: number): void {
  const last = alerts.at(-1)
  if (last && at - last[1] <= MERGE_MINUTES) last[1] = at
  else alerts.push([at, at])
}

function minutesOf(
  rows: readonly Record<string, string>[],
  path: string,
): { first: number; minutes: VitalMinute[] } {
  const read = rows.map((row, index) => {
    const cell = (name: string) => readNumber(row[name] ?? '', `row ${index + 1}, ${name}`)
    const minute = cell('minute')
    if (minute === null || !Number.isInteger(minute) || minute < 0 || minute > MOST_MINUTES)
      throw new HubError(
        'VALIDATION_ERROR',
        `${path} needs a column minute of whole numbers (row ${index + 1}).`,
      )
    return {
      minute,
      hr: cell('hr'),
      hrv: cell('hrv'),
      steps: cell('steps'),
      spo2: cell('spo2'),
      temp: cell('temp'),
    }
  })
  const first = read[0]?.minute ?? 0
  const minutes: VitalMinute[] = []
  for (const { minute, ...vitals } of read) {
    if (minute < first + minutes.length)
      throw new HubError('VALIDATION_ERROR', `${path}: minute ${minute} comes after a later one.`)
    while (first + minutes.length < minute) minutes.push(nothingAt(first + minutes.length))
    minutes.push({ minuteOfDay: minute % DAY_MINUTES, ...vitals })
  }
  return { first, minutes }
}

function nothingAt(minute: number): VitalMinute {
  return { minuteOfDay: minute % DAY_MINUTES, hr: null, hrv: null, steps: null, spo2: null, temp: null }
}
