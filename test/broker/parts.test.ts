import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { createArrivals } from '../../daemon/broker/arrivals.ts'
import { createJournal } from '../../daemon/broker/journal.ts'
import { type Change, NOTHING_KEPT } from '../../daemon/broker/kept-state.ts'
import { createPace } from '../../daemon/broker/pace.ts'
import { createPersistence } from '../../daemon/broker/persistence.ts'
import { matches } from '../../daemon/broker/topics.ts'
import { fakeClock } from '../fakes/clock.ts'

const pace = () => {
  const clock = fakeClock()
  return { clock, pace: createPace({ clock, perSecond: 50, burst: 500, devicesKept: 2 }) }
}

test('a burst of 500 goes through, the next message waits its 20 ms', () => {
  const { pace: bucket } = pace()
  const waits = Array.from({ length: 502 }, () => bucket.take('watch-1'))
  assert.deepEqual([...new Set(waits.slice(0, 500))], [0])
  assert.deepEqual(waits.slice(500), [20, 40])
})

test('an idle device earns its burst back and no more', () => {
  const { clock, pace: bucket } = pace()
  for (let sent = 0; sent < 500; sent++) bucket.take('watch-1')
  clock.advance(3_600_000)
  const waits = Array.from({ length: 501 }, () => bucket.take('watch-1'))
  assert.equal(waits.filter((wait) => wait > 0).length, 1)
})

test('over any stretch no device gets more than its burst and its rate', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }), (pauses) => {
      const { clock, pace: bucket } = pace()
      let free = 0
      let passedMs = 0
      for (const pauseMs of pauses) {
        clock.advance(pauseMs)
        passedMs += pauseMs
        for (let sent = 0; sent < 40; sent++) if (bucket.take('watch-1') === 0) free++
      }
      assert.ok(free <= 500 + (passedMs * 50) / 1000 + 1)
    }),
    { numRuns: 50, seed: 20260314 },
  )
})

test('no two packets of a device share an arrival, and a clock set back starts afresh', () => {
  const arrivals = createArrivals()
  const stamp = (nowMs: number) =>
    arrivals.stamp(
      'watch-1',
      { topic: 't', payload: Buffer.of(1), dup: false, messageId: undefined, connection: 1 },
      nowMs,
    )
  assert.deepEqual(
    [stamp(1000), stamp(1000), stamp(1000), stamp(1001), stamp(5000)],
    [1000, 1001, 1002, 1003, 5000],
  )
  assert.equal(stamp(100), 100)
})

test('the same bytes under the same id on one connection without DUP are a new packet', () => {
  const arrivals = createArrivals()
  const sent = { topic: 't', payload: Buffer.of(0, 72), dup: false, messageId: 1, connection: 1 }
  assert.equal(arrivals.stamp('watch-1', sent, 1000), 1000)
  assert.equal(arrivals.stamp('watch-1', sent, 2000), 2000)
  assert.equal(arrivals.stamp('watch-1', { ...sent, dup: true }, 3000), 2000)
  assert.equal(arrivals.stamp('watch-1', { ...sent, connection: 2 }, 4000), 2000)
  assert.equal(arrivals.stamp('watch-1', { ...sent, connection: 3 }, 90_000), 90_000)
})

test('filters match as MQTT 3.1.1 says', () => {
  for (const [filter, topic, matching] of [
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['+/+', '/a', true],
  ] as const) {
    assert.equal(matches(filter, topic), matching, `${filter} ${topic}`)
  }
})

function memory() {
  const dropped = { queue: 0, retained: 0 }
  const persistence = createPersistence({
    limits: { maxQueued: 3, maxQueuedBytes: 100, maxQueuedBytesInAll: 150, maxRetained: 2 },
    keeper: { read: () => NOTHING_KEPT, write: async () => {} },
    isGranted: () => true,
    mayHave: () => true,
    deviceOf: () => undefined,
    patiently: (work) => work,
    onUnsaved: () => {},
    onQueueDropped: () => void dropped.queue++,
    onRetainedRefused: () => void dropped.retained++,
  })
  const publish = (topic: string, payload = 'x', counter = 1) => ({
    cmd: 'publish',
    topic,
    payload: Buffer.from(payload),
    qos: 1,
    retain: false,
    brokerId: 'b',
    brokerCounter: counter,
  })
  const queued = async (id: string) => {
    const topics: string[] = []
    for await (const packet of persistence.outgoingStream({ id }))
      topics.push((packet as { topic: string }).topic)
    return topics
  }
  return { persistence, dropped, publish, queued }
}

test('the queue of an absent subscriber keeps the newest messages and counts the others', async () => {
  const { persistence, dropped, publish, queued } = memory()
  for (const topic of ['a', 'b', 'c', 'd', 'e'])
    await persistence.outgoingEnqueue({ clientId: 'ha' }, publish(topic))
  assert.deepEqual(await queued('ha'), ['c', 'd', 'e'])
  assert.equal(dropped.queue, 2)
  await persistence.outgoingEnqueue({ clientId: 'ha' }, publish('large', 'x'.repeat(99)))
  assert.deepEqual(await queued('ha'), ['e', 'large'])
})

