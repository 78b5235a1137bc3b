import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Observation, Outcome } from '../../daemon/domain/observation.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { heartRate, nextMessage, standingClock, startHub } from './hub.ts'
import { PINGREQ, PINGRESP, PUBACK, packet, publishPacket, type RawClient } from './raw-client.ts'

const TOPIC = 'hf/watch-1/obs'

/** A store that remembers its calls; `refuse` says why a call has no effect. */
function recordingStore(refuse: (rows: readonly Observation[]) => HubError | null = () => null) {
  const calls: number[][] = []
  return {
    calls,
    async append(rows: readonly Observation[]) {
      const refusal = refuse(rows)
      if (refusal) throw refusal
      calls.push(rows.map(({ value }) => value))
      return rows.map((): Outcome => 'accepted')
    },
  }
}

async function acksOf(client: RawClient, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) {
    const { type, body } = await client.next()
    if (type === PUBACK) ids.push(body.readUInt16BE())
  }
  return ids
}

test('messages that come together are stored with one call and acknowledged in their order', async (t) => {
  const store = recordingStore()
  const hub = await startHub(t, { append: store.append })
  const watch = await hub.raw('watch-1')
  watch.socket.write(
    Buffer.concat([3, 9, 4].map((id) => publishPacket(TOPIC, heartRate(60 + id, id), { messageId: id }))),
  )
  assert.deepEqual(await acksOf(watch, 3), [3, 9, 4])
  assert.deepEqual(store.calls, [[63, 69, 64]])
  assert.equal(hub.acks.length, 3)
  assert.equal(hub.broker.stats().observations, 3)
})

test('a message with a fault in it costs those around it nothing', async (t) => {
  const store = recordingStore()
  const hub = await startHub(t, { append: store.append })
  const watch = await hub.raw('watch-1')
  const payloads = [heartRate(60), heartRate(9000, 1), '{"ts":', heartRate(62, 2)]
  watch.socket.write(
    Buffer.concat(payloads.map((payload, at) => publishPacket(TOPIC, payload, { messageId: at + 1 }))),
  )
  assert.deepEqual((await acksOf(watch, 4)).toSorted(), [1, 2, 3, 4])
  assert.deepEqual(store.calls.flat(), [60, 62])
  assert.deepEqual(
    hub.quarantined.map(({ code }) => code),
    ['OUT_OF_RANGE', 'VALIDATION_ERROR'],
  )
})

test('of messages that came together only those are refused that the store refuses', async (t) => {
  const store = recordingStore((rows) =>
    rows.some(({ value }) => value === 61) ? new HubError('NOT_FOUND', 'There is no such person.') : null,
  )
  const hub = await startHub(t, { append: store.append })
  const watch = await hub.raw('watch-1')
  watch.socket.write(
    Buffer.concat(
      [60, 61, 62].map((value) => publishPacket(TOPIC, heartRate(value, value), { messageId: value })),
    ),
  )
  assert.deepEqual((await acksOf(watch, 3)).toSorted(), [60, 61, 62])
  assert.deepEqual(store.calls, [[60], [62]])
  assert.deepEqual(
    hub.quarantined.map(({ code }) => code),
    ['NOT_FOUND'],
  )
})

test('what the store cannot promise is not acknowledged, and ends the connection', async (t) => {
  const hub = await startHub(t, {
    append: () => Promise.reject(new HubError('INTERNAL', 'The store failed.')),
  })
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket(TOPIC, heartRate(60), { messageId: 1 }))
  await watch.ended
  assert.deepEqual(watch.waiting(), [])
  assert.equal(hub.broker.stats().unacknowledged, 1)
})

test('a device that listens on its own topic hears what it says', async (t) => {
  const hub = await startHub(t)
  const watch = await hub.client('watch-1')
  for (const filter of [TOPIC, 'hf/watch-1/#']) {
    await watch.subscribeAsync(filter)
    const heard = nextMessage(watch)
    await watch.publishAsync(TOPIC, heartRate(72), { qos: 1 })
    assert.equal((await heard).topic, TOPIC)
    await watch.unsubscribeAsync(filter)
  }
})

test('messages beyond the rate of a device wait instead of going before', async (t) => {
  const store = recordingStore()
  const hub = await startHub(t, {
    append: store.append,
    // Time that stands gives no device anything back.
    clock: { ...standingClock(), monotonic: () => 0 },
    settings: { messagesPerSecond: 100, messageBurst: 2 },
  })
  const watch = await hub.raw('watch-1')
  watch.socket.write(
    Buffer.concat([1, 2, 3, 4].map((id) => publishPacket(TOPIC, heartRate(60 + id, id), { messageId: id }))),
  )
  assert.deepEqual(await acksOf(watch, 4), [1, 2, 3, 4])
  assert.deepEqual(store.calls, [[61, 62], [63], [64]])
  assert.equal(hub.broker.stats().paused, 2)
})

test('packet id 0 and a length that never ends are no shortcut', async (t) => {
  const hub = await startHub(t)
  const [zero, endless] = [await hub.raw('watch-1'), await hub.raw('watch-2')]
  zero.send(publishPacket(TOPIC, heartRate(60), { messageId: 0 }))
  endless.send(Buffer.from([0x32, 0xff, 0xff, 0xff, 0xff, 0xff]))
  await zero.ended
  await endless.ended
  assert.deepEqual(hub.stored, [])
})

test('however the bytes are cut, each message is stored once and acknowledged once', async (t) => {
  const hub = await startHub(t)
  const watch = await hub.raw('watch-1')
  let sent = 0
  const kinds = fc.constantFrom('values', 'values', 'values', 'unheard', 'repeated', 'ping', 'raw')
  const plan = fc.record({
    kinds: fc.array(kinds, { minLength: 1, maxLength: 30 }),
    cuts: fc.array(fc.nat(2000), { maxLength: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(plan, async ({ kinds: wanted, cuts }) => {
      hub.stored.length = 0
      const values: number[] = []
      const owed: number[] = []
      const packets = wanted.map((kind, at) => {
        const id = at + 1
        const value = 40 + (sent % 100)
        sent += 1
        if (kind === 'ping') return PINGREQ
        if (kind === 'raw') {
          owed.push(id)
          return packet(0x32, publishPacket('hf/watch-1/raw/none', 'x', { messageId: id }).subarray(2))
        }
        values.push(value)
        const qos = kind === 'unheard' ? 0 : 1
        if (qos === 1) owed.push(id)
        return publishPacket(TOPIC, heartRate(value, sent), { qos, messageId: id, dup: kind === 'repeated' })
      })
      const bytes = Buffer.concat([...packets, PINGREQ])
      const edges = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
      for (let at = 1; at < edges.length; at++) {
        watch.socket.write(bytes.subarray(edges[at - 1], edges[at]))
        await new Promise((resolve) => setImmediate(resolve))
      }
      const pings = wanted.filter((kind) => kind === 'ping').length + 1
      const acked: number[] = []
      for (let heard = 0; heard < pings + owed.length; heard++) {
        const { type, body } = await watch.next()
        if (type === PUBACK) acked.push(body.readUInt16BE())
        else assert.equal(type, PINGRESP)
      }
      assert.deepEqual(
        acked.toSorted((a, b) => a - b),
        owed,
      )
      assert.deepEqual(
        hub.stored.map(({ value }) => value).toSorted((a, b) => a - b),
        values.toSorted((a, b) => a - b),
      )
    }),
    { numRuns: 60 },
  )
})
