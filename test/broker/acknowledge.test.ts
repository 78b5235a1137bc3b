import assert from 'node:assert/strict'
import test from 'node:test'
import type { Observation, Outcome } from '../../daemon/domain/observation.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { heartRate, NOW, nextMessage, startHub } from './hub.ts'
import { PINGREQ, PINGRESP, PUBACK, publishPacket } from './raw-client.ts'

/** A store that commits when the test says so. */
function heldStore() {
  const stored: Observation[] = []
  const waiting: (() => void)[] = []
  const asked: (() => void)[] = []
  return {
    stored,
    append: (batch: readonly Observation[]) =>
      new Promise<Outcome[]>((resolve) => {
        waiting.push(() => {
          stored.push(...batch)
          resolve(batch.map(() => 'accepted'))
        })
        for (const tell of asked.splice(0)) tell()
      }),
    /** Resolves when a batch waits for its commit. */
    asked: () =>
      waiting.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => asked.push(resolve)),
    commit() {
      for (const release of waiting.splice(0)) release()
    },
  }
}

test('a publish is acknowledged only after its observations are committed', async (t) => {
  const store = heldStore()
  const hub = await startHub(t, { append: store.append })
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket('hf/watch-1/obs', heartRate(72), { messageId: 7 }), PINGREQ)
  assert.equal((await watch.next()).type, PINGRESP, 'the broker works, yet it does not acknowledge')
  await store.asked()
  assert.deepEqual(store.stored, [])
  assert.deepEqual(watch.waiting(), [])
  store.commit()
  const { type, body } = await watch.next()
  assert.deepEqual([type, body.readUInt16BE()], [PUBACK, 7])
  assert.deepEqual(
    store.stored.map(({ metric, value }) => [metric, value]),
    [['heart_rate', 72]],
  )
  assert.equal(hub.acks.length, 1)
})

test('QoS 0, 1 and 2 go the same way', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/obs', heartRate(71), { qos: 0 })
  await client.publishAsync('hf/watch-1/obs', heartRate(72, 1), { qos: 1 })
  await client.publishAsync('hf/watch-1/obs', heartRate(73, 2), { qos: 2 })
  assert.deepEqual(
    hub.stored.map(({ value }) => value),
    [71, 72, 73],
  )
})

test('an observation carries device, wearer, source and time', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/obs', JSON.stringify({ ts: NOW / 1000, hr: 72, spo2: 98 }), {
    qos: 1,
  })
  const common = {
    personId: 'mia',
    deviceId: 'watch-1',
    atMs: NOW,
    source: 'obs',
    quality: null,
    extra: null,
  }
  assert.deepEqual(hub.stored, [
    { ...common, metric: 'heart_rate', value: 72 },
    { ...common, metric: 'spo2', value: 98 },
  ])
})

test('characteristic bytes become heart rate and beats stamped back from their arrival', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/raw/gatt/2a37', Buffer.from('164841033303', 'hex'), { qos: 1 })
  assert.deepEqual(
    hub.stored.map(({ metric, value, atMs, source }) => [metric, value, atMs - NOW, source]),
    [
      ['heart_rate', 72, 0, 'gatt'],
      ['rr_interval', 813.476563, -800, 'gatt'],
      ['rr_interval', 799.804688, 0, 'gatt'],
    ],
  )
})

test('records of one glucose notification are dated back by their session minutes', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/raw/gatt/2aa7', Buffer.from('06007800050006007b000a00', 'hex'), {
    qos: 1,
  })
  assert.deepEqual(
    hub.stored.map(({ value, atMs }) => [value, atMs - NOW]),
    [
      [120, -300_000],
      [123, 0],
    ],
  )
})

test('a packet sent again after a lost acknowledgement keeps its stamp, with and without the DUP flag', async (t) => {
  let nowMs = NOW
  const { systemClock } = await import('../../daemon/kernel/clock.ts')
  const hub = await startHub(t, { clock: { ...systemClock(), now: () => nowMs } })
  const bytes = Buffer.from('0048', 'hex')
  const first = await hub.raw('watch-1')
  first.send(publishPacket('hf/watch-1/raw/gatt/2a37', bytes, { messageId: 9 }))
  assert.equal((await first.next()).type, PUBACK)
  nowMs += 1500
  first.send(publishPacket('hf/watch-1/raw/gatt/2a37', bytes, { messageId: 9, dup: true }))
  assert.equal((await first.next()).type, PUBACK)
  const second = await hub.raw('watch-1')
  second.send(publishPacket('hf/watch-1/raw/gatt/2a37', bytes, { messageId: 9 }))
  assert.equal((await second.next()).type, PUBACK)
  second.send(publishPacket('hf/watch-1/raw/gatt/2a37', bytes, { messageId: 10 }))
  assert.equal((await second.next()).type, PUBACK)
  assert.deepEqual(
    hub.stored.map(({ atMs }) => atMs - NOW),
    [0, 0, 0, 1500],
  )
})

