import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type YouthSession, youthWeek } from '../../../models/series/youth.ts'
import { headingLimit, pitchDay } from '../../../models/series/youth-limits.ts'

function session(day: number, minutes: number, more: Partial<YouthSession> = {}): YouthSession {
  return { day, startHour: 17, minutes, organized: true, intensity: 'low', ...more }
}

test('a week at the limits is inside them', () => {
  const week = youthWeek(10, [
    session(0, 100, { intensity: 'high' }),
    session(2, 100, { intensity: 'high' }),
    session(4, 200),
    session(5, 200, { organized: false }),
  ])
  assert.deepEqual(week.violations, [])
  assert.equal(week.hours, 10)
})

test('each guideline is broken on its own', () => {
  const free = (minutes: number) => session(6, minutes, { organized: false })
  const broken = (age: number, sessions: YouthSession[]) => youthWeek(age, sessions).violations
  assert.deepEqual(broken(8, [session(0, 245), free(240)]), ['hours_over_age'])
  assert.deepEqual(broken(17, [session(0, 490), free(480)]), ['over_16h'])
  assert.deepEqual(broken(17, [session(0, 130), free(60)]), ['organized_free_ratio'])
  assert.deepEqual(broken(17, [0, 1, 2, 3, 4, 5].map((day) => session(day, 10)).concat(free(60))), [
    'over_5_days',
  ])
  const hard = (day: number, startHour: number) => session(day, 30, { intensity: 'high', startHour })
  assert.deepEqual(broken(17, [hard(0, 17), hard(2, 16.5), free(60)]), ['under_48h_between_high'])
})

test('a week without sport is a week of rest', () => {
  assert.deepEqual(youthWeek(9, []), {
    hours: 0,
    organizedHours: 0,
    sportDays: 0,
    restDays: 7,
    violations: [],
  })
})

test('heading and pitching follow their tables by age', () => {
  assert.deepEqual(headingLimit(10), { weekMinutes: 0, weekHeaders: 0 })
  assert.deepEqual(headingLimit(12), { weekMinutes: 30, weekHeaders: 20 })
  assert.deepEqual(headingLimit(14), { weekMinutes: null, weekHeaders: null })
  assert.deepEqual(pitchDay(12, 86), { allowed: 85, over: true, restDays: 4 })
  assert.deepEqual(pitchDay(15, 30), { allowed: 95, over: false, restDays: 0 })
  assert.equal(pitchDay(5, 10), null)
})
