import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadDays, risingFast, sessionLoad } from '../../../models/series/load.ts'
import { type OverloadInputs, overload, overloadCourse } from '../../../models/series/load-overload.ts'

const steady = (days: number, value: number) => Array.from({ length: days }, () => value)

test('a session of RPE 5 for an hour loads 300, and an RPE of 11 loads nothing we know', () => {
  assert.equal(sessionLoad(5, 60), 300)
  assert.equal(sessionLoad(0, 60), 0)
  assert.equal(sessionLoad(11, 60), null)
  assert.equal(sessionLoad(5, Number.NaN), null)
})

test('the same load every day has ratios of one and no monotony', () => {
  const last = loadDays(steady(40, 300)).at(-1)
  assert.equal(last?.ratioCoupled, 1)
  assert.equal(last?.ratioUncoupled, 1)
  assert.ok(Math.abs((last?.ratioEwma ?? 0) - 1) < 1e-12)
  assert.equal(last?.monotony, null)
  assert.equal(last?.strain, null)
})

test('ratios wait for 28 days, and a month of rest has none at all', () => {
  const days = loadDays(steady(28, 0))
  assert.equal(days[26]?.acute, 0)
  assert.equal(days[26]?.ratioCoupled, null)
  assert.equal(days[27]?.ratioCoupled, null, 'nothing over nothing')
  assert.deepEqual(loadDays([]), [])
})

test('ratios do not depend on the unit of load', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 28, maxLength: 60 }), (loads) => {
      const [one, tenfold] = [loadDays(loads).at(-1), loadDays(loads.map((load) => load * 10)).at(-1)]
      for (const key of ['ratioCoupled', 'ratioUncoupled', 'ratioEwma', 'monotony'] as const) {
        const [a, b] = [one?.[key] ?? null, tenfold?.[key] ?? null]
        assert.ok(a === b || Math.abs((a ?? 0) - (b ?? 0)) < 1e-9, key)
      }
    }),
    { numRuns: 100 },
  )
})

test('load is rising fast only with a high ratio in the heaviest week of four', () => {
  assert.equal(risingFast(loadDays(steady(20, 300))), null)
  assert.equal(risingFast(loadDays(steady(40, 300))), false)
  assert.equal(risingFast(loadDays([...steady(35, 200), ...steady(7, 600)])), true)
  assert.equal(risingFast(loadDays([...steady(14, 900), ...steady(21, 100), ...steady(5, 300)])), false)
})

/** A month and more of a person whose days waver around their usual. */
function usual(days = 50): OverloadInputs {
  const waver = (centre: number, by: number) =>
    Array.from({ length: days }, (_, k) => centre + by * Math.sin(1.7 * k))
  return {
    recovery: waver(60, 10),
    hrv: waver(3.9, 0.2),
    sleep_debt: waver(3, 1),
    load_ratio: waver(1, 0.2),
    mood: waver(7, 1),
  }
}

test('the parts of the overload indicator add up to the score', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 }),
      (shifts) => {
        const inputs = usual()
        const [recovery = 0, debt = 0, ratio = 0] = shifts
        const shifted = (days: readonly number[], by: number) => [
          ...days.slice(0, -1),
          (days.at(-1) ?? 0) + by,
        ]
        const { score, parts } = overload({
          ...inputs,
          recovery: shifted(inputs.recovery, 10 * recovery),
          sleep_debt: shifted(inputs.sleep_debt, debt),
          load_ratio: shifted(inputs.load_ratio, ratio),
        })
        assert.ok(score !== null && score >= 0 && score <= 100)
        assert.ok(Math.abs(parts.reduce((sum, { points }) => sum + points, 50) - score) < 1e-6)
        assert.ok(Math.abs(parts.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-12)
      },
    ),
    { numRuns: 100 },
  )
})

test('a bad night, a heavy week and a low mood raise the score above the usual', () => {
  const inputs = usual()
  const worse: OverloadInputs = {
    recovery: [...inputs.recovery.slice(0, -1), 35],
    hrv: [...inputs.hrv.slice(0, -7), ...steady(7, 3.5)],
    sleep_debt: [...inputs.sleep_debt.slice(0, -1), 6],
    load_ratio: [...inputs.load_ratio.slice(0, -1), 1.6],
    mood: [...inputs.mood.slice(0, -7), ...steady(7, 4)],
  }
  const { score, state } = overload(worse)
  assert.equal(state, 'known')
  assert.ok(score !== null && score > 85)
})

test('a rest from training does not count as ease', () => {
  const inputs = usual()
  const rested = { ...inputs, load_ratio: [...inputs.load_ratio.slice(0, -1), 0] }
  assert.equal(overload(rested).parts.find(({ part }) => part === 'load_ratio')?.points, 0)
})

test('with fewer than three parts there is no score, and each missing part says why', () => {
  const nothing = steady(50, Number.NaN)
  const { score, state, missing } = overload({
    ...usual(),
    hrv: nothing,
    mood: steady(50, 7),
    load_ratio: usual(10).load_ratio,
  })
  assert.equal(score, null)
  assert.equal(state, 'insufficient_data')
  assert.deepEqual(Object.fromEntries(missing.map(({ part, reason }) => [part, reason])), {
    hrv: 'no_recent_value',
    mood: 'no_variation',
    load_ratio: 'under_14_days_of_baseline',
  })
})

test('the course shows insufficient days as null, a trend and what persists', () => {
  const inputs = usual(60)
  const strained = {
    ...inputs,
    recovery: [...inputs.recovery.slice(0, -12), ...steady(12, 0)],
    sleep_debt: [...inputs.sleep_debt.slice(0, -12), ...steady(12, 14)],
  }
  const course = overloadCourse(strained, 28)
  assert.equal(course.history.length, 28)
  assert.equal(course.persistentlyHigh, true)
  assert.equal(overloadCourse(inputs).persistentlyHigh, false)
  assert.equal(overloadCourse(usual(16)).history[0], null)
  assert.equal(overloadCourse(usual(16)).trend, null)
})
