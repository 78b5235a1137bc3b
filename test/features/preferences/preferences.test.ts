import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { glucoseText } from '../../../daemon/domain/glucose-unit.ts'
import { metricNamed } from '../../../daemon/domain/metric.ts'
import { inWords } from '../../../daemon/domain/rule.ts'
import { toldIn } from '../../../daemon/domain/unit.ts'
import { createPreferences, type Preferences } from '../../../daemon/features/preferences/preferences.ts'
import { household, MIA, OWNER } from '../glucose/setup.ts'

const URL = '/household/preferences'

async function setup(t: TestContext) {
  const own = new Map<string, unknown>()
  const made: Preferences[] = []
  const home = await household(t, ({ store, now }) => {
    const build = () =>
      createPreferences({ store, now, ownOf: (userId) => ({ glucose_unit: own.get(userId) }) })
    const preferences = build()
    made.push(preferences, build())
    return [preferences.feature]
  })
  const [preferences] = made
  if (!preferences) throw new Error('nothing was made')
  return { ...home, own, preferences }
}

test('glucose is read in mg/dL until the owner says otherwise, and everybody may differ', async (t) => {
  const { call, own, preferences } = await setup(t)
  const told = async (headers = MIA) =>
    (await call<Record<string, string | null>>('GET', URL, headers)).body.data
  assert.deepEqual(await told(), { glucose_unit: 'mg/dL', own_glucose_unit: null })
  assert.equal((await call('PATCH', URL, MIA, { glucose_unit: 'mmol/L' })).status, 403)
  assert.equal((await call('PATCH', URL, OWNER, { glucose_unit: 'g/L' })).status, 400)
  assert.equal((await call('PATCH', URL, OWNER, { glucose_unit: 'mmol/L' })).status, 200)
  assert.deepEqual(await told(), { glucose_unit: 'mmol/L', own_glucose_unit: null })
  own.set('mia', 'mg/dL')
  assert.deepEqual(
    [preferences.glucoseUnitOf('mia'), preferences.glucoseUnitOf('leo'), preferences.glucoseUnitOf(null)],
    ['mg/dL', 'mmol/L', 'mmol/L'],
  )
})

test('what an owner chose is forgotten with the owner', async (t) => {
  const { call, preferences, store } = await setup(t)
  await call('PATCH', URL, OWNER, { glucose_unit: 'mmol/L' })
  const plan = preferences.planNone()
  await store.write(plan.writes)
  plan.committed()
  assert.equal(preferences.glucoseUnit(), 'mg/dL')
})

test('words of a rule say limits in the unit of the household', () => {
  const glucose = metricNamed('glucose')
  if (!glucose) throw new Error('no glucose')
  const low = { type: 'below', metric: 'glucose', threshold: 70, for_seconds: 900 } as const
  assert.equal(inWords(low, toldIn(glucose, 'mg/dL')), 'below 70 mg/dL for 15 min')
  assert.equal(inWords(low, toldIn(glucose, 'mmol/L')), 'below 3.9 mmol/L for 15 min')
  const falls = { type: 'falls', metric: 'glucose', change: 36, within_seconds: 900 } as const
  assert.equal(inWords(falls, toldIn(glucose, 'mmol/L')), 'falls by 2.0 mmol/L within 15 min')
  assert.deepEqual(
    [54, 70, 180, 250].map((value) => glucoseText(value, 'mmol/L')),
    ['3.0', '3.9', '10.0', '13.9'],
  )
})
