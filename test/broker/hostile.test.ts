import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import test from 'node:test'
import { fakeClock } from '../fakes/clock.ts'
import { heartRate, NOW, nextMessage, startHub } from './hub.ts'
import {
  connectPacket,
  PINGREQ,
  PINGRESP,
  PUBACK,
  packet,
  publishPacket,
  rawClient,
  subscribePacket,
} from './raw-client.ts'

const MEGABYTE = 1_048_576

test('a header that announces 256 MB before CONNECT ends the connection at once', async (t) => {
  const hub = await startHub(t)
  const client = await rawClient(hub.port)
  client.send(packet(0x10, Buffer.alloc(100), 256 * MEGABYTE - 1))
  await client.ended
  assert.equal(hub.broker.stats().oversized, 1)
})

test('megabytes thrown at the broker before CONNECT are not even read', async (t) => {
  const hub = await startHub(t)
  const chunk = Buffer.concat([packet(0x10, Buffer.alloc(0), 200 * MEGABYTE), Buffer.alloc(60_000)])
  let readBytes = 0
  const flood = new Duplex({
    read() {
      readBytes += chunk.length
      this.push(chunk)
    },
    write: (_bytes, _encoding, done) => done(),
  })
  flood.on('error', () => {})
  hub.broker.handleStream(flood, 'flood')
  await new Promise((resolve) => flood.once('close', resolve))
  assert.ok(readBytes <= 4 * chunk.length, `${readBytes} bytes were read`)
  assert.equal(hub.broker.stats().oversized, 1)
})

test('a CONNECT of more than 4 KB is refused although it came whole', async (t) => {
  const hub = await startHub(t)
  const client = await rawClient(hub.port)
  client.send(
    connectPacket('watch-1', 'key-watch-1', {
      will: { topic: 'hf/watch-1/status', payload: 'x'.repeat(5000) },
    }),
  )
  await client.ended
  assert.equal(hub.broker.stats().oversized, 1)
})

test('a watch may send 64 KB and not a byte more, a camera a megabyte', async (t) => {
  const frames: number[] = []
  const hub = await startHub(t, { onFrame: (_deviceId, jpeg) => void frames.push(jpeg.byteLength) })
  const topic = 'hf/watch-1/raw/other'
  const overhead = 2 + topic.length + 2
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket(topic, Buffer.alloc(65_536 - overhead)))
  assert.equal((await watch.next()).type, PUBACK)
  watch.send(publishPacket(topic, Buffer.alloc(65_537 - overhead)))
  await watch.ended
  const camera = await hub.raw('cam-1')
  camera.send(publishPacket('hf/cam-1/frame', Buffer.alloc(1_000_000)))
  assert.equal((await camera.next()).type, PUBACK)
  assert.deepEqual(frames, [1_000_000])
  assert.equal(hub.quarantined[0]!.payload.byteLength, 16_384)
  assert.equal(hub.quarantined[0]!.payloadBytes, 65_536 - overhead)
})

test('connections over the limit are turned away and counted', async (t) => {
  const hub = await startHub(t, { settings: { maxConnections: 2 } })
  await hub.raw('watch-1')
  await hub.raw('watch-2')
  const third = await rawClient(hub.port)
  await third.ended
  const { connections, refused } = hub.broker.stats()
  assert.deepEqual([connections, refused], [2, 1])
})

test('a subscriber that stops reading does not hold up the others for ever', async (t) => {
  const hub = await startHub(t)
  hub.consented.add('mia')
  const frozen = await hub.raw('ha')
  frozen.send(subscribePacket(['hf/out/#'], 1, 0))
  await frozen.next()
  frozen.socket.pause()
  const payload = 'x'.repeat(30_000)
  for (let round = 0; round < 600; round++) void hub.broker.publish('hf/out/person/mia/heart_rate', payload)
  const watch = await hub.client('watch-1')
  await watch.subscribeAsync('hf/watch-1/cmd')
  const message = nextMessage(watch)
  await hub.broker.publish('hf/watch-1/cmd', 'identify')
  assert.equal(String((await message).payload), 'identify')
  await watch.publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  assert.equal(hub.stored.length, 1)
})

