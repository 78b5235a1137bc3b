import assert from 'node:assert/strict'
import test from 'node:test'
import { heartRate, nextMessage, startHub } from './hub.ts'
import { DISCONNECT, PUBACK, publishPacket } from './raw-client.ts'

const WILL = { topic: 'hf/watch-1/status', payload: 'offline', retain: true }

test('a device is online when connected and offline when it says goodbye, without a will too', async (t) => {
  const hub = await startHub(t)
  const watch = await hub.raw('watch-1')
  const gone = hub.presenceChange()
  watch.send(DISCONNECT)
  await gone
  assert.deepEqual(hub.presence, ['watch-1 online', 'watch-1 offline'])
})

test('a connection that breaks leaves its will as the retained status', async (t) => {
  const hub = await startHub(t)
  const watch = await hub.raw('watch-1', { will: WILL })
  watch.send(publishPacket('hf/watch-1/status', 'online', { retain: true }))
  assert.equal((await watch.next()).type, PUBACK)
  const gone = hub.presenceChange()
  watch.socket.resetAndDestroy()
  await gone
  const again = await hub.client('watch-1')
  const message = nextMessage(again)
  await again.subscribeAsync('hf/watch-1/status')
  const { payload, retain } = await message
  assert.deepEqual([String(payload), retain], ['offline', true])
  assert.deepEqual(hub.presence, ['watch-1 online', 'watch-1 offline', 'watch-1 online'])
})

test('a device’s own word on its status counts, and is reported once', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  for (const word of ['online', 'offline', 'offline', 'online']) {
    await client.publishAsync('hf/watch-1/status', word, { qos: 1, retain: true })
  }
  assert.deepEqual(hub.presence, ['watch-1 online', 'watch-1 offline', 'watch-1 online'])
})

test('a status that is neither online nor offline is kept aside and not retained', async (t) => {
  const hub = await startHub(t)
  const client = await hub.client('watch-1')
  await client.publishAsync('hf/watch-1/status', 'sleepy', { qos: 1, retain: true })
  assert.equal(hub.quarantined.length, 1)
  await client.publishAsync('hf/watch-1/status', 'online', { qos: 1, retain: true })
  const message = nextMessage(client)
  await client.subscribeAsync('hf/watch-1/status')
  assert.equal(String((await message).payload), 'online')
})

test('a second connection of a device takes over, and the device stays online', async (t) => {
  const hub = await startHub(t)
  const first = await hub.raw('watch-1', { will: WILL })
  const second = await hub.raw('watch-1', { will: WILL })
  await first.ended
  second.send(publishPacket('hf/watch-1/obs', heartRate(72)))
  assert.equal((await second.next()).type, PUBACK)
  assert.equal(hub.presence.at(-1), 'watch-1 online')
})

test('revoking a device ends its connection at once and publishes no will', async (t) => {
  const hub = await startHub(t)
  const watch = await hub.raw('watch-1', { will: WILL })
  hub.revoked.add('watch-1')
  hub.broker.disconnect('watch-1')
  await watch.ended
  assert.deepEqual(hub.presence, ['watch-1 online', 'watch-1 offline'])
  await assert.rejects(hub.raw('watch-1'), /refused with 4/)
})
