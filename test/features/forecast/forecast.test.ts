import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createForecasts, type Forecasts } from '../../../daemon/features/forecast/forecast.ts'
import type { ForecastPerson, Night } from '../../../daemon/features/forecast/series.ts'
import { loadForecaster } from '../../../models/forecaster.ts'
import { type Failure, household, MIA, NURSE } from '../glucose/setup.ts'

const HOUR = 3_600_000

interface Shown {
  forecast: { time: string[]; stress?: number[]; sleep_duration?: number[] }
  quantiles: Record<string, Record<string, number[]>>
  model: { name: string; version: string }
  targets: { target: string; method: string; basis: string; points: number }[]
  missing: { target: string; points: number }[]
}

/** Mia's last days, an hour each; school from Monday to Friday makes them tense. */
async function setup(
  t: TestContext,
  {
    hours = 24 * 28,
    events = [],
    nights = [],
  }: { hours?: number; events?: unknown[]; nights?: Night[] } = {},
) {
  const person: ForecastPerson = { timezone: 'UTC', ageYears: 11, schoolEvents: events }
  const made: Forecasts[] = []
  const home = await household(t, ({ store, now }) => {
    const forecasts = createForecasts({
      ...{ observations: store.observations, now, model: loadForecaster() },
      person: (personId) => (personId === 'mia' ? person : null),
      nights: () => nights,
    })
    made.push(forecasts)
    return [forecasts.feature]
  })
  const nowMs = home.clock.now()
  const values = Array.from({ length: hours }, (_, at) => {
    const atMs = Math.floor(nowMs / HOUR) * HOUR - (hours - at) * HOUR
    const hour = new Date(atMs).getUTCHours()
    const isSchool = hour >= 8 && hour < 15 && ![0, 6].includes(new Date(atMs).getUTCDay())
    const value = 0.1 + (hour >= 7 && hour < 22 ? 0.2 : 0) + (isSchool ? 0.15 : 0) + 0.02 * Math.sin(at * 1.7)
    return {
      ...{
        personId: 'mia',
        deviceId: 'watch-1',
        metric: 'stress',
        atMs: atMs + 60_000,
        value,
        source: 'obs',
      },
      ...{ quality: null, extra: null },
    }
  })
  await home.store.observations.append(values)
  const ask = async (query = '', headers = MIA) => {
    const answer = await home.call<Shown>('GET', `/forecast/mia${query}`, headers)
    return {
      status: answer.status,
      shown: answer.body.data,
      error: (answer.body as unknown as Failure).error,
    }
  }
  return { ...home, ask, forecasts: made[0]! }
}

test('a forecast is the median of each hour to come with bands beside, and says which model answered', async (t) => {
  const { ask, clock } = await setup(t)
  const { status, shown } = await ask('?hours=24&targets=stress,sleep_duration')
  assert.equal(status, 200)
  const { time, stress = [] } = shown.forecast
  assert.deepEqual([time.length, stress.length], [24, 24])
  assert.ok(Date.parse(time[0]!) > clock.now() && Date.parse(time[0]!) <= clock.now() + HOUR)
  assert.equal(Date.parse(time[23]!) - Date.parse(time[0]!), 23 * HOUR)
  const { p10 = [], p50, p90 = [] } = shown.quantiles['stress']!
  assert.deepEqual(p50, stress)
  for (const [at, value] of stress.entries()) assert.ok(p10[at]! <= value && value <= p90[at]!)
  assert.equal(shown.model.name, 'forecaster')
  assert.deepEqual(
    shown.missing.map(({ target }) => target),
    ['sleep_duration'],
  )
  const at = (hour: number) => stress[time.findIndex((one) => new Date(one).getUTCHours() === hour)]!
  assert.ok(at(3) < 0.2 && at(18) > 0.2, 'nights are calm, evenings less so')
})

test('an exam that is known of makes tomorrow morning tenser than the same morning without it', async (t) => {
  const plain = await setup(t)
  const sunday = Date.UTC(2026, 2, 15, 18)
  plain.clock.advance(sunday - plain.clock.now())
  const exam = await setup(t, { events: [{ title: 'Maths exam', date: '2026-03-16' }] })
  exam.clock.advance(sunday - exam.clock.now())
  const [without, with_] = [
    (await plain.ask('?targets=stress')).shown,
    (await exam.ask('?targets=stress')).shown,
  ]
  const morning = ({ forecast }: Shown) =>
    forecast.stress![forecast.time.findIndex((one) => new Date(one).getUTCHours() === 10)]!
  assert.equal(with_.targets[0]!.method, 'forecaster')
  assert.ok(morning(with_) > morning(without))
})

test('under 24 hours with a value there is no forecast, and nobody without a grant gets one', async (t) => {
  const { ask } = await setup(t, { hours: 23 })
  const { status, error } = await ask('?targets=stress')
  assert.deepEqual([status, error.code], [404, 'NOT_ENOUGH_DATA'])
  assert.match(error.message, /23/)
  assert.equal((await ask('', NURSE)).status, 403)
  assert.equal((await ask('?targets=happiness')).status, 400)
})

test('24 hours are enough, and then plain usual hours speak', async (t) => {
  const { ask } = await setup(t, { hours: 24 })
  const { status, shown } = await ask('?targets=stress&hours=6')
  assert.equal(status, 200)
  assert.equal(shown.forecast.stress!.length, 6)
  assert.deepEqual([shown.targets[0]!.method, shown.targets[0]!.points], ['usual-hours', 24])
})

test('of recorded nights the hours slept are forecast, in hours', async (t) => {
  const nowMs = Date.UTC(2026, 2, 14, 8)
  const nights = Array.from({ length: 20 }, (_, ago) => {
    const startMs = nowMs - (20 - ago) * 24 * HOUR + 13 * HOUR
    return { startMs, endMs: startMs + 9 * HOUR, sleptMinutes: 510 }
  })
  const { ask, forecasts } = await setup(t, { nights })
  assert.equal(await forecasts.calibrate(['mia', 'nobody']), 2)
  const { shown } = await ask('?targets=sleep_duration')
  const asleep = shown.forecast.sleep_duration!.reduce((sum, hours) => sum + hours, 0)
  assert.equal(shown.targets[0]!.basis, 'nights')
  assert.ok(asleep > 7.5 && asleep < 9.5, `${asleep} h`)
})
