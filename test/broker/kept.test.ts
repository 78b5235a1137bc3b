/** What outlives a restart of the broker, over the real store. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { MqttClient } from 'mqtt'
import type { DeviceIdentity } from '../../daemon/broker/ports.ts'
import { createBrokerState } from '../../daemon/store/broker-state.ts'
import { setup as openStore } from '../store/home.ts'
import { type Hub, heartRate, startHub } from './hub.ts'
import { PUBACK, publishPacket } from './raw-client.ts'

const PUBREC = 5
const ALERT = 'hf/out/alert'

async function setup(t: TestContext) {
  const { store } = await openStore(t)
  const keeper = createBrokerState<DeviceIdentity>(store)
  const start = async (): Promise<Hub> => {
    const hub = await startHub(t, { keeper })
    hub.consented.add('mia')
    return hub
  }
  return { start, store }
}

/** Every message until `count` of them came. */
function received(client: MqttClient, count: number): Promise<string[]> {
  const messages: string[] = []
  return new Promise((resolve) => {
    client.on('message', (_topic, payload) => {
      messages.push(String(payload))
      if (messages.length === count) resolve(messages)
    })
  })
}

const alert = (number: number) => JSON.stringify({ person_id: 'mia', number })

/** The next `count` messages of the integration, which sleeps again afterwards. */
async function asleep(hub: Hub, count: number): Promise<string[]> {
  const client = hub.sleeper('ha')
  const messages = await received(client, count)
  await client.endAsync()
  return messages
}

test('messages for a sleeping subscriber and its subscription survive a restart, in order', async (t) => {
  const { start } = await setup(t)
  const first = await start()
  const ha = await first.client('ha', { clean: false })
  await ha.subscribeAsync('hf/out/#', { qos: 1 })
  await ha.endAsync()
  for (let number = 1; number <= 5; number++) await first.broker.publish(ALERT, alert(number), { qos: 1 })
  await first.broker.stop(0)
  const second = await start()
  const messages = await asleep(second, 5)
  assert.deepEqual(messages, [1, 2, 3, 4, 5].map(alert))
  await second.broker.stop(1000)
  const third = await start()
  await third.broker.publish(ALERT, alert(6), { qos: 1 })
  assert.deepEqual(await asleep(third, 1), [alert(6)], 'confirmed messages do not come again')
})

test('what a consent that ended no longer covers leaves the queue', async (t) => {
  const { start, store } = await setup(t)
  const hub = await start()
  const ha = await hub.client('ha', { clean: false })
  await ha.subscribeAsync('hf/out/#', { qos: 1 })
  await ha.endAsync()
  await hub.broker.publish(ALERT, alert(1), { qos: 1 })
  hub.consented.clear()
  hub.broker.recheck()
  await hub.broker.publish(ALERT, alert(2), { qos: 1 })
  await hub.broker.stop(0)
  assert.deepEqual(store.all('SELECT * FROM mqtt_queued'), [])
})

test('a device that was removed leaves nothing behind', async (t) => {
  const { start, store } = await setup(t)
  const hub = await start()
  const watch = await hub.client('watch-1', {
    clean: false,
    will: { topic: 'hf/watch-1/status', payload: Buffer.from('offline'), qos: 1, retain: true },
  })
  await watch.subscribeAsync('hf/watch-1/cmd', { qos: 1 })
  await watch.publishAsync('hf/watch-1/status', 'online', { qos: 1, retain: true })
  await hub.broker.publish('hf/watch-1/cmd', 'identify', { qos: 1 })
  hub.revoked.add('watch-1')
  hub.broker.disconnect('watch-1')
  await hub.broker.stop(0)
  for (const table of ['subscription', 'retained', 'queued', 'will'])
    assert.deepEqual(store.all(`SELECT * FROM mqtt_${table}`), [], table)
})

test('the will of a connection that stood when the program died is said at the next start', async (t) => {
  const { store } = await openStore(t)
  const keeper = createBrokerState<DeviceIdentity>(store)
  const will = (clientId: string, topic: string, payload: string, retain: boolean) => ({
    kind: 'will' as const,
    clientId,
    will: {
      clientId,
      device: { deviceId: clientId, type: 'watch' as const, prefixes: [], zone: 'UTC' },
      topic,
      payload: Buffer.from(payload),
      qos: 1,
      retain,
    },
  })
  await keeper.write([
    will('watch-1', 'hf/watch-1/status', 'offline', true),
    will('watch-2', 'hf/watch-2/obs', heartRate(0.5 + 71.5), false),
  ])
  const hub = await startHub(t, { keeper })
  const watch = await hub.client('watch-1')
  const message = received(watch, 1)
  await watch.subscribeAsync('hf/watch-1/status')
  assert.equal((await message)[0], 'offline')
  await hub.broker.stop(0)
  assert.deepEqual(
    hub.stored.map(({ deviceId, value }) => [deviceId, value]),
    [['watch-2', 72]],
  )
  assert.deepEqual(store.all('SELECT * FROM mqtt_will'), [])
})

test('a QoS 2 message that comes again after a restart is taken once', async (t) => {
  const { start } = await setup(t)
  const first = await start()
  const before = await first.raw('watch-1', { clean: false })
  const bare = JSON.stringify({ metric: 'heart_rate', value: 72, ts: Date.UTC(2026, 2, 14, 8) })
  before.send(publishPacket('hf/watch-1/obs', bare, { qos: 2, messageId: 9 }))
  assert.equal((await before.next()).type, PUBREC)
  await first.broker.stop(0)
  const second = await start()
  const after = await second.raw('watch-1', { clean: false })
  after.send(publishPacket('hf/watch-1/obs', bare, { qos: 2, messageId: 9, dup: true }))
  assert.equal((await after.next()).type, PUBREC)
  assert.deepEqual([first.stored.length, second.stored.length], [1, 0])
})

test('a subscriber is told how many messages left its queue', async (t) => {
  const { start } = await setup(t)
  const first = await start()
  const ha = await first.client('ha', { clean: false })
  await ha.subscribeAsync(['hf/out/#', 'hf/ha/#'], { qos: 1 })
  await ha.endAsync()
  for (let number = 1; number <= 260; number++) await first.broker.publish(ALERT, alert(number), { qos: 1 })
  assert.equal(first.broker.stats().queueDropped, 4)
  await first.broker.stop(0)
  const messages = await asleep(await start(), 257)
  assert.deepEqual(JSON.parse(messages.at(-1)!), {
    type: 'dropped',
    messages: 4,
    reason: 'too much waited while you were away',
  })
  assert.deepEqual([messages[0], messages[255]], [alert(5), alert(260)])
})

test('a status is on disk before it is acknowledged', async (t) => {
  const { start, store } = await setup(t)
  const hub = await start()
  const watch = await hub.raw('watch-1')
  watch.send(publishPacket('hf/watch-1/status', 'online', { retain: true }))
  assert.equal((await watch.next()).type, PUBACK)
  assert.deepEqual(store.all('SELECT topic FROM mqtt_retained'), [{ topic: 'hf/watch-1/status' }])
})
