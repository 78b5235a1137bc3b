/** Live values reach the screen at most four times a second, and the last of each always does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effect } from '@preact/signals'
import type { Api } from '../../daemon/ui/net/api.ts'
import { createHousehold } from '../../daemon/ui/state/household.ts'
import { fakeClock } from '../fakes/clock.ts'

test('three hundred values in a second are drawn four times, and none of the last is missing', () => {
  const clock = fakeClock()
  const household = createHousehold({
    // Nothing is asked of the hub here; a call would throw.
    api: {} as Api,
    nowMs: clock.now,
    later: (run, ms) => void clock.after(ms, run),
  })
  const drawn = new Map<string, number[]>()
  for (const id of ['mia', 'leo', 'ida']) {
    const seen: number[] = []
    drawn.set(id, seen)
    effect(() => {
      const value = household.values(id).latest.value?.['heart_rate']?.value
      if (typeof value === 'number') seen.push(value)
    })
  }
  for (let tick = 0; tick < 100; tick += 1) {
    for (const id of drawn.keys()) {
      const reading = {
        value: 60 + tick,
        unit: '/min',
        ts: new Date(clock.now()).toISOString(),
        source: 'watch',
      }
      household.apply({
        ...{ type: 'vitals', topic: `person:${id}`, seq: tick, ts: '' },
        data: { person_id: id, values: { heart_rate: reading } },
      })
    }
    clock.advance(10)
  }
  clock.advance(250)
  for (const [id, seen] of drawn) {
    assert.ok(seen.length >= 3 && seen.length <= 5, `${id} was drawn ${seen.length} times`)
    assert.equal(seen.at(-1), 159)
  }
  assert.equal(household.changes.value, drawn.get('mia')?.length)
})
