import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { assign } from '../../../models/vision/numeric/assignment.ts'
import { type Candidate, matchBelow } from '../../../models/vision/track/matching.ts'

const smallMatrix = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), cols: fc.integer({ min: 1, max: 6 }) })
  .chain(({ rows, cols }) =>
    fc.record({
      rows: fc.constant(rows),
      cols: fc.constant(cols),
      cost: fc.array(fc.integer({ min: -50, max: 50 }), { minLength: rows * cols, maxLength: rows * cols }),
    }),
  )

/** Least total over every way to give rows distinct columns; with `maySkip` a row may go without. */
function bruteForce(cost: number[], rows: number, cols: number, maySkip: boolean): number {
  const free = new Set(Array.from({ length: cols }, (_, col) => col))
  const from = (row: number, skips: number): number => {
    if (row === rows) return 0
    const skipped = maySkip || skips > 0 ? from(row + 1, skips - 1) : Number.POSITIVE_INFINITY
    let best = skipped
    for (const col of [...free]) {
      free.delete(col)
      best = Math.min(best, cost[row * cols + col]! + from(row + 1, skips))
      free.add(col)
    }
    return best
  }
  return from(0, Math.max(0, rows - cols))
}

test('an assignment is as cheap as the best of all assignments and uses no column twice', () => {
  fc.assert(
    fc.property(smallMatrix, ({ rows, cols, cost }) => {
      const pairs = [...assign(Float64Array.from(cost), rows, cols)]
      const used = pairs.filter((col) => col >= 0)
      assert.equal(used.length, Math.min(rows, cols))
      assert.equal(new Set(used).size, used.length)
      const total = pairs.reduce((sum, col, row) => (col < 0 ? sum : sum + cost[row * cols + col]!), 0)
      assert.equal(total, bruteForce(cost, rows, cols, false))
    }),
    { numRuns: 300 },
  )
})

test('matching below a limit is as good as the best of all partial pairings', () => {
  fc.assert(
    fc.property(smallMatrix, fc.integer({ min: -30, max: 30 }), ({ rows, cols, cost }, limit) => {
      const candidates: Candidate[] = cost.map((value, index) => ({
        row: Math.floor(index / cols),
        col: index % cols,
        cost: value,
      }))
      const pairs = [...matchBelow(rows, cols, candidates, limit)]
      const used = pairs.filter((col) => col >= 0)
      assert.equal(new Set(used).size, used.length)
      const gains = cost.map((value) => Math.min(0, value - limit))
      const total = pairs.reduce((sum, col, row) => (col < 0 ? sum : sum + gains[row * cols + col]!), 0)
      assert.equal(total, bruteForce(gains, rows, cols, true))
    }),
    { numRuns: 300 },
  )
})

test('no rows or no columns assign nothing', () => {
  assert.deepEqual([...assign(new Float64Array(0), 0, 3)], [])
  assert.deepEqual([...assign(new Float64Array(0), 2, 0)], [-1, -1])
})
