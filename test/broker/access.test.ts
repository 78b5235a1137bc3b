import assert from 'node:assert/strict'
import test from 'node:test'
import { heartRate, nextMessage, startHub } from './hub.ts'
import {
  CONNACK,
  connectPacket,
  PUBACK,
  type PublishFields,
  packet,
  publishPacket,
  rawClient,
  SUBACK,
  subscribePacket,
  text,
  u16,
} from './raw-client.ts'

const PUBLISHES: readonly [device: string, topic: string, fields: PublishFields, allowed: boolean][] = [
  ['watch-1', 'hf/watch-1/obs', {}, true],
  ['watch-1', 'hf/watch-1/raw/gatt/2a37', {}, true],
  ['watch-1', 'hf/watch-1/raw/gatt', {}, true],
  ['watch-1', 'hf/watch-1/status', { retain: true }, true],
  ['watch-1', 'hf/watch-1/status', {}, true],
  ['watch-1', 'hf/watch-1/log', {}, true],
  ['watch-1', 'hf/watch-1/obs', { retain: true }, false],
  ['watch-1', 'hf/watch-1/raw/gatt/2a37', { retain: true }, false],
  ['watch-1', 'hf/watch-1/cmd', {}, false],
  ['watch-1', 'hf/watch-1/cmd/ota', {}, false],
  ['watch-1', 'hf/watch-1/frame', {}, false],
  ['cam-1', 'hf/cam-1/frame', {}, true],
  ['cam-1', 'hf/watch-1/frame', {}, false],
  ['watch-1', 'hf/watch-2/obs', {}, false],
  ['watch-1', 'hf/watch-2/status', { retain: true }, false],
  ['watch-1', 'hf/watch-1', {}, false],
  ['watch-1', 'hf/watch-10/obs', {}, false],
  ['watch-1', 'hf/out/alert', {}, false],
  ['watch-1', 'hf/in/alert/a1', {}, false],
  ['watch-1', 'homeassistant/sensor/x/config', {}, false],
  ['watch-1', '$SYS/broker', {}, false],
  ['watch-1', 'home/gate-1/BTtoMQTT/A0', {}, false],
  ['watch-1', 'hf/watch-1/\u0000obs', {}, false],
  ['watch-1', 'hf/watch-1/obs', { qos: 0, dup: true }, false],
  ['watch-1', 'hf/watch-1/obs', { messageId: 0 }, false],
  ['gate-1', 'home/gate-1/BTtoMQTT/A0B1', {}, true],
  ['gate-1', 'tele/scale/SENSOR', {}, true],
  ['gate-1', 'home/gate-10/x', {}, false],
  ['gate-1', 'home/gate-1/x', { retain: true }, true],
  ['gate-1', '$SYS/x', {}, false],
  ['gate-1', 'hf/watch-1/obs', {}, false],
  ['ha', 'hf/in/alert/a1', {}, true],
  ['ha', 'hf/in/alert/a1/b', {}, false],
  ['ha', 'hf/in/alert/', {}, false],
  ['ha', 'hf/out/alert', {}, false],
]

for (const [device, topic, fields, allowed] of PUBLISHES) {
  const how = `${fields.retain ? ' retained' : ''}${fields.messageId === 0 ? ' with packet id 0' : ''}${fields.dup ? ' with DUP on QoS 0' : ''}`
  test(`${device} ${allowed ? 'may' : 'is cut off when it wants to'} publish${how} on ${JSON.stringify(topic)}`, async (t) => {
    const hub = await startHub(t)
    const client = await hub.raw(device)
    client.send(publishPacket(topic, heartRate(72), fields))
    if (allowed) assert.equal((await client.next()).type, PUBACK)
    else await client.ended
    const { violations, malformed } = hub.broker.stats()
    assert.equal(violations + malformed, allowed ? 0 : 1)
    if (!allowed) assert.deepEqual([hub.stored, hub.quarantined], [[], []])
  })
}

const SUBSCRIPTIONS: readonly [device: string, filter: string, granted: boolean][] = [
  ['watch-1', 'hf/watch-1/cmd', true],
  ['watch-1', 'hf/watch-1/#', true],
  ['watch-1', 'hf/watch-1/+', true],
  ['watch-1', '#', false],
  ['watch-1', '+/watch-1/cmd', false],
  ['watch-1', 'hf/#', false],
  ['watch-1', 'hf/+/cmd', false],
  ['watch-1', 'hf/watch-2/cmd', false],
  ['watch-1', 'hf/watch-1', false],
  ['watch-1', '$SYS/#', false],
  ['watch-1', '$share/g/hf/watch-1/cmd', false],
  ['watch-1', 'hf/out/#', false],
  ['watch-1', 'test/nosubscribe', false],
  ['ha', 'hf/out/#', true],
  ['ha', 'homeassistant/#', true],
  ['ha', 'hf/ha/cmd', true],
  ['ha', 'hf/#', false],
  ['ha', 'hf/watch-1/obs', false],
  ['gate-1', 'home/gate-1/#', false],
]

