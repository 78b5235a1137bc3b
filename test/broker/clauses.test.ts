/** MQTT 3.1.1 clauses that the library under the broker lets through, one packet each over a real socket. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { heartRate, startHub } from './hub.ts'
import {
  CONNACK,
  connectPacket,
  PINGREQ,
  PINGRESP,
  PUBACK,
  packet,
  publishPacket,
  rawClient,
  subscribePacket,
  text,
  u16,
} from './raw-client.ts'

/** A CONNECT from its parts, so that flags and content may disagree. */
function connect(flags: number, ...fields: Buffer[]): Buffer {
  return packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, flags]), u16(60), ...fields]))
}

const raw = (...bytes: number[]) => Buffer.concat([u16(bytes.length), Buffer.from(bytes)])
const ID = text('watch-1')
const KEY = text('key-watch-1')
const SURROGATE = raw(0x77, 0xed, 0xa0, 0x80)
const ZERO = raw(0x77, 0x00)

const REFUSED: readonly (readonly [clause: string, connect: Buffer, returnCode: number | null])[] = [
  [
    '3.1.2-1 another protocol name',
    packet(0x10, Buffer.concat([text('HTTP'), Buffer.from([4, 0xc2]), u16(60), ID, ID, KEY])),
    null,
  ],
  ['3.1.2-2 MQTT 3.1', connectPacket('watch-1', 'key-watch-1', { level: 3, protocol: 'MQIsdp' }), 1],
  ['3.1.2-2 MQTT 5', connectPacket('watch-1', 'key-watch-1', { level: 5 }), 1],
  ['3.1.2-2 a bridge of mosquitto', connectPacket('watch-1', 'key-watch-1', { level: 0x84 }), 1],
  ['3.1.2-3 the reserved flag', connect(0xc3, ID, ID, KEY), null],
  ['3.1.2-13 will QoS without a will', connect(0xca, ID, ID, KEY), null],
  ['3.1.2-15 will retain without a will', connect(0xe2, ID, ID, KEY), null],
  ['3.1.2-14 will QoS 3', connect(0xde, ID, text('hf/watch-1/status'), text('x'), ID, KEY), null],
  ['3.1.2-22 a password without a user name', connect(0x42, ID, KEY), null],
  ['3.1.2-19 a user name flag without a user name', connect(0xc2, ID), null],
  ['3.1.2-18 a user name without its flag', connect(0x02, ID, ID, KEY), null],
  ['3.1.2-21 a password flag without a password', connect(0xc2, ID, ID), null],
  ['3.1.3-8 an empty client id without clean session', connect(0xc0, text(''), ID, KEY), 2],
  ['3.1.3-4 a client id with U+0000', connect(0xc2, ZERO, ID, KEY), null],
  ['3.1.3-4 a client id with a surrogate', connect(0xc2, SURROGATE, ID, KEY), null],
  ['3.1.3-11 a user name with U+0000', connect(0xc2, ID, ZERO, KEY), null],
  ['3.1.3-11 a user name with a surrogate', connect(0xc2, ID, SURROGATE, KEY), null],
  ['3.1.3-10 a will topic with a surrogate', connect(0xce, ID, SURROGATE, text('x'), ID, KEY), null],
  ['4.7.1-1 a will topic with a wildcard', connect(0xce, ID, text('hf/#'), text('x'), ID, KEY), null],
  ['4.7.3-1 an empty will topic', connect(0xce, ID, text(''), text('x'), ID, KEY), null],
  ['bytes after the password', connect(0xc2, ID, ID, KEY, Buffer.of(1)), null],
  ['3.1.0-1 another packet than CONNECT first', PINGREQ, null],
]

for (const [clause, first, returnCode] of REFUSED) {
  test(`[MQTT-${clause}] ends the connection${returnCode === null ? '' : ` with ${returnCode}`}`, async (t) => {
    const hub = await startHub(t)
    const client = await rawClient(hub.port)
    client.send(first)
    await client.ended
    const answers = client.waiting().map(({ type, body }) => [type, body[1]])
    assert.deepEqual(answers, returnCode === null ? [] : [[CONNACK, returnCode]])
    assert.equal(hub.broker.stats().connections, 0)
  })
}

const topic = (name: Buffer, ...rest: Buffer[]) => packet(0x32, Buffer.concat([name, ...rest]))
const filters = (header: number, ...fields: Buffer[]) => packet(header, Buffer.concat([u16(1), ...fields]))
const QOS_0 = Buffer.of(0)

