import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfStretch, ladderOf, onCall, type Shift } from '../../daemon/domain/group.ts'

const BERLIN = 'Europe/Berlin'
const at = (text: string) => Date.parse(text)

test('a stretch over midnight holds both its evenings and its mornings', () => {
  const night = { from: '22:00', to: '07:00' }
  assert.equal(endOfStretch(night, at('2026-03-14T20:59:00Z'), BERLIN), null)
  assert.equal(endOfStretch(night, at('2026-03-14T21:00:00Z'), BERLIN), at('2026-03-15T06:00:00Z'))
  assert.equal(endOfStretch(night, at('2026-03-15T05:59:59Z'), BERLIN), at('2026-03-15T06:00:00Z'))
  assert.equal(endOfStretch(night, at('2026-03-15T06:00:00Z'), BERLIN), null)
})

test('a stretch ends on the wall clock, also in the night in which clocks change', () => {
  const night = { from: '22:00', to: '07:00' }
  assert.equal(endOfStretch(night, at('2026-03-28T22:00:00Z'), BERLIN), at('2026-03-29T05:00:00Z'))
})

test('a shift counts on the day on which it begins', () => {
  const rota: Shift[] = [{ person_id: 'ben', days: ['fri'], from: '20:00', to: '08:00' }]
  assert.deepEqual(onCall(rota, at('2026-03-13T19:30:00Z'), BERLIN), new Set(['ben']))
  assert.deepEqual(onCall(rota, at('2026-03-14T06:30:00Z'), BERLIN), new Set(['ben']))
  assert.deepEqual(onCall(rota, at('2026-03-14T19:30:00Z'), BERLIN), new Set())
})

test('whoever is on call is told first, the rest in their order and once', () => {
  const members = [
    { member_id: 'anna', escalation_order: 1 },
    { member_id: 'ben', escalation_order: 2 },
    { member_id: 'cora', escalation_order: 2 },
    { member_id: 'dan', escalation_order: null },
  ]
  assert.deepEqual(ladderOf(members, new Set()), [['anna'], ['ben', 'cora']])
  assert.deepEqual(ladderOf(members, new Set(['cora'])), [['cora'], ['anna'], ['ben']])
  assert.deepEqual(ladderOf(members, new Set(['dan'])), [['dan'], ['anna'], ['ben', 'cora']])
})
