import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  afterAction,
  EPISODE_ACTIONS,
  EPISODE_STATES,
  MERGE_WINDOW_MS,
  mergeOf,
} from '../../daemon/domain/episode.ts'

test('an episode moves as the state machine says, and nowhere else', () => {
  const moves = EPISODE_STATES.flatMap((state) =>
    EPISODE_ACTIONS.map((action) => `${state} ${action} ${afterAction(state, action)}`),
  )
  assert.deepEqual(
    moves.filter((move) => !move.endsWith('null')),
    [
      'open acknowledge acknowledged',
      'open escalate escalated',
      'open resolve resolved',
      'acknowledged escalate escalated',
      'acknowledged resolve resolved',
      'escalated acknowledge acknowledged',
      'escalated resolve resolved',
      'resolved reopen open',
    ],
  )
})

test('evidence joins what is unresolved, worsens a warning, reopens what is just over, and is new after that', () => {
  const open = { state: 'acknowledged', severity: 'warning', resolvedAtMs: null } as const
  const over = { state: 'resolved', severity: 'warning', resolvedAtMs: 1000 } as const
  assert.equal(mergeOf(null, 'warning', 0), 'new')
  assert.equal(mergeOf(open, 'warning', 0), 'joins')
  assert.equal(mergeOf(open, 'urgent', 0), 'worsens')
  assert.equal(mergeOf({ ...open, severity: 'urgent' }, 'warning', 0), 'joins')
  assert.equal(mergeOf(over, 'warning', 1000 + MERGE_WINDOW_MS - 1), 'reopens')
  assert.equal(mergeOf(over, 'warning', 1000 + MERGE_WINDOW_MS), 'new')
})
