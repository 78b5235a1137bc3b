import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type LaneState, NEW_LANE, readRecent, writeRecent } from '../../sync/cloud/lane.ts'

const row = (kind: string, value: number) => ({ seq: 7, kind, v: 1, key: 'k', body: { value } })

/** A lane whose last acknowledgement was lost: the hub still shows the token before. */
function unheard(kind: string): LaneState {
  return {
    ...NEW_LANE,
    ...{
      watermark: 7,
      token: 'second',
      previousToken: 'first',
      recent: readRecent(writeRecent([row(kind, 1)])),
    },
  }
}

const asked = { epoch: 1, prev: 0, max_seq: 9, token: 'first' }

test('a batch that comes again after a lost answer is applied, the same number with another row is a copy of the hub', () => {
  assert.equal(judge(unheard('alert'), 1, asked, [row('alert', 1)]).kind, 'apply')
  assert.deepEqual(judge(unheard('alert'), 1, asked, [row('alert', 2)]), {
    ...{ kind: 'conflict', reason: 'rolled_back', retire: true },
  })
})

test('an entity into which something was merged meanwhile makes nobody a copy', () => {
  for (const kind of ['calendar', 'person', 'group', 'consent'])
    assert.equal(judge(unheard(kind), 1, asked, [row(kind, 2)]).kind, 'apply')
})