test('a payload nobody can read is kept aside, acknowledged and reported to the device', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.subscribeAsync('hf/watch-1/cmd', { qos: 1 })
  const told = nextMessage(client)
  await client.publishAsync('hf/watch-1/obs', '[{"ts":', { qos: 1 })
  assert.deepEqual(
    hub.quarantined.map(({ deviceId, topic, code, payload, payloadBytes, atMs }) => ({
      deviceId,
      topic,
      code,
      payload: String(payload),
      payloadBytes,
      atMs,
    })),
    [
      {
        deviceId: 'watch-1',
        topic: 'hf/watch-1/obs',
        code: 'VALIDATION_ERROR',
        payload: '[{"ts":',
        payloadBytes: 7,
        atMs: NOW,
      },
    ],
  )
  const { topic, payload, retain } = await told
  const notice = JSON.parse(String(payload))
  assert.deepEqual(
    [topic, retain, notice.type, notice.code, notice.count],
    ['hf/watch-1/cmd', false, 'rejected', 'VALIDATION_ERROR', 1],
  )
  assert.equal(hub.broker.stats().quarantined, 1)
})

test('good samples of a message land although others are rejected', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  const batch = [
    { ts: NOW, metric: 'heart_rate', value: 72 },
    { ts: NOW, metric: 'heart_rate', value: 900 },
    { ts: NOW + 3_600_000, metric: 'spo2', value: 97 },
    { ts: NOW, metric: 'aura', value: 1 },
    { ts: NOW, metric: 'spo2', value: 97 },
  ]
  await client.publishAsync('hf/watch-1/obs', JSON.stringify(batch), { qos: 1 })
  assert.deepEqual(
    hub.stored.map(({ metric }) => metric),
    ['heart_rate', 'spo2'],
  )
  assert.equal(hub.quarantined.length, 1)
  assert.match(hub.quarantined[0]!.reason, /^3 samples, first: \[1\]\.value: 900 bpm/)
  assert.equal(hub.broker.stats().rejected, 3)
})

test('a sample of a device that nobody wore is kept aside with the reason', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('drawer')
  await client.publishAsync('hf/drawer/obs', heartRate(72), { qos: 1 })
  assert.deepEqual(hub.stored, [])
  assert.match(hub.quarantined[0]!.reason, /nobody wore the device/)
})

test('a sample may name a person whom the device serves, and no other', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  const samples = ['leo', 'mia', 'eve'].map((person, index) => ({
    ts: NOW + index,
    metric: 'weight',
    value: 40,
    person,
  }))
  await client.publishAsync('hf/watch-1/obs', JSON.stringify(samples), { qos: 1 })
  assert.deepEqual(
    hub.stored.map(({ personId }) => personId),
    ['leo', 'mia'],
  )
  assert.match(hub.quarantined[0]!.reason, /does not serve this person/)
})

test('no skin contact is nothing to store and nothing to complain about', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/raw/gatt/2a37', Buffer.from('0400', 'hex'), { qos: 1 })
  assert.deepEqual([hub.stored, hub.quarantined], [[], []])
})

test('a quarantined message is acknowledged only once it is on disk', async (t) => {
  let release = () => {}
  const onDisk = new Promise<void>((resolve) => {
    release = resolve
  })
  const hub = await startHub(t, { quarantine: () => onDisk })
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket('hf/watch-1/obs', 'nonsense'), PINGREQ)
  assert.equal((await watch.next()).type, PINGRESP)
  assert.deepEqual(watch.waiting(), [])
  release()
  assert.equal((await watch.next()).type, PUBACK)
})

test('a full store holds the message back and takes it once there is room', async (t) => {
  let attempts = 0
  const hub = await startHub(t, {
    append: async (batch) => {
      if (++attempts < 3) throw new HubError('DISK_FULL', 'The disk is full.')
      return batch.map(() => 'accepted')
    },
  })
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  assert.equal(attempts, 3)
  assert.equal(hub.broker.stats().held, 1)
  assert.equal(hub.broker.stats().unacknowledged, 0)
})

test('a store that shuts down leaves the message unacknowledged and ends the connection', async (t) => {
  const hub = await startHub(t, {
    append: async () => {
      throw new HubError('SHUTTING_DOWN', 'The hub is stopping.')
    },
  })
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket('hf/watch-1/obs', heartRate(72)))
  await watch.ended
  assert.deepEqual(watch.waiting(), [])
  assert.equal(hub.broker.stats().unacknowledged, 1)
})

test('a message that the store will never take is kept aside instead of coming back for ever', async (t) => {
  const hub = await startHub(t, {
    append: async () => {
      throw new HubError('NOT_FOUND', 'This person was removed.')
    },
  })
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  assert.deepEqual(
    hub.quarantined.map(({ code, reason }) => [code, reason]),
    [['NOT_FOUND', 'This person was removed.']],
  )
})

test('stopping lets a message in hand be committed and acknowledged', async (t) => {
  const store = heldStore()
  const hub = await startHub(t, { append: store.append })
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket('hf/watch-1/obs', heartRate(72), { messageId: 5 }))
  await store.asked()
  const stopped = hub.broker.stop(10_000)
  store.commit()
  const { type, body } = await watch.next()
  assert.deepEqual([type, body.readUInt16BE()], [PUBACK, 5])
  await stopped
  await watch.ended
})

test('stopping does not wait for a store that never answers longer than its deadline', async (t) => {
  const store = heldStore()
  const hub = await startHub(t, { append: store.append })
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket('hf/watch-1/obs', heartRate(72)))
  await store.asked()
  await hub.broker.stop(1)
  await watch.ended
  assert.deepEqual(watch.waiting(), [])
})
