import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { climb, mayTellFromMs, retryAfterMs, WARNING_ENDS_MS } from '../../daemon/domain/alert.ts'

const MINUTE = 60_000

test('a warning climbs step by step and ends a day after nobody was left to ask', () => {
  assert.deepEqual(climb({ kind: 'warning', step: 0, round: 0 }, 2, 2 * MINUTE, 0), {
    ...{ tell: 'step', step: 1, round: 0, nextAtMs: 2 * MINUTE, ends: false },
  })
  assert.equal(climb({ kind: 'warning', step: 1, round: 0 }, 2, 2 * MINUTE, 0).nextAtMs, WARNING_ENDS_MS)
  assert.equal(climb({ kind: 'warning', step: 2, round: 0 }, 2, 2 * MINUTE, 0).ends, true)
})

test('an urgent alert always has a next time, whatever becomes of its ladder', () => {
  fc.assert(
    fc.property(
      fc.nat(9),
      fc.nat(99),
      fc.nat(9),
      fc.integer({ min: 1, max: 720 }),
      (step, round, steps, minutes) => {
        const move = climb({ kind: 'urgent', step, round }, steps, minutes * MINUTE, 1000)
        assert.ok(move.nextAtMs !== null && move.nextAtMs > 1000 && !move.ends)
        assert.ok(move.tell !== 'nobody')
        assert.ok(move.step + move.round > step + round)
      },
    ),
    { numRuns: 300 },
  )
})

test('a tip tells nobody and is never due again', () => {
  assert.deepEqual(climb({ kind: 'tip', step: 0, round: 0 }, 3, MINUTE, 0).nextAtMs, null)
})

test('quiet hours hold warnings and let urgent alerts through', () => {
  const nowMs = Date.parse('2026-03-14T23:00:00Z')
  const hearing = { quiet: { from: '22:00', to: '07:00' }, zone: 'Europe/Berlin', snooze: null }
  assert.equal(
    mayTellFromMs({ id: 'a', kind: 'warning' }, hearing, nowMs),
    Date.parse('2026-03-15T06:00:00Z'),
  )
  assert.equal(mayTellFromMs({ id: 'a', kind: 'urgent' }, hearing, nowMs), nowMs)
})

test('a snooze holds its own alert and warnings, and a new urgent alert breaks through it', () => {
  const hearing = { quiet: null, zone: 'UTC', snooze: { untilMs: 900, alertId: 'a' } }
  assert.equal(mayTellFromMs({ id: 'a', kind: 'urgent' }, hearing, 100), 900)
  assert.equal(mayTellFromMs({ id: 'b', kind: 'warning' }, hearing, 100), 900)
  assert.equal(mayTellFromMs({ id: 'b', kind: 'urgent' }, hearing, 100), 100)
  assert.equal(mayTellFromMs({ id: 'a', kind: 'urgent' }, hearing, 900), 900)
})

test('tries come further and further apart, up to five minutes', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 100].map(retryAfterMs)
  assert.deepEqual(pauses, [5000, 15_000, 30_000, 60_000, 120_000, 300_000, 300_000, 300_000])
})
