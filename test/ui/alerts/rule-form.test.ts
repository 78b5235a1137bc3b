/** What a filled-in form means as a rule. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftOf as draftIn, type Filled } from '../../../daemon/ui/areas/alerts/rule-form.ts'

const draftOf = (filled: Filled) => draftIn(filled, 'mg/dL')
const FILLED: Filled = {
  ...{ name: ' Fast ', type: 'above', metric: 'heart_rate', limit: '150', minutes: '15', severity: 'urgent' },
}

test('a whole form is a rule, with minutes as seconds and a comma as a point', () => {
  assert.deepEqual(draftOf(FILLED), {
    ...{ name: 'Fast', severity: 'urgent', enabled: true },
    condition: { type: 'above', metric: 'heart_rate', threshold: 150, for_seconds: 900 },
  })
  assert.deepEqual(draftOf({ ...FILLED, metric: 'body_temp', limit: '38,5', minutes: '0' })?.condition, {
    ...{ type: 'above', metric: 'body_temp', threshold: 38.5, for_seconds: 0 },
  })
  assert.deepEqual(draftOf({ ...FILLED, type: 'no_data', limit: '' })?.condition, {
    ...{ type: 'no_data', metric: 'heart_rate', after_seconds: 900 },
  })
  assert.deepEqual(draftOf({ ...FILLED, type: 'battery', limit: '20', minutes: '' })?.condition, {
    ...{ type: 'battery', below_percent: 20 },
  })
})

test('a change within a time, and values that come late, are rules too', () => {
  assert.deepEqual(draftOf({ ...FILLED, type: 'falls', limit: '30', minutes: '20' })?.condition, {
    ...{ type: 'falls', metric: 'heart_rate', change: 30, within_seconds: 1200 },
  })
  assert.deepEqual(draftOf({ ...FILLED, type: 'stale', limit: '' })?.condition, {
    ...{ type: 'stale', metric: 'heart_rate', after_seconds: 900 },
  })
  for (const type of ['rises', 'falls'] as const) {
    assert.equal(draftOf({ ...FILLED, type, limit: '0' }), null)
    assert.equal(draftOf({ ...FILLED, type, minutes: '1441' }), null)
  }
  assert.equal(draftOf({ ...FILLED, type: 'stale', minutes: '0' }), null)
})

test('what lacks its limit, its time or its name is no rule yet', () => {
  for (const lack of [{ limit: '' }, { limit: 'high' }, { minutes: '' }, { minutes: '-1' }, { name: ' ' }])
    assert.equal(draftOf({ ...FILLED, ...lack }), null, JSON.stringify(lack))
})

test('a limit of glucose is typed in the unit that is read, and kept in mg/dL', () => {
  const low: Filled = { ...FILLED, type: 'below', metric: 'glucose', limit: '3,9', minutes: '0' }
  const condition = { type: 'below', metric: 'glucose', for_seconds: 0 }
  assert.deepEqual(draftIn(low, 'mmol/L')?.condition, { ...condition, threshold: 70.3 })
  assert.deepEqual(draftIn({ ...low, limit: '70' }, 'mg/dL')?.condition, { ...condition, threshold: 70 })
  assert.deepEqual(draftIn({ ...low, metric: 'heart_rate', limit: '50' }, 'mmol/L')?.condition, {
    ...{ type: 'below', metric: 'heart_rate', threshold: 50, for_seconds: 0 },
  })
})
