import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { BurnoutDay, BurnoutPerson } from '../../../daemon/features/burnout/assess.ts'
import { createBurnout } from '../../../daemon/features/burnout/burnout.ts'
import { household, MIA, NURSE } from '../glucose/setup.ts'

const ADULT: BurnoutPerson = { kind: 'adult', age: 40, preferences: {} }
const EMPTY = {
  recovery: null,
  hrv_rmssd: null,
  total_sleep_minutes: null,
  total_exercise_minutes: null,
  mood: null,
}

interface Shown {
  status: string
  score: number | null
  baseline: number
  as_of: string
  factors: { factor: string; weight: number; contribution: number }[]
  missing: { factor: string; reason: string; message: string }[]
  trend: string | null
  history: { date: string; score: number | null }[]
  recommendations: { text: string }[]
  note: string
}

/** A steady life with small ups and downs; `last` says what the last day was like. */
async function setup(
  t: TestContext,
  options: { person?: BurnoutPerson; day?: (daysAgo: number) => object } = {},
) {
  const days = (_: string, dates: readonly string[]): Promise<BurnoutDay[]> =>
    Promise.resolve(
      dates.map((date, index) => ({ ...EMPTY, date, ...options.day?.(dates.length - 1 - index) })),
    )
  const { call } = await household(t, ({ now, zoneOf }) => [
    createBurnout({ now, zoneOf, person: () => options.person ?? ADULT, days }),
  ])
  return async (query = '', headers = MIA) => {
    const answer = await call<Shown>('GET', `/people/mia/burnout${query}`, headers)
    return { status: answer.status, shown: answer.body.data }
  }
}

const steady = (daysAgo: number) => ({
  recovery: 60 + (daysAgo % 5),
  hrv_rmssd: 50 + (daysAgo % 4),
  total_sleep_minutes: 400 + 10 * (daysAgo % 6),
  total_exercise_minutes: 40 + 10 * (daysAgo % 3),
  mood: 6 + (daysAgo % 3),
})

test('the contributions and the usual score add up to the score', async (t) => {
  const ask = await setup(t, {
    day: (ago) => (ago < 4 ? { ...steady(ago), recovery: 25, mood: 3 } : steady(ago)),
  })
  const { shown } = await ask()
  assert.equal(shown.status, 'ok')
  assert.equal(shown.factors.length, 5)
  const sum = shown.factors.reduce((total, { contribution }) => total + contribution, shown.baseline)
  assert.ok(Math.abs(sum - (shown.score ?? 0)) < 1e-9)
  assert.ok(Math.abs(shown.factors.reduce((total, { weight }) => total + weight, 0) - 1) < 1e-9)
  assert.ok((shown.score ?? 0) > 70)
  assert.equal(shown.history.length, 28)
  assert.equal(shown.history.at(-1)?.date, shown.as_of)
  assert.equal(shown.history.at(-1)?.score, shown.score)
  assert.match(shown.note, /no diagnosis/)
  assert.ok(shown.recommendations.some(({ text }) => /Recovery is below the usual/.test(text)))
})

test('too little is a state of its own that says what is missing', async (t) => {
  const ask = await setup(t, { day: (ago) => (ago < 10 ? steady(ago) : {}) })
  const { status, shown } = await ask()
  assert.deepEqual([status, shown.status, shown.score], [200, 'insufficient_data', null])
  const why = new Map(shown.missing.map(({ factor, reason }) => [factor, reason]))
  assert.equal(why.get('recovery'), 'under_14_days_of_baseline')
  assert.equal(why.get('load_ratio'), 'no_recent_value')
  assert.ok(shown.missing.every(({ message }) => message.length > 20))
  assert.deepEqual(shown.recommendations, [])
})

test('a day of which nothing has come yet does not hide the day before', async (t) => {
  const ask = await setup(t, { day: (ago) => (ago === 0 ? {} : steady(ago)) })
  const { shown } = await ask()
  assert.deepEqual([shown.status, shown.as_of], ['ok', '2026-03-13'])
})

test('a person without a device has nothing, and hears what would help', async (t) => {
  const { shown } = await (await setup(t))()
  assert.equal(shown.status, 'insufficient_data')
  assert.deepEqual(
    shown.missing.map(({ reason }) => reason),
    Array(5).fill('no_recent_value'),
  )
})

test('for somebody under 16 there is a score only when a caregiver asked for it', async (t) => {
  const young: BurnoutPerson = { kind: 'teen', age: 14, preferences: {} }
  const { shown } = await (await setup(t, { person: young, day: steady }))()
  assert.deepEqual([shown.status, shown.score, shown.history], ['needs_opt_in', null, []])
  const asked = { ...young, preferences: { burnout_opt_in: true } }
  assert.equal((await (await setup(t, { person: asked, day: steady }))()).shown.status, 'ok')
})

test('who reads glucose only does not read this', async (t) => {
  const ask = await setup(t, { day: steady })
  assert.equal((await ask('', NURSE)).status, 403)
  assert.equal((await ask('?days=5')).status, 400)
})
