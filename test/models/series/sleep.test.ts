import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ASLEEP,
  AWAKE,
  coveredMinutes,
  restingHeartRate,
  sleepDebt,
  sleepEfficiency,
  sleepNeed,
  sleepRegularity,
  UNKNOWN,
} from '../../../models/series/sleep.ts'

const HOUR_MS = 3_600_000

test('sleep need follows age, and nothing is recommended under one year', () => {
  assert.deepEqual(sleepNeed(5), { fromHours: 10, toHours: 13 })
  assert.deepEqual(sleepNeed(18), { fromHours: 8, toHours: 10 })
  assert.deepEqual(sleepNeed(40), { fromHours: 7, toHours: null })
  assert.equal(sleepNeed(0.5), null)
  assert.equal(sleepNeed(Number.NaN), null)
})

test('efficiency is what was slept of the time in bed, and unknown when that cannot be', () => {
  assert.equal(sleepEfficiency(420, 480), 87.5)
  assert.equal(sleepEfficiency(0, 0), null)
  assert.equal(sleepEfficiency(500, 480), null)
})

test('debt forgets half of a night in a week, and sleeping in pays nothing back', () => {
  const week = Array.from({ length: 7 }, () => 8)
  assert.deepEqual(sleepDebt([...week, 6], 8), { hours: 2, nights: 8 })
  assert.deepEqual(sleepDebt([6, ...week], 8), { hours: 1, nights: 8 })
  assert.deepEqual(sleepDebt([...week, 12], 8), { hours: 0, nights: 8 })
  assert.equal(sleepDebt([6, 6, Number.NaN, 6], 8), null)
})

test('regularity is 100 for the same night every night, −100 for the opposite, and ignores what is unknown', () => {
  const night = (days: number, asleep: (day: number, minute: number) => boolean) =>
    Uint8Array.from({ length: days * 1440 }, (_, at) =>
      asleep(Math.floor(at / 1440), at % 1440) ? ASLEEP : AWAKE,
    )
  const same = night(6, (_, minute) => minute < 480)
  assert.equal(sleepRegularity(same), 100)
  assert.equal(sleepRegularity(night(6, (day) => day % 2 === 0)), -100)
  assert.equal(sleepRegularity(same.fill(UNKNOWN, 2000, 2100)), 100)
  assert.equal(sleepRegularity(night(4, (_, minute) => minute < 480)), null)
})

test('stretches of a night that overlap count once', () => {
  const at = (fromH: number, toH: number) => ({ fromMs: fromH * HOUR_MS, toMs: toH * HOUR_MS })
  assert.equal(coveredMinutes([at(2, 5), at(0, 3), at(4, 4.5), at(6, 7)]), 360)
  assert.equal(coveredMinutes([]), 0)
})

test('resting heart rate is the calmest known half hour, not a single low reading', () => {
  const night = Float64Array.from({ length: 480 }, (_, minute) => (minute >= 200 && minute < 240 ? 52 : 60))
  night[100] = 30
  assert.equal(restingHeartRate(night), 52)
  assert.equal(restingHeartRate(new Float64Array(480).fill(Number.NaN)), null)
  assert.equal(restingHeartRate(new Float64Array(20).fill(55)), null)
})
