import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createArrivals } from '../../daemon/broker/arrivals.ts'
import { createCounters } from '../../daemon/broker/counters.ts'
import { createGate } from '../../daemon/broker/gate.ts'
import { NOTHING_KEPT } from '../../daemon/broker/kept-state.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { fakeClock } from '../fakes/clock.ts'
import { heartRate, NOW } from './hub.ts'

/** A gate before a store that refuses `refusals` times with the code. */
function setup(code: 'DISK_FULL' | 'OVERLOADED', refusals: number) {
  const clock = fakeClock(NOW)
  const waited: number[] = []
  let attempts = 0
  const gate = createGate({
    arrivals: createArrivals(),
    clock,
    counters: createCounters(),
    log: createLog('silent'),
    tell: () => {},
    waits: {
      async wait(ms) {
        waited.push(ms)
        return true
      },
      end: () => {},
    },
    ports: {
      async append(batch) {
        attempts += 1
        if (attempts <= refusals) throw new HubError(code, 'There is no room.')
        return batch.map(() => 'accepted' as const)
      },
      quarantine: () => Promise.reject(new Error('nothing is set aside')),
      devices: {
        authenticate: () => null,
        wearerAt: () => 'mia',
        serves: () => false,
        mayHear: () => false,
        onPresence: () => {},
      },
      keeper: { read: () => NOTHING_KEPT, write: () => Promise.resolve() },
    },
  })
  return { gate, waited, clock, attempts: () => attempts }
}

function message(isOpen: () => boolean = () => true) {
  return {
    device: { deviceId: 'watch-1', type: 'watch' as const, prefixes: [], zone: 'UTC' },
    route: { kind: 'obs' as const },
    topic: 'hf/watch-1/obs',
    payload: Buffer.from(heartRate(72)),
    dup: false,
    messageId: 1,
    connection: 1,
    isOpen,
    onHeld: () => {},
  }
}

test('on a full disk a message is held for hours, unacknowledged, and taken when there is room', async () => {
  const { gate, waited, attempts } = setup('DISK_FULL', 2000)
  await gate.accept(message())
  assert.equal(attempts(), 2001)
  assert.ok(waited.reduce((sum, ms) => sum + ms, 0) > 2 * 3_600_000)
})

test('a store that is only busy holds a message for half a minute and then ends the connection', async () => {
  const { gate, waited } = setup('OVERLOADED', 2000)
  await assert.rejects(gate.accept(message()), { code: 'OVERLOADED' })
  assert.ok(waited.reduce((sum, ms) => sum + ms, 0) < 31_000)
})

test('a message of a connection that is gone is held for nobody', async () => {
  const { gate, waited } = setup('DISK_FULL', 2000)
  await assert.rejects(gate.accept(message(() => false)), { code: 'DISK_FULL' })
  assert.deepEqual(waited, [])
})
