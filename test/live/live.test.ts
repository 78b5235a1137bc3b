import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Audience } from '../../daemon/live/frame.ts'
import { createLive } from '../../daemon/live/live.ts'
import { fakeClock } from '../fakes/clock.ts'

const MIA: Audience = { personId: 'mia', class: 'wellness' }
const BASE = 1_000

function setup(accepts: (audience: Audience) => boolean = () => true) {
  const clock = fakeClock()
  const live = createLive({ clock, base: BASE })
  const network = { sent: [] as Record<string, unknown>[], buffered: 0, cut: false }
  const subscriber = live.subscribe(
    {
      send: (text) => void network.sent.push(JSON.parse(text) as Record<string, unknown>),
      bufferedBytes: () => network.buffered,
      cutOff: () => {
        network.cut = true
      },
    },
    accepts,
  )
  const beat = (value: number) => live.publish('person:mia', 'vitals', { value }, MIA)
  return { clock, live, network, subscriber, beat }
}

test('events of a topic carry its own numbers, above the base of this boot', () => {
  const { subscriber, network, beat, live } = setup()
  assert.equal(subscriber.add('person:mia'), BASE)
  assert.equal(beat(70), BASE + 1)
  live.publish('person:leo', 'vitals', {}, { personId: 'leo', class: 'wellness' })
  assert.equal(beat(71), BASE + 2)
  assert.deepEqual(network.sent, [
    {
      type: 'vitals',
      topic: 'person:mia',
      seq: BASE + 1,
      ts: '2026-03-14T08:00:00.000Z',
      data: { value: 70 },
    },
    {
      type: 'vitals',
      topic: 'person:mia',
      seq: BASE + 2,
      ts: '2026-03-14T08:00:00.000Z',
      data: { value: 71 },
    },
  ])
})

test('what was missed is replayed, in order and only that', () => {
  const { subscriber, network, beat } = setup()
  for (let i = 0; i < 5; i += 1) beat(i)
  subscriber.add('person:mia')
  subscriber.replay('person:mia', BASE + 3)
  assert.deepEqual(
    network.sent.map((event) => event['seq']),
    [BASE + 4, BASE + 5],
  )
})

test('a past that is gone is a gap', () => {
  const { subscriber, network, beat } = setup()
  for (let i = 0; i < 300; i += 1) beat(i)
  subscriber.add('person:mia')
  subscriber.replay('person:mia', BASE + 2)
  assert.deepEqual(network.sent, [{ type: 'gap', topic: 'person:mia', from: BASE + 3, to: BASE + 300 }])
})

test('a number of an earlier boot is a gap, whichever side of ours it lies on', () => {
  const { subscriber, network, beat } = setup()
  beat(70)
  subscriber.add('person:mia')
  subscriber.replay('person:mia', BASE - 5)
  subscriber.replay('person:mia', BASE + 900)
  assert.deepEqual(
    network.sent.map(({ type, to }) => ({ type, to })),
    [
      { type: 'gap', to: BASE + 1 },
      { type: 'gap', to: BASE + 1 },
    ],
  )
})

test('a topic that was forgotten never counts the same number twice', () => {
  const { live, subscriber, network, beat } = setup()
  const last = beat(70)
  for (let i = 0; i < 2000; i += 1) live.publish(`person:p${i}`, 'vitals', {}, MIA)
  assert.equal(live.stats().evicted, 1)
  assert.ok(beat(71) > last)
  subscriber.add('person:mia')
  subscriber.replay('person:mia', last - 1)
  assert.equal(network.sent[0]?.['type'], 'gap')
})

test('nobody receives what the listener may not see at that moment', () => {
  let granted = true
  const { subscriber, network, beat } = setup(
    (audience) => 'personId' in audience && audience.personId === 'mia' && granted,
  )
  subscriber.add('person:mia')
  beat(70)
  granted = false
  beat(71)
  subscriber.replay('person:mia', BASE)
  assert.equal(network.sent.length, 1)
})

test('a slow listener gets the newest of each topic and hears what it missed', () => {
  const { clock, live, network, subscriber, beat } = setup()
  subscriber.add('person:mia')
  subscriber.add('edge')
  network.buffered = 300_000
  for (let i = 1; i <= 4; i += 1) beat(i)
  live.publish('edge', 'edge_connected', {}, { personId: null, class: 'any' })
  assert.equal(network.sent.length, 0, 'nothing is added to a full buffer')
  network.buffered = 0
  clock.advance(100)
  assert.deepEqual(
    network.sent.map(({ type, topic, from, to, seq }) => ({ type, topic, from, to, seq })),
    [
      { type: 'gap', topic: 'person:mia', from: BASE + 1, to: BASE + 3, seq: undefined },
      { type: 'vitals', topic: 'person:mia', from: undefined, to: undefined, seq: BASE + 4 },
      { type: 'edge_connected', topic: 'edge', from: undefined, to: undefined, seq: BASE + 1 },
    ],
  )
  assert.equal(live.stats().skipped, 3)
  beat(5)
  assert.equal(network.sent.at(-1)?.['seq'], BASE + 5, 'a listener that caught up is live again')
})

test('a listener whose network stands still for 30 s is cut off', () => {
  const { clock, live, network, subscriber, beat } = setup()
  subscriber.add('person:mia')
  network.buffered = 300_000
  beat(1)
  clock.advance(29_900)
  assert.equal(network.cut, false)
  clock.advance(100)
  assert.equal(network.cut, true)
  assert.equal(live.stats().subscribers, 0)
  assert.equal(live.stats().cutOff, 1)
})

test('a listener that left a topic hears nothing of it, not even what waited', () => {
  const { clock, network, subscriber, beat } = setup()
  subscriber.add('person:mia')
  network.buffered = 300_000
  beat(1)
  subscriber.remove('person:mia')
  network.buffered = 0
  clock.advance(100)
  beat(2)
  assert.equal(network.sent.length, 0)
})
