import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daysOf } from '../../daemon/cli/sample/days.ts'
import { profileOf } from '../../daemon/cli/sample/profile.ts'
import { createRandom } from '../../daemon/cli/sample/random.ts'
import { glucoseOf, minutesOf, pulseOf, stagesOf, stepsOf } from '../../daemon/cli/sample/series.ts'
import { truthOf } from '../../daemon/cli/sample/truth.ts'
import { refuseUntil } from '../../daemon/cli/sample.ts'

const ZONE = 'Europe/Berlin'

function setup(seed = 1, index = 0, days = 60) {
  const profile = profileOf(seed, index)
  const made = daysOf(profile, { seed, lastDate: '2026-04-20', days, zone: ZONE })
  return { profile, days: made, series: { profile, days: made, seed, zone: ZONE } }
}

const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length

test('the same seed makes the same household, another seed another', () => {
  const [one, same, other] = [setup(1), setup(1), setup(2)]
  assert.deepEqual(glucoseOf(one.series), glucoseOf(same.series))
  assert.deepEqual(one.days, same.days)
  assert.notDeepEqual(one.days, other.days)
})

test('a day stays the same however many days are asked for', () => {
  assert.deepEqual(setup(1, 1, 60).days.slice(-10), setup(1, 1, 10).days)
})

test('values are those of a living body, and no day has a hole, not even where clocks change', () => {
  for (let index = 0; index < 3; index += 1) {
    const { days, series } = setup(1, index)
    const glucose = glucoseOf(series)
    // 29 March has 23 hours.
    assert.equal(glucose.length, 60 * 288 - 12)
    assert.ok(glucose.every(({ value }) => value >= 45 && value <= 330))
    const average = mean(glucose.map(({ value }) => value))
    assert.ok(average > 85 && average < 170, `glucose ${average}`)
    const pulse = pulseOf(series).map(({ value }) => Number(value))
    assert.ok(pulse.every((value) => value >= 38 && value <= 210))
    assert.ok(mean(pulse) > 55 && mean(pulse) < 115, `pulse ${mean(pulse)}`)
    const steps = stepsOf(series).reduce((sum, { value }) => sum + Number(value), 0) / days.length
    assert.ok(steps > 4000 && steps < 25_000, `${steps} steps`)
    for (const { sleep, mood } of days) {
      assert.ok(sleep.endMs > sleep.startMs && sleep.endMs - sleep.startMs < 15 * 3_600_000)
      assert.ok(mood.rating >= 1 && mood.rating <= 10)
    }
  }
})

test('the last day has to be a day that has passed', () => {
  const now = Date.UTC(2026, 2, 14, 12)
  refuseUntil(undefined, now)
  refuseUntil('2026-03-13', now)
  for (const until of ['2026-03-14', '2030-01-01']) assert.throws(() => refuseUntil(until, now), /has passed/)
  assert.throws(() => refuseUntil('2026-13-45', now), /a day like/)
})

test('the stages of a night fill it without a hole', () => {
  for (const day of setup().days) {
    const stages = stagesOf(day, createRandom(1, day.date))
    assert.equal(stages[0]?.startMs, day.sleep.startMs)
    assert.equal(stages.at(-1)?.endMs, day.sleep.endMs)
    stages.forEach(({ startMs }, at) => {
      if (at > 0) assert.equal(startMs, stages[at - 1]?.endMs)
    })
    const light = minutesOf(stages, 'light')
    assert.ok(light > minutesOf(stages, 'deep') && light > minutesOf(stages, 'rem'))
  }
})

test('what is said to be true can be found in the days', () => {
  for (let index = 0; index < 3; index += 1) {
    const { profile, days, series } = setup(3, index, 90)
    const { links } = truthOf(profile, days, glucoseOf(series), ZONE)
    const signs = links.map(({ cause, effect, size, correlation }) => {
      assert.equal(Math.sign(size), Math.sign(correlation), `${cause} on ${effect}`)
      return Math.abs(correlation)
    })
    assert.ok(
      signs.every((strength) => strength > 0.4),
      String(signs),
    )
  }
})
