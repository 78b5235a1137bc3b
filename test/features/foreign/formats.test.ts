import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredObservation } from '../../../daemon/domain/observation.ts'
import { fixture } from '../../firmware-bridge/fixtures.ts'
import { setup } from './setup.ts'

interface Message {
  id: string
  topic: string
  retain: boolean
  payload?: string
  payload_hex?: string
}

interface Expected {
  id: string
  samples?: { device: string; metric: string; value: number; t: string }[]
  error?: string
  device?: string
  online?: boolean
}

const { messages } = fixture('mqtt/messages.json') as { messages: Message[] }
const expected = fixture('mqtt/messages.json.expected.json') as { tolerance: number; messages: Expected[] }
const bytesOf = ({ payload, payload_hex: hex }: Message) =>
  hex === undefined ? Buffer.from(payload ?? '') : Buffer.from(hex, 'hex')
/** Topics carry a household's own firmware beside that of others. */
const OWN = /^hf\/([^/]+)\//
/** Thermometers of the messages are a person's. */
const METRICS = { temperature: 'body_temp', tempc: 'body_temp', temp: 'body_temp' }

test('every message of other firmware through the broker becomes what it says', async (t) => {
  const { gateway, add, connect, found, approve, store, quarantined, devices, clock } = await setup(t)
  const own = messages.map(({ topic }) => OWN.exec(topic)?.[1]).find((id) => id !== undefined) ?? 'watch42'
  const watch = await connect(own, await add({ id: own, type: 'watch', person_id: 'mia' }))
  const send = (message: Message) =>
    (OWN.test(message.topic) ? watch : gateway).publishAsync(message.topic, bytesOf(message), {
      qos: 1,
      retain: message.retain,
    })
  for (const message of messages) if (!OWN.test(message.topic)) await send(message)
  const addressOf = new Map([[own, 'own']])
  for (const { key, address } of await found()) {
    const { body } = await approve(key, { name: address, person_id: 'mia', metrics: METRICS })
    addressOf.set(body.data.id, address)
  }
  const committed: StoredObservation[] = []
  t.after(store.onCommitted((rows) => void committed.push(...rows)))
  for (const [index, message] of messages.entries()) {
    const want = expected.messages[index]
    assert.ok(want)
    assert.equal(want.id, message.id)
    const unread = quarantined().length
    const [said = ''] = [...addressOf].find(([, address]) => address === want.device) ?? []
    if (want.online === false) devices.setPresence(said, true, clock.now())
    await send(message)
    const got = committed.splice(0)
    const isOwn = OWN.test(message.topic)
    assert.deepEqual(
      got.map(({ metric, deviceId }) => `${metric} of ${addressOf.get(deviceId)}`),
      (want.samples ?? []).map(({ metric, device }) => `${metric} of ${isOwn ? 'own' : device}`),
      message.id,
    )
    for (const [place, sample] of (want.samples ?? []).entries()) {
      const { value, atMs } = got[place] as StoredObservation
      assert.ok(Math.abs(value - sample.value) <= expected.tolerance, `${message.id}: ${value}`)
      assert.ok(Math.abs(atMs - Date.parse(sample.t)) < 1000, message.id)
    }
    assert.equal(quarantined().length - unread, want.error === undefined ? 0 : 1, message.id)
    if (want.online === false) assert.equal(devices.view(said).online, false, message.id)
  }
})
