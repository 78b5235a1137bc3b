/** The contract's MQTT topics, as devices and a home automation see them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encode } from 'cborg'
import mqtt, { type MqttClient } from 'mqtt'
import { addDevice, hearing, household, inTime, type Json } from './client.ts'

const hub = await household()
const { owner } = hub
const watch = await addDevice(hub, owner, { id: 'watch-1', person_id: 'child_1' })
const client = await hub.mqtt(watch.id, watch.key)
const commands = await hearing(client, `hf/${watch.id}/cmd`)
const start = Date.now() - 3_600_000

const send = (topic: string, payload: string | Buffer) => client.publishAsync(topic, payload, { qos: 1 })
const latest = () => hub.get('/people/child_1/latest', owner)
const ended = (one: MqttClient) =>
  inTime(new Promise((resolve) => one.once('close', () => resolve(true))), () => 'the connection stands')

test('obs takes one sample, an array and the wide form, in JSON and CBOR, stored once acknowledged', async () => {
  const json = (value: unknown) => send('hf/watch-1/obs', JSON.stringify(value))
  await json({ ts: start, metric: 'heart_rate', value: 72 })
  assert.equal((await latest()).heart_rate.value, 72)
  await json([
    { ts: start + 1000, metric: 'spo2', value: 97 },
    { ts: new Date(start + 1000).toISOString(), metric: 'stress', value: 40, scale: 100 },
  ])
  await json({ ts: start + 2000, hr: 73, skin_temp: 33.5 })
  await send('hf/watch-1/obs', Buffer.from(encode({ ts: start + 3000, metric: 'steps', value: 12 })))
  await send('hf/watch-1/obs', Buffer.from(encode([{ ts: (start + 4000) / 1000, metric: 'hr', value: 74 }])))
  const found = await latest()
  const shown = ['heart_rate', 'spo2', 'stress', 'skin_temp', 'steps'].map((name) => found[name]?.value)
  assert.deepEqual(shown, [74, 97, 0.4, 33.5, 12])
})

test('raw/gatt/2a37 is a heart rate measurement with its beat intervals', async () => {
  await send('hf/watch-1/raw/gatt/2a37', Buffer.from([0x10, 75, 0x00, 0x04]))
  const { heart_rate: rate, rr_interval: interval } = await latest()
  assert.deepEqual([rate.value, rate.source, interval.value], [75, 'gatt', 1000])
})

test('a payload that cannot be taken is acknowledged, quarantined with its reason and told on cmd', async () => {
  const wrong: [string, string, string][] = [
    ['hf/watch-1/obs', '{"ts":', 'VALIDATION_ERROR'],
    ['hf/watch-1/obs', JSON.stringify({ ts: start, metric: 'karma', value: 1 }), 'UNKNOWN_METRIC'],
    ['hf/watch-1/obs', JSON.stringify({ ts: start, hr: 900 }), 'OUT_OF_RANGE'],
    ['hf/watch-1/obs', JSON.stringify({ ts: Date.now() + 11 * 60_000, hr: 70 }), 'FUTURE_TIMESTAMP'],
    ['hf/watch-1/obs', JSON.stringify({ ts: '2026-03-14T08:00:00', hr: 70 }), 'VALIDATION_ERROR'],
    ['hf/watch-1/obs', JSON.stringify({ ts: start, hr: 70, person: 'child_2' }), 'NOT_FOUND'],
    ['hf/watch-1/raw/unheard/of', 'x', 'UNSUPPORTED_MEDIA'],
  ]
  for (const [topic, payload, code] of wrong) {
    await send(topic, payload)
    const { message } = await commands.next()
    assert.deepEqual([message.type, message.topic, message.code], ['rejected', topic, code])
  }
  const [newest] = await hub.get('/devices/watch-1/quarantine', owner)
  assert.deepEqual(Object.keys(newest).sort(), [
    'at',
    'code',
    'id',
    'payload_base64',
    'payload_bytes',
    'reason',
    'topic',
  ])
  assert.equal((await hub.get('/devices/watch-1', owner)).quarantined, wrong.length)
})

test('presence is the device’s retained status, or its will', async () => {
  const { id, key } = await addDevice(hub, owner, { person_id: 'child_1' })
  const topic = `hf/${id}/status`
  const device = await hub.mqtt(id, key, {
    will: { topic, payload: Buffer.from('offline'), qos: 1, retain: true },
  })
  await device.publishAsync(topic, 'online', { qos: 1, retain: true })
  assert.equal((await hub.get(`/devices/${id}`, owner)).online, true)
  device.stream.destroy()
  let online = true
  for (let looks = 0; online && looks < 100; looks += 1)
    online = (await hub.get(`/devices/${id}`, owner)).online
  assert.equal(online, false)
})

test('a device signs in with its id and key only, and stays within its own topics', async () => {
  await assert.rejects(hub.mqtt(watch.id, 'wrong key'))
  await assert.rejects(hub.mqtt('other-id', watch.key, { username: watch.id }))
  const forbidden: [string, boolean][] = [
    ['hf/watch-2/obs', false],
    ['hf/watch-9/cmd', false],
    ['hf/out/alert', false],
    ['homeassistant/x/config', false],
    ['hf/in/alert/a1', false],
    ['$SYS/x', false],
    ['OWN/cmd', false],
    ['OWN/obs', true],
  ]
  for (const [name, retain] of forbidden) {
    const { id, key } = await addDevice(hub, owner, {})
    const one = await hub.mqtt(id, key)
    const gone = ended(one)
    one.publish(name.replace('OWN', `hf/${id}`), '{}', { qos: 1, retain }, () => {})
    assert.ok(await gone, name)
  }
  for (const filter of ['#', 'hf/#', 'hf/+/obs', 'hf/out/#', 'homeassistant/#', '$SYS/#']) {
    const [granted] = await client.subscribeAsync(filter).catch(() => [{ qos: 128 }])
    assert.equal(granted?.qos, 128, filter)
  }
})

test('a gateway also publishes under the prefixes the owner gave it', async () => {
  const { id, key } = await addDevice(hub, owner, {
    type: 'gateway',
    prefixes: ['home/gate'],
    person_id: 'child_1',
  })
  const gateway = await hub.mqtt(id, key)
  await gateway.publishAsync('home/gate/BTtoMQTT/AA', '{}', { qos: 1 })
  const gone = ended(gateway)
  gateway.publish('home/other/x', '{}', { qos: 1 }, () => {})
  assert.ok(await gone)
})

test('an integration hears the newest values of the persons it was given, retained, and of nobody else', async () => {
  const send2 = (person: string, metric: string, value: number, ts: number) =>
    hub.post('/health_data/ingest', owner, { person_id: person, samples: [{ ts, metric, value }] }, 200)
  await send2('child_2', 'body_temp', 37.5, start)
  await send2('child_1', 'body_temp', 38.5, start)
  const ha = await addDevice(hub, owner, { type: 'integration', name: 'HA', person_id: 'child_1' })
  const home = await hub.mqtt(ha.id, ha.key)
  const heard = await hearing(home, 'hf/out/person/+/body_temp')
  assert.equal(heard.granted, 1)
  const { topic, message } = await heard.next()
  assert.equal(topic, 'hf/out/person/child_1/body_temp')
  assert.deepEqual(message, {
    person_id: 'child_1',
    metric: 'body_temp',
    value: 38.5,
    unit: 'degC',
    ts: new Date(start).toISOString(),
    source: 'health_data',
    device: message.device,
  })
  await send2('child_2', 'body_temp', 37.6, start + 1000)
  await send2('child_1', 'body_temp', 38.6, start + 1000)
  const next = await heard.next()
  assert.deepEqual([next.topic, next.message.value], ['hf/out/person/child_1/body_temp', 38.6])
  await hub.ask('PATCH', `/api/v1/devices/${ha.id}`, { token: owner, body: { serves: ['child_2'] } })
  const other: Json = await heard.next()
  assert.deepEqual([other.topic, other.message.value], ['hf/out/person/child_2/body_temp', 37.6])
  await endsWhenItPublishes(home)
})

async function endsWhenItPublishes(home: MqttClient): Promise<void> {
  const gone = ended(home)
  home.publish('hf/out/person/child_1/body_temp', '{}', { qos: 1 }, () => {})
  assert.ok(await gone)
}

test('removing a device ends its connection at once', async () => {
  const { id, key } = await addDevice(hub, owner, {})
  const one = await hub.mqtt(id, key)
  const gone = ended(one)
  await hub.ask('DELETE', `/api/v1/devices/${id}`, { token: owner })
  assert.ok(await gone)
  await assert.rejects(hub.mqtt(id, key))
})

test('MQTT also comes over WebSocket at /mqtt, and plain on loopback', async () => {
  const { id, key } = await addDevice(hub, owner, { person_id: 'child_1' })
  const ca = readFileSync(join(hub.dataDir, 'tls', 'ca.pem'))
  const { httpsPort, mqttPort } = hub.hub.json
  for (const [url, at] of [
    [`wss://localhost:${httpsPort}/mqtt`, start + 10_000],
    [`mqtt://127.0.0.1:${mqttPort}`, start + 11_000],
  ] as const) {
    const one = await mqtt.connectAsync(url, {
      clientId: id,
      username: id,
      password: key,
      reconnectPeriod: 0,
      ...(url.startsWith('wss') ? { wsOptions: { ca } } : {}),
    })
    await one.publishAsync(`hf/${id}/obs`, JSON.stringify({ ts: at, metric: 'cadence', value: 80 }), {
      qos: 2,
    })
    await one.endAsync()
    assert.equal((await latest()).cadence.ts, new Date(at).toISOString())
  }
})