for (const [device, filter, granted] of SUBSCRIPTIONS) {
  test(`${device} ${granted ? 'may' : 'may not'} subscribe to ${filter}`, async (t) => {
    const hub = await startHub(t)
    const client = await hub.raw(device)
    client.send(subscribePacket([filter]))
    const { type, body } = await client.next()
    assert.deepEqual([type, body[2]], [SUBACK, granted ? 1 : 0x80])
  })
}

test('the ninth subscription is refused, one given back makes room', async (t) => {
  const hub = await startHub(t)
  const client = await hub.raw('watch-1')
  const filters = Array.from({ length: 9 }, (_, index) => `hf/watch-1/own/${index}`)
  client.send(subscribePacket(filters))
  assert.deepEqual([...(await client.next()).body.subarray(2)], [1, 1, 1, 1, 1, 1, 1, 1, 0x80])
  client.send(packet(0xa2, Buffer.concat([u16(2), text('hf/watch-1/own/0')])))
  await client.next()
  client.send(subscribePacket(['hf/watch-1/own/8'], 3))
  assert.equal((await client.next()).body[2], 1)
  assert.equal(hub.broker.stats().subscriptionsRefused, 1)
})

const REFUSALS: readonly [why: string, bytes: Buffer, returnCode: number][] = [
  ['a wrong key', connectPacket('watch-1', 'key-watch-2'), 4],
  ['an unknown device', connectPacket('ghost', 'key-ghost'), 4],
  [
    'another client id than the device id',
    connectPacket('watch-1', 'key-watch-1', { clientId: 'watch-2' }),
    2,
  ],
  ['no client id', connectPacket('watch-1', 'key-watch-1', { clientId: '' }), 2],
  ['a reserved id', connectPacket('out', 'key-out'), 4],
  ['a key of endless length', connectPacket('watch-1', 'k'.repeat(3000)), 4],
  ['MQTT 3.1', connectPacket('watch-1', 'key-watch-1', { level: 3, protocol: 'MQIsdp' }), 1],
  ['no keepalive', connectPacket('watch-1', 'key-watch-1', { keepalive: 0 }), 6],
  [
    'a will on another device’s topic',
    connectPacket('watch-1', 'key-watch-1', { will: { topic: 'hf/watch-2/status', payload: 'offline' } }),
    5,
  ],
  [
    'a will as command',
    connectPacket('watch-1', 'key-watch-1', { will: { topic: 'hf/watch-1/cmd', payload: 'x' } }),
    5,
  ],
  [
    'a retained will beside status',
    connectPacket('watch-1', 'key-watch-1', {
      will: { topic: 'hf/watch-1/obs', payload: 'x', retain: true },
    }),
    5,
  ],
]

for (const [why, bytes, returnCode] of REFUSALS) {
  test(`a connection with ${why} is refused with code ${returnCode}`, async (t) => {
    const hub = await startHub(t)
    const client = await rawClient(hub.port)
    client.send(bytes)
    const { type, body } = await client.next()
    assert.deepEqual([type, body[1]], [CONNACK, returnCode])
    client.socket.destroy()
    assert.deepEqual(hub.presence, [])
  })
}

test('an integration hears of a person only while there is consent', async (t) => {
  const hub = await startHub(t)
  const ha = await hub.client('ha')
  await ha.subscribeAsync('hf/out/#')
  const heard: string[] = []
  ha.on('message', (_topic, payload) => heard.push(String(payload)))
  await hub.broker.publish('hf/out/person/mia/heart_rate', 'before consent')
  await hub.broker.publish('hf/out/alert', JSON.stringify({ person_id: 'mia', kind: 'urgent' }))
  hub.consented.add('mia')
  const message = nextMessage(ha)
  await hub.broker.publish('hf/out/person/mia/heart_rate', 'with consent')
  await message
  assert.deepEqual(heard, ['with consent'])
})

test('what the hub retained for integrations is withheld at a new subscription without consent', async (t) => {
  const hub = await startHub(t)
  await hub.broker.publish('hf/out/person/mia/heart_rate', '72', { retain: true })
  await hub.broker.publish('hf/out/person/leo/heart_rate', '80', { retain: true })
  hub.consented.add('leo')
  const ha = await hub.client('ha')
  const message = nextMessage(ha)
  await ha.subscribeAsync('hf/out/#')
  const { topic, retain } = await message
  assert.deepEqual([topic, retain], ['hf/out/person/leo/heart_rate', true])
})

test('a refused filter of a persistent session gathers nothing while its device is away', async (t) => {
  const hub = await startHub(t)
  const away = await hub.raw('watch-1', { clean: false })
  away.send(subscribePacket(['hf/watch-1/cmd', 'hf/watch-2/#', '#']))
  assert.deepEqual([...(await away.next()).body.subarray(2)], [1, 0x80, 0x80])
  const gone = hub.presenceChange()
  away.socket.destroy()
  await gone
  await (await hub.client('watch-2')).publishAsync('hf/watch-2/obs', heartRate(72), { qos: 1 })
  await hub.broker.publish('hf/watch-1/cmd', 'identify', { qos: 1 })
  const back = await hub.raw('watch-1', { clean: false })
  const { body } = await back.next()
  assert.match(String(body), /hf\/watch-1\/cmd.*identify/s)
  assert.equal(hub.broker.stats().queueDropped, 0)
})
