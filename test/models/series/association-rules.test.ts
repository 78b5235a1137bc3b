import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { frequentItemsets, type ItemTable } from '../../../models/series/association-rules.ts'
import { associationRules } from '../../../models/series/association-rules-measures.ts'

function days(rows: readonly (readonly string[])[], names: readonly string[]): ItemTable {
  return {
    names,
    rows: rows.length,
    columns: names.map((name) => Uint8Array.from(rows, (row) => (row.includes(name) ? 1 : 0))),
  }
}

const WEEK = days(
  [['late', 'tired'], ['late', 'tired'], ['late', 'tired', 'sport'], ['sport'], ['late'], ['sport'], []],
  ['tired', 'sport', 'late'],
)

test('a rule carries its support, confidence and lift', () => {
  const itemsets = frequentItemsets(WEEK, { minSupport: 3 / 7, maxLength: null })
  assert.deepEqual(
    itemsets.map(({ items }) => items),
    [['late'], ['sport'], ['tired'], ['late', 'tired']],
  )
  const [late, tired] = associationRules(itemsets, 0.7)
  assert.deepEqual([late?.antecedents, late?.consequents], [['late'], ['tired']])
  assert.ok(Math.abs(late!.confidence - 0.75) < 1e-12)
  assert.ok(Math.abs(late!.lift - 1.75) < 1e-12)
  assert.deepEqual([tired?.antecedents, tired?.conviction], [['tired'], Number.POSITIVE_INFINITY])
})

test('sets are no longer than asked for', () => {
  const pairs = frequentItemsets(WEEK, { minSupport: 0, maxLength: 2 })
  assert.equal(Math.max(...pairs.map(({ items }) => items.length)), 2)
})

test('the sets are exactly those that counting row by row finds', () => {
  const names = ['a', 'b', 'c', 'd']
  const rows = fc.array(fc.subarray(names), { minLength: 1, maxLength: 70 })
  fc.assert(
    fc.property(rows, fc.constantFrom(0.1, 0.3, 0.5), (given, minSupport) => {
      const found = frequentItemsets(days(given, names), { minSupport, maxLength: null })
      const expected = []
      for (let mask = 1; mask < 16; mask += 1) {
        const items = names.filter((_, index) => (mask & (1 << index)) !== 0)
        const support = given.filter((row) => items.every((item) => row.includes(item))).length / given.length
        if (support >= minSupport) expected.push(`${items} ${support}`)
      }
      assert.deepEqual(found.map(({ items, support }) => `${items} ${support}`).sort(), expected.sort())
    }),
    { numRuns: 200, seed: 5 },
  )
})

test('a support so low that sets explode is refused', () => {
  assert.throws(
    () => frequentItemsets(WEEK, { minSupport: 0, maxLength: null, maxItemsets: 5 }),
    /ask for a higher support/,
  )
})
