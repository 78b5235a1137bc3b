/** Alerts over the real broker: sirens and Home Assistant hear of them and answer. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import mqtt from 'mqtt'
import { createBroker } from '../../../daemon/broker/broker.ts'
import { NOTHING_KEPT } from '../../../daemon/broker/kept-state.ts'
import type { QuarantineEntry } from '../../../daemon/broker/ports.ts'
import { createHubPresence } from '../../../daemon/features/home-automation/hub-presence.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { family } from './setup.ts'

async function setup(t: TestContext) {
  const home = await family(t)
  const { alarms, clock, devices, store } = home
  await home.wears('ha', 'mia', 'integration')
  await home.wears('ha-leo', 'leo', 'integration')
  const log = createLog('silent')
  const quarantined: QuarantineEntry[] = []
  const limits = {
    maxConnections: 16,
    maxConnectionsPerAddress: 16,
    maxPacketBytes: 65_536,
    maxCameraPacketBytes: 65_536,
    maxSubscriptions: 8,
  }
  const broker = await createBroker({
    settings: {
      ...{ tcp: { host: '127.0.0.1', port: 0 }, tls: null, ...limits },
      ...{ messagesPerSecond: 1000, messageBurst: 1000 },
    },
    ports: {
      ...alarms.ports,
      append: store.observations.append,
      keeper: { read: () => NOTHING_KEPT, write: async () => {} },
      quarantine: async (entry) => void quarantined.push(entry),
      devices: {
        authenticate: (deviceId) => ({
          ...{ deviceId, prefixes: [], zone: 'UTC' },
          type: deviceId.startsWith('ha') ? 'integration' : 'watch',
        }),
        wearerAt: devices.wearerAt,
        serves: devices.serves,
        mayHear: devices.mayHear,
        onPresence: devices.setPresence,
      },
    },
    clock,
    log,
  })
  alarms.setPublish(broker.publish)
  const clients: mqtt.MqttClient[] = []
  t.after(async () => {
    for (const client of clients) client.end(true)
    await broker.stop(0)
  })
  const connect = async (deviceId: string, filter: string) => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.mqttPort}`, {
      ...{ clientId: deviceId, username: deviceId, password: 'x', reconnectPeriod: 0 },
    })
    clients.push(client)
    // biome-ignore lint/suspicious/noExplicitAny: messages of every shape
    const heard: { topic: string; message: any }[] = []
    const waiting: (() => void)[] = []
    client.on('message', (topic, payload) => {
      heard.push({ topic, message: JSON.parse(payload.toString()) })
      for (const resolve of waiting.splice(0)) resolve()
    })
    await client.subscribeAsync(filter, { qos: 1 })
    const next = async (topic: string) => {
      for (;;) {
        const index = heard.findIndex((one) => one.topic === topic)
        if (index >= 0) return heard.splice(index, 1)[0]!.message
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    }
    return { client, heard, next }
  }
  return { ...home, broker, log, connect, quarantined }
}

test('Home Assistant hears of an alert, snoozes it for the house and answers it; nobody climbs on', async (t) => {
  const { connect, raise, alert, pass } = await setup(t)
  const { client, next } = await connect('ha', 'hf/out/#')
  const id = await raise('urgent', 'Too fast')
  const word = await next('hf/out/alert')
  assert.deepEqual([word.id, word.state, word.person_id], [id, 'open', 'mia'])
  await client.publishAsync(`hf/in/alert/${id}`, '{"action":"snooze","minutes":30}', { qos: 1 })
  const held = (await alert(id)).deliveries.filter(
    ({ channel, state }: Record<string, string>) => channel === 'house' && state === 'waiting',
  )
  assert.equal(held.length, 1)
  assert.equal((await alert(id)).state, 'open')
  await client.publishAsync(`hf/in/alert/${id}`, 'ack', { qos: 1 })
  const over = await alert(id)
  assert.deepEqual([over.state, over.acknowledged_by, over.next_step_at], ['acknowledged', 'device:ha', null])
  assert.equal((await next('hf/out/alert')).state, 'acknowledged')
  await pass(3_600_000)
  assert.equal((await alert(id)).round, 0)
})

test('an integration without consent for the person neither hears of the alert nor answers it', async (t) => {
  const { connect, raise, alert, quarantined } = await setup(t)
  const { client, heard } = await connect('ha-leo', 'hf/out/#')
  const id = await raise()
  await client.publishAsync(`hf/in/alert/${id}`, 'ack', { qos: 1 })
  assert.equal((await alert(id)).state, 'open')
  assert.deepEqual(
    quarantined.map(({ code, deviceId }) => [code, deviceId]),
    [['NOT_FOUND', 'ha-leo']],
  )
  assert.deepEqual(
    heard.filter(({ topic }) => topic === 'hf/out/alert'),
    [],
  )
})

test('a watch that rang answers from the wrist and is told that it is over', async (t) => {
  const { connect, raise, alert, pass } = await setup(t)
  const { client, next } = await connect('watch-papa', 'hf/watch-papa/cmd')
  const id = await raise()
  await pass(120_000)
  const ring = await next('hf/watch-papa/cmd')
  assert.deepEqual([ring.type, ring.id, ring.step, ring.round], ['alert', id, 2, 0])
  await client.publishAsync('hf/watch-papa/raw/ack', JSON.stringify({ alert: id, action: 'ack' }), { qos: 1 })
  assert.equal((await next('hf/watch-papa/cmd')).type, 'alert_clear')
  assert.equal((await alert(id)).acknowledged_by_name, 'phone of member')
})

test('the house hears every 20 seconds that the hub is there, and its last word when it stops', async (t) => {
  const { connect, broker, clock, log } = await setup(t)
  const publish = (topic: string, payload: string) => broker.publish(topic, payload, { retain: true, qos: 1 })
  const presence = createHubPresence({ clock, log, publish })
  presence.start()
  const { next } = await connect('ha', 'hf/out/#')
  assert.equal((await next('hf/out/hub')).state, 'online')
  clock.advance(20_000)
  assert.equal((await next('hf/out/hub')).ts, new Date(clock.now()).toISOString())
  await presence.leave()
  assert.equal((await next('hf/out/hub')).state, 'offline')
})