test('when all queues together are full the one who holds most loses its oldest', async () => {
  const { persistence, dropped, publish, queued } = memory()
  await persistence.outgoingEnqueue({ clientId: 'ha' }, publish('a', 'x'.repeat(40)))
  await persistence.outgoingEnqueue({ clientId: 'ha' }, publish('b', 'x'.repeat(50)))
  await persistence.outgoingEnqueue({ clientId: 'watch-1' }, publish('c', 'x'.repeat(80)))
  assert.deepEqual([await queued('ha'), await queued('watch-1')], [['b'], ['c']])
  assert.deepEqual([dropped.queue, persistence.takeDropped('ha'), persistence.takeDropped('ha')], [1, 1, 0])
})

test('changes that come during a write go together with the next, the last one of each thing', async () => {
  const groups: Change[][] = []
  let finish = () => {}
  const journal = createJournal({
    keeper: {
      write(changes) {
        groups.push([...changes])
        return new Promise((resolve) => {
          finish = resolve
        })
      },
    },
    everything: () => [],
    onFailed: assert.fail,
  })
  const dropped = (messages: number): Change => ({ kind: 'dropped', clientId: 'ha', messages })
  const first = journal.note(dropped(1))
  await new Promise(setImmediate)
  const second = [journal.note(dropped(2)), journal.note(dropped(3))]
  finish()
  await first
  await new Promise(setImmediate)
  finish()
  await Promise.all(second)
  assert.deepEqual(groups, [[dropped(1)], [dropped(3)]])
})

test('after a write that failed everything is written anew', async () => {
  const groups: (readonly Change[])[] = []
  const all: Change = { kind: 'dropped', clientId: 'ha', messages: 7 }
  const journal = createJournal({
    keeper: {
      async write(changes) {
        groups.push(changes)
        if (groups.length === 1) throw new Error('overloaded')
      },
    },
    everything: () => [all],
    onFailed: () => {},
  })
  await journal.note({ kind: 'session', clientId: 'watch-1' })
  await journal.note({ kind: 'dropped', clientId: 'ha', messages: 7 })
  await journal.note({ kind: 'dropped', clientId: 'ha', messages: 8 })
  assert.deepEqual(groups[1], [{ kind: 'everything' }, all])
  assert.equal(groups[2]?.length, 1)
})

test('an acknowledged message leaves the queue', async () => {
  const { persistence, publish, queued } = memory()
  await persistence.outgoingEnqueue({ clientId: 'ha' }, publish('a', 'x', 1))
  await persistence.outgoingEnqueue({ clientId: 'ha' }, publish('b', 'x', 2))
  await persistence.outgoingUpdate({ id: 'ha' }, { ...publish('a', 'x', 1), messageId: 7 })
  await persistence.outgoingClearMessageId({ id: 'ha' }, { ...publish('', ''), messageId: 7 })
  assert.deepEqual(await queued('ha'), ['b'])
})

test('retained topics are limited, known ones are still replaced and cleared', async () => {
  const { persistence, dropped, publish } = memory()
  for (const topic of ['a', 'b', 'c']) await persistence.storeRetained(publish(topic))
  assert.equal(dropped.retained, 1)
  await persistence.storeRetained(publish('a', 'new'))
  await persistence.storeRetained(publish('b', ''))
  const kept: string[] = []
  for await (const packet of persistence.createRetainedStreamCombi(['#']))
    kept.push(String((packet as { payload: Buffer }).payload))
  assert.deepEqual(kept, ['new'])
})

test('a message is queued once for a session with several matching filters, with the highest QoS', async () => {
  const { persistence } = memory()
  await persistence.addSubscriptions({ id: 'ha' }, [
    { topic: 'hf/out/#', qos: 1 },
    { topic: 'hf/out/alert', qos: 2 },
    { topic: 'hf/out/+', qos: 0 },
  ])
  await persistence.addSubscriptions({ id: 'watch-1' }, [{ topic: 'hf/watch-1/cmd', qos: 1 }])
  assert.deepEqual(await persistence.subscriptionsByTopic('hf/out/alert'), [
    { clientId: 'ha', topic: 'hf/out/alert', qos: 2 },
  ])
  assert.deepEqual(await persistence.subscriptionsByTopic('hf/out/person/mia/hr'), [
    { clientId: 'ha', topic: 'hf/out/#', qos: 1 },
  ])
  await persistence.removeSubscriptions({ id: 'ha' }, ['hf/out/#', 'hf/out/alert'])
  assert.deepEqual(await persistence.subscriptionsByTopic('hf/out/alert'), [])
  persistence.forget('watch-1')
  assert.deepEqual(await persistence.subscriptionsByTopic('hf/watch-1/cmd'), [])
})