test('a subscriber that stops reading is cut off, and the others do not notice', async (t) => {
  const hub = await startHub(t, { settings: { drainMs: 200 } })
  hub.consented.add('mia')
  const frozen = await hub.raw('ha')
  frozen.send(subscribePacket(['hf/out/#'], 1, 0))
  await frozen.next()
  frozen.socket.pause()
  const watch = await hub.client('watch-1')
  const payload = 'x'.repeat(60_000)
  let sent = 0
  while (hub.broker.stats().connections === 2) {
    await hub.broker.publish('hf/out/person/mia/heart_rate', payload)
    await watch.publishAsync('hf/watch-1/obs', heartRate(72, sent++), { qos: 1 })
  }
  assert.equal(hub.broker.stats().frozen, 1)
  assert.equal(hub.stored.length, sent)
})

test('one address may hold so many connections, this machine itself as many as there are', async (t) => {
  const hub = await startHub(t, { settings: { maxConnectionsPerAddress: 2 } })
  const admitted = (remote: string) => {
    const stream = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() })
    stream.on('error', () => {})
    hub.broker.handleStream(stream, remote)
    return !stream.destroyed
  }
  assert.deepEqual(['192.168.1.5', '192.168.1.5', '192.168.1.5'].map(admitted), [true, true, false])
  assert.deepEqual(['fd00::1:1', 'fd00::ffff:2', 'fd00:0:0:0::3'].map(admitted), [true, true, false])
  assert.deepEqual(['fd00:0:0:1::3', '::ffff:192.168.1.5'].map(admitted), [true, false])
  assert.deepEqual(['127.0.0.1', '127.0.0.1', '::1'].map(admitted), [true, true, true])
})

test('a flood of connections that say nothing keeps nobody out', async (t) => {
  const hub = await startHub(t)
  const silent = await Promise.all(Array.from({ length: 100 }, () => rawClient(hub.port)))
  await (await hub.client('watch-1')).publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  assert.equal(hub.stored.length, 1)
  assert.ok(hub.broker.stats().halfOpenEnded >= 36)
  for (const { socket } of silent) socket.destroy()
})

test('a device over its rate is paused, not dropped: the rest goes through as time passes', async (t) => {
  const clock = fakeClock(NOW)
  const hub = await startHub(t, { clock, settings: { messagesPerSecond: 10, messageBurst: 3 } })
  const watch = await hub.raw('watch-1')
  const batch = Array.from({ length: 5 }, (_, index) =>
    publishPacket('hf/watch-1/obs', heartRate(70 + index, index), { messageId: index + 1 }),
  )
  watch.send(...batch, PINGREQ)
  assert.deepEqual(
    [
      (await watch.next()).type,
      (await watch.next()).type,
      (await watch.next()).type,
      (await watch.next()).type,
    ].sort((a, b) => b - a),
    [PINGRESP, PUBACK, PUBACK, PUBACK],
  )
  assert.equal(hub.broker.stats().paused, 2)
  assert.equal(hub.stored.length, 3)
  clock.advance(100)
  assert.equal((await watch.next()).body.readUInt16BE(), 4)
  clock.advance(100)
  assert.equal((await watch.next()).body.readUInt16BE(), 5)
  assert.deepEqual(
    hub.stored.map(({ value }) => value),
    [70, 71, 72, 73, 74],
  )
})

test('QoS 2 messages whose release never comes are bounded', async (t) => {
  const hub = await startHub(t)
  const watch = await hub.raw('watch-1')
  for (let id = 1; id <= 65; id++)
    watch.send(publishPacket('hf/watch-1/obs', heartRate(72, id), { qos: 2, messageId: id }))
  await watch.ended
  assert.ok(hub.stored.length >= 64)
})

test('a client that never sends CONNECT costs its connection only', async (t) => {
  const hub = await startHub(t)
  const silent = await rawClient(hub.port)
  await (await hub.client('watch-1')).publishAsync('hf/watch-1/obs', heartRate(72), { qos: 1 })
  const closed = once(silent.socket, 'close')
  await hub.broker.stop(0)
  await closed
  assert.equal(hub.stored.length, 1)
})