const ENDED: readonly (readonly [clause: string, bytes: Buffer])[] = [
  ['3.1.0-2 a second CONNECT', connectPacket('watch-1', 'key-watch-1')],
  ['2.2.2-2 flags of SUBSCRIBE', packet(0x80, Buffer.concat([u16(1), text('hf/watch-1/#'), QOS_0]))],
  ['2.2.2-2 flags of PINGREQ', packet(0xc1, Buffer.alloc(0))],
  ['2.3.1-1 packet id 0 in PUBLISH', publishPacket('hf/watch-1/obs', heartRate(72), { messageId: 0 })],
  ['2.3.1-1 packet id 0 in SUBSCRIBE', subscribePacket(['hf/watch-1/#'], 0)],
  ['2.3.1-1 packet id 0 in UNSUBSCRIBE', packet(0xa2, Buffer.concat([u16(0), text('a')]))],
  ['2.3.1-1 packet id 0 in PUBREL', packet(0x62, u16(0))],
  ['3.3.1-2 DUP on QoS 0', publishPacket('hf/watch-1/obs', heartRate(72), { qos: 0, dup: true })],
  ['3.3.1-4 QoS 3', packet(0x36, Buffer.concat([text('hf/watch-1/obs'), u16(1), Buffer.from('{}')]))],
  ['1.5.3-2 a topic with U+0000', topic(raw(0x68, 0x66, 0x00), u16(1))],
  ['1.5.3-1 a topic with a surrogate', topic(SURROGATE, u16(1))],
  ['1.5.3-1 a topic in overlong UTF-8', topic(raw(0xc0, 0xaf), u16(1))],
  ['3.3.2-2 a wildcard in a topic', publishPacket('hf/watch-1/+', 'x')],
  ['4.7.3-1 an empty topic', publishPacket('', 'x')],
  ['a topic longer than its packet', packet(0x30, Buffer.concat([u16(40), Buffer.from('hf')]))],
  ['a publish that ends before its id', packet(0x32, text('hf/watch-1/obs'))],
  ['3.8.3-3 SUBSCRIBE without a filter', packet(0x82, u16(1))],
  ['3.8.3-4 requested QoS 3', filters(0x82, text('hf/watch-1/#'), Buffer.of(3))],
  ['3.8.3-1 a filter with a surrogate', filters(0x82, SURROGATE, QOS_0)],
  ['1.5.3-2 a filter with U+0000', filters(0x82, ZERO, QOS_0)],
  ['4.7.3-1 an empty filter', filters(0x82, text(''), QOS_0)],
  ['4.7.1-2 # in the middle of a filter', filters(0x82, text('hf/#/obs'), QOS_0)],
  ['4.7.1-2 # beside other characters', filters(0x82, text('hf/watch-1#'), QOS_0)],
  ['4.7.1-3 + beside other characters', filters(0x82, text('hf/watch-1/a+'), QOS_0)],
  ['a filter without its QoS', filters(0x82, text('hf/watch-1/#'))],
  ['3.10.3-2 UNSUBSCRIBE without a filter', packet(0xa2, u16(1))],
  ['4.7.1-2 UNSUBSCRIBE from a bad filter', filters(0xa2, text('a/#/b'))],
  ['a PUBACK that is too long', packet(0x40, Buffer.from([0, 1, 0]))],
  ['a PUBACK that is too short', packet(0x40, Buffer.from([0]))],
  ['a PINGREQ with content', packet(0xc0, Buffer.from([0]))],
  ['a DISCONNECT with content', packet(0xe0, Buffer.from([0]))],
  ['a packet of the server', packet(0x20, Buffer.from([0, 0]))],
  ['a packet of MQTT 5', packet(0xf0, Buffer.from([0]))],
  ['a packet of no type', packet(0x00, Buffer.from([0]))],
  ['a length of five bytes', Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
]

test('a packet that MQTT 3.1.1 forbids ends its own connection and nothing else', async (t) => {
  const hub = await startHub(t)
  const bystander = await hub.raw('watch-2')
  for (const [clause, bytes] of ENDED) {
    await t.test(`[MQTT-${clause}]`, async () => {
      const client = await hub.raw('watch-1')
      client.send(bytes)
      await client.ended
      assert.deepEqual(client.waiting(), [], 'nothing is answered')
    })
  }
  bystander.send(PINGREQ)
  assert.equal((await bystander.next()).type, PINGRESP)
  assert.deepEqual([hub.stored, hub.quarantined], [[], []])
})

test('what is unusual and allowed goes through', async (t) => {
  const hub = await startHub(t)
  const client = await hub.raw('watch-1')
  client.send(publishPacket('hf/watch-1/raw/ünïcödé-😀', 'x', { messageId: 65_535 }))
  const answer = await client.next()
  assert.deepEqual([answer.type, answer.body.readUInt16BE()], [PUBACK, 65_535])
  client.send(publishPacket('hf/watch-1/obs', '', { messageId: 2 }), PINGREQ)
  const types = [(await client.next()).type, (await client.next()).type]
  assert.deepEqual(
    types.sort((a, b) => a - b),
    [PUBACK, PINGRESP],
  )
})
