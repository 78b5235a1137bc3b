/** How alerts and their ladders are put in the order in which a person reads them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert, Delivery } from '../../../daemon/ui/areas/alerts/answers.ts'
import {
  clockOf,
  deadlineOf,
  fateOf,
  isPutOff,
  isUnshown,
  sightsOf,
  stepsOf,
  withHeard,
} from '../../../daemon/ui/areas/alerts/ladder.ts'

const NOON = '2026-11-20T12:00:00.000Z'
const NOON_MS = Date.parse(NOON)

function delivery(over: Partial<Delivery>): Delivery {
  return {
    ...{ user_id: 'anna', person_id: null, name: 'Anna', channel: 'app', device_id: null, step: 1, round: 0 },
    ...{
      state: 'sent',
      attempts: 1,
      next_attempt_at: null,
      sent_at: NOON,
      delivered_at: null,
      seen_at: null,
    },
    ...{ acknowledged_at: null, failure: null },
    ...over,
  }
}

function alert(over: Partial<Alert>): Alert {
  return {
    ...{ id: 'a', person_id: 'mia', episode_id: null, kind: 'warning', class: 'wellness', title: 'Fast' },
    ...{ message: '', source: 'rule:r', data: {}, state: 'open', step: 1, round: 0, next_step_at: null },
    ...{ acknowledged_at: null, acknowledged_by: null, acknowledged_by_name: null },
    ...{ created_at: NOON, updated_at: NOON },
    ...over,
  }
}

test('a ladder is read round by round and step by step, one line a recipient, the house last', () => {
  const steps = stepsOf([
    delivery({ round: 1, step: 2, user_id: 'ben', name: 'Ben' }),
    delivery({ step: 2, user_id: 'ben', name: 'Ben' }),
    delivery({ user_id: null, name: null, channel: 'house' }),
    delivery({}),
    delivery({ channel: 'watch', device_id: 'w1' }),
  ])
  assert.deepEqual(
    steps.map(({ round, step, told }) => [round, step, told.map((one) => [one.name, one.deliveries.length])]),
    [
      [
        0,
        1,
        [
          ['Anna', 2],
          [null, 1],
        ],
      ],
      [0, 2, [['Ben', 1]]],
      [1, 2, [['Ben', 1]]],
    ],
  )
})

test('an answer says more than that it was seen', () => {
  const seen = delivery({ state: 'seen', seen_at: NOON })
  assert.deepEqual(fateOf(seen), { word: 'seen', at: NOON })
  assert.deepEqual(fateOf({ ...seen, acknowledged_at: NOON }), { word: 'acknowledged', at: NOON })
})

test('the clock runs to the next call, and the far end of a warning is a time of day', () => {
  const next = new Date(NOON_MS + 90_000).toISOString()
  assert.deepEqual(deadlineOf(alert({ next_step_at: next }), NOON_MS), { kind: 'call', leftMs: 90_000 })
  assert.deepEqual(deadlineOf(alert({ next_step_at: next }), NOON_MS + 95_000), { kind: 'call', leftMs: 0 })
  const tomorrow = NOON_MS + 24 * 3_600_000
  assert.deepEqual(deadlineOf(alert({ next_step_at: new Date(tomorrow).toISOString() }), NOON_MS), {
    kind: 'end',
    atMs: tomorrow,
  })
  assert.equal(deadlineOf(alert({ next_step_at: next, state: 'acknowledged' }), NOON_MS), null)
  assert.equal(clockOf(89_100), '1:30')
  assert.equal(clockOf(0), '0:00')
})

test('what is heard of an alert replaces what was known, urgent first, and an answered one is gone', () => {
  const known = [alert({ id: 'a', created_at: '2026-11-20T12:05:00.000Z' })]
  const urgent = alert({ id: 'b', kind: 'urgent' })
  const both = withHeard(known, urgent)
  assert.deepEqual(
    both.map(({ id }) => id),
    ['b', 'a'],
  )
  assert.deepEqual(
    withHeard(both, { ...urgent, state: 'acknowledged' }).map(({ id }) => id),
    ['a'],
  )
  assert.deepEqual(withHeard([], alert({ kind: 'tip' })), [])
})

test('an app rings for what was sent to its user and not shown, and not for what is snoozed or another’s', () => {
  assert.equal(isUnshown([delivery({})], 'anna'), true)
  assert.equal(isUnshown([delivery({})], 'ben'), false)
  assert.equal(isUnshown([delivery({ state: 'waiting' })], 'anna'), false)
  assert.equal(isUnshown([delivery({ state: 'seen' })], 'anna'), false)
  assert.equal(isUnshown([delivery({ channel: 'ntfy' })], 'anna'), false)
})

test('what a user has put off waits for their app, and for nobody else’s', () => {
  assert.equal(
    isPutOff([delivery({ state: 'seen' }), delivery({ round: 1, state: 'waiting' })], 'anna'),
    true,
  )
  assert.equal(isPutOff([delivery({ state: 'waiting' })], 'ben'), false)
  assert.equal(isPutOff([delivery({ state: 'seen' })], 'anna'), false)
})

test('who saw it is one row a recipient and channel: the first time of each stage over all rounds, the house last', () => {
  const later = '2026-11-20T12:07:00.000Z'
  const rows = sightsOf([
    delivery({ user_id: null, name: null, channel: 'house' }),
    delivery({ round: 1, step: 2, sent_at: later, seen_at: later, acknowledged_at: later, attempts: 2 }),
    delivery({ delivered_at: NOON }),
    delivery({ channel: 'push', device_id: 'p1', sent_at: null, state: 'waiting', failure: 'answered 503' }),
  ])
  assert.deepEqual(
    rows.map(({ channel, isHouse, attempts, failure }) => [channel, isHouse, attempts, failure]),
    [
      ['app', false, 3, null],
      ['push', false, 1, 'answered 503'],
      ['house', true, 1, null],
    ],
  )
  assert.deepEqual(rows[0]?.at, { sent: NOON, delivered: NOON, seen: later, acknowledged: later })
})
