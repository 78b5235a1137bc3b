import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Known, narrate } from '../../../daemon/features/episodes/narrator.ts'

const AT = Date.UTC(2026, 2, 14, 2, 12)
const HOUR = 3_600_000
const KNOWN: Known = {
  ...{ name: 'Mia', zone: 'Europe/Berlin', glucoseUnit: 'mg/dL', origin: 'rule', kind: 'heart_rate_above' },
  ...{ message: '171 bpm', startedAtMs: AT, resolvedAtMs: null },
  seen: [{ metric: 'heart_rate', value: 171, expected: 150, atMs: AT }],
  before: { metric: 'heart_rate', low: 68, high: 92.26, fromMs: AT - 2 * HOUR, toMs: AT },
  steps: { count: 12, fromMs: AT - HOUR / 2, toMs: AT },
  ...{ earlier: null, oneInHours: null },
}

test('a rule’s episode is told by its value and limit, what was before, and whether it is the first', () => {
  const { text, recommendation } = narrate(KNOWN)
  assert.equal(
    text,
    'At 03:12 Mia’s heart rate was 171 bpm, above the limit of 150 bpm. In the two hours before it was between 68 and 92.3 bpm; ' +
      'with 12 steps in the half hour before, moving about does not explain it. ' +
      'Nothing of this kind was noticed in the 30 days before.',
  )
  assert.match(recommendation, /Look in on Mia/)
})

test('what the model saw is told by channel with what was expected, and how rare it is', () => {
  const { text } = narrate({
    ...{ ...KNOWN, origin: 'detector', kind: 'unusual_vitals', oneInHours: 480, before: null, steps: null },
    seen: [
      { metric: 'heart_rate', value: 118, expected: 74, atMs: AT },
      { metric: 'spo2', value: 91, expected: 97, atMs: AT },
    ],
    earlier: { count: 2, lastMs: AT - 50 * HOUR, lastedMinutes: 14 },
  })
  assert.equal(
    text,
    'At 03:12 Mia’s heart rate was 118 bpm where 74 bpm was expected; oxygen saturation was 91 % where 97 % was expected, ' +
      'as happens for about one minute in 480 ordinary hours. ' +
      'It was noticed 2 times in the 30 days before, last on 2026-03-12, and over after 14 min.',
  )
})

test('a call of somebody is quoted, and an end is said to be one', () => {
  const { text, recommendation } = narrate({
    ...{ ...KNOWN, origin: 'person', kind: 'fall', message: 'On the stairs', seen: [] },
    ...{ before: null, steps: null, resolvedAtMs: AT + HOUR },
  })
  assert.match(text, /^Somebody called for Mia at 03:12: On the stairs\. /)
  assert.match(recommendation, /^It was over at 04:12/)
})

test('an empty battery asks for the charger, not for a doctor', () => {
  const battery = { metric: 'battery', value: 9, expected: 15, atMs: AT }
  const { text, recommendation } = narrate({ ...KNOWN, kind: 'battery_low', seen: [battery], before: null })
  assert.match(text, /battery was 9 %, below the limit of 15 %/)
  assert.match(recommendation, /charged/)
})

test('glucose is told in the unit of the household', () => {
  const seen = [{ metric: 'glucose', value: 54, expected: 70, atMs: AT }]
  const { text, facts } = narrate({ ...KNOWN, glucoseUnit: 'mmol/L', seen, before: null, steps: null })
  assert.match(text, /glucose was 3\.0 mmol\/L, below the limit of 3\.9 mmol\/L/)
  assert.deepEqual(
    facts.map(({ value, unit }) => [value, unit]),
    [
      [3, 'mmol/L'],
      [3.9, 'mmol/L'],
    ],
  )
})

test('whatever is known, no number stands in the text that is not among the facts', () => {
  const value = fc.double({ min: 0, max: 400, noNaN: true })
  const seen = fc.record({
    metric: fc.constantFrom('heart_rate', 'spo2', 'glucose', 'skin_temp', 'hrv_rmssd', 'battery'),
    ...{ value, expected: fc.option(value), atMs: fc.constant(AT) },
  })
  const known = fc.record({
    glucoseUnit: fc.constantFrom('mg/dL' as const, 'mmol/L' as const),
    origin: fc.constantFrom('rule' as const, 'detector' as const),
    seen: fc.array(seen, { minLength: 1, maxLength: 3 }),
    lowHigh: fc.option(fc.tuple(value, value)),
    steps: fc.option(fc.nat(20_000)),
    earlier: fc.option(
      fc.record({ count: fc.integer({ min: 1, max: 500 }), minutes: fc.option(fc.nat(9999)) }),
    ),
    oneInHours: fc.option(fc.integer({ min: 1, max: 100_000 })),
  })
  fc.assert(
    fc.property(known, ({ lowHigh, steps, earlier, ...rest }) => {
      const [first] = rest.seen
      const { text, facts } = narrate({
        ...{ ...KNOWN, ...rest },
        before:
          lowHigh === null
            ? null
            : { metric: first!.metric, low: lowHigh[0], high: lowHigh[1], fromMs: AT - HOUR, toMs: AT },
        steps: steps === null ? null : { count: steps, fromMs: AT - HOUR, toMs: AT },
        earlier:
          earlier === null
            ? null
            : { count: earlier.count, lastMs: AT - HOUR, lastedMinutes: earlier.minutes },
      })
      const bare = text.replaceAll(/\d\d:\d\d|\d{4}-\d\d-\d\d|30 days/g, '')
      const named = new Set([1, ...facts.map(({ value: one }) => one)])
      for (const [number] of bare.matchAll(/\d+(\.\d+)?/g))
        assert.ok(named.has(Number(number)), `${number} in: ${text}`)
      assert.ok(facts.every(({ source }) => source !== undefined))
    }),
    { numRuns: 200 },
  )
})
