/** Simple methods that PulseNet has to beat; each gives a score a minute, learnt from the first days of the same person. */
import { contextRows, learnExpectations, median, rowAt } from '../series/anomaly-expected.ts'
import { seenValue, type VitalMinute } from '../series/anomaly-minute.ts'
import { dot } from '../series/ridge.ts'
import { CALIBRATION_MINUTES } from './pulsenet-rows.ts'

export type Method = (minutes: readonly VitalMinute[]) => Float64Array

/** |heart rate − median| / (1.4826 MAD) over the last 24 hours. */
export const rollingZ: Method = (minutes) => {
  const score = new Float64Array(minutes.length)
  let centre = 0
  let spread = 1
  for (let t = 0; t < minutes.length; t += 1) {
    if (t % 10 === 0) {
      const past = minutes.slice(Math.max(0, t - 1440), t).flatMap(({ hr }) => (hr === null ? [] : [hr]))
      if (past.length >= 60) {
        centre = median(past)
        spread = Math.max(1, 1.4826 * median(past.map((value) => Math.abs(value - centre))))
      }
    }
    const hr = minutes[t]?.hr ?? null
    score[t] = hr === null ? 0 : Math.abs(hr - centre) / spread
  }
  return score
}

/** Control chart: fading means (λ = 0.2) of heart rate and ln HRV against the person's own mean and deviation (Roberts 1959). */
export const ewma: Method = (minutes) => {
  const charts = (['hr', 'hrv'] as const).map((channel) => {
    const early = minutes.slice(0, CALIBRATION_MINUTES).flatMap((one) => seenValue(one, channel) ?? [])
    const mean = early.reduce((sum, value) => sum + value, 0) / Math.max(1, early.length)
    const sd =
      Math.sqrt(early.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, early.length)) || 1
    return { channel, mean, sd, now: 0 }
  })
  const limit = Math.sqrt(0.2 / 1.8)
  return Float64Array.from(minutes, (minute) => {
    for (const chart of charts) {
      const value = seenValue(minute, chart.channel)
      if (value !== null) chart.now = 0.8 * chart.now + 0.2 * ((value - chart.mean) / chart.sd)
    }
    return Math.max(...charts.map(({ now }) => Math.abs(now) / limit))
  })
}

const WINDOW = 30

/**
 * Discord: distance of the last 30 minutes of heart rate, and of ln HRV, from the nearest 30 minutes of the calibration, by values
 * (not z-normalised, which would hide a level) in units of the channel's deviation; every fifth start of the calibration is compared.
 */
export const discord: Method = (minutes) => {
  const scores = (['hr', 'hrv'] as const).map((channel) => discordOf(filled(minutes, channel)))
  return Float64Array.from(minutes, (_, t) => Math.max(...scores.map((score) => score[t] ?? 0)))
}

function discordOf(values: Float64Array): Float64Array {
  const score = new Float64Array(values.length)
  for (let t = CALIBRATION_MINUTES; t < values.length; t += 1) {
    let nearest = Number.POSITIVE_INFINITY
    for (let from = 0; from + WINDOW <= CALIBRATION_MINUTES; from += 5) {
      let sum = 0
      for (let k = 0; k < WINDOW && sum < nearest; k += 1)
        sum += ((values[t - WINDOW + 1 + k] ?? 0) - (values[from + k] ?? 0)) ** 2
      if (sum < nearest) nearest = sum
    }
    score[t] = Math.sqrt(nearest)
  }
  return score
}

/** The last value stands for a missing one. */
function filled(minutes: readonly VitalMinute[], channel: 'hr' | 'hrv'): Float64Array {
  const early = minutes.slice(0, CALIBRATION_MINUTES).flatMap((one) => seenValue(one, channel) ?? [])
  const mean = early.reduce((sum, value) => sum + value, 0) / Math.max(1, early.length)
  const sd =
    Math.sqrt(early.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, early.length)) || 1
  let last = 0
  return Float64Array.from(minutes, (minute) => {
    const value = seenValue(minute, channel)
    if (value !== null) last = (value - mean) / sd
    return last
  })
}

/**
 * The one to beat: what heart rate and ln HRV leave when recent steps and the time of day are taken out (ridge, as PulseNet expects
 * them), smoothed over three minutes; joined by the unsteadiness of the remainder over ten minutes, and by a watch that repeats itself.
 */
export const residual: Method = (minutes) => {
  const rows = contextRows(minutes)
  const expectations = learnExpectations(minutes.slice(0, CALIBRATION_MINUTES), rows)
  const channels = (['hr', 'hrv'] as const).map((channel) => ({
    ...{ channel, level: 0, wild: 1, usual: 1, same: 0, last: Number.NaN },
    expectation: expectations[channel],
  }))
  const wildness: number[][] = channels.map(() => [])
  const raw = minutes.map((minute, t) => {
    for (const one of channels) {
      const value = seenValue(minute, one.channel)
      if (value === null || one.expectation === null) continue
      const distance = (value - dot(one.expectation.weights, rowAt(rows, t))) / one.expectation.spread
      one.wild += (Math.abs(distance - one.level) - one.wild) / 10
      one.level += (distance - one.level) / 3
      one.same = value === one.last ? one.same + 1 : 0
      one.last = value
    }
    channels.forEach(({ wild }, at) => {
      if (t < CALIBRATION_MINUTES) wildness[at]?.push(wild)
    })
    const same = Math.min(
      ...channels.filter(({ expectation }) => expectation !== null).map((one) => one.same),
    )
    return {
      levels: channels.map(({ level }) => Math.abs(level)),
      wilds: channels.map(({ wild }) => wild),
      same,
    }
  })
  const usual = wildness.map((values) => {
    const middle = median(values)
    return {
      middle,
      spread: Math.max(0.05, 1.4826 * median(values.map((value) => Math.abs(value - middle)))),
    }
  })
  return Float64Array.from(raw, ({ levels, wilds, same }) => {
    const wild = wilds.map((value, at) => (value - (usual[at]?.middle ?? 1)) / (2 * (usual[at]?.spread ?? 1)))
    return Math.max(...levels, ...wild, same >= 8 ? same : 0)
  })
}
