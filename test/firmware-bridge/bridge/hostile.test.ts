import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { setup } from './setup.ts'

const TOPICS = [
  'homeassistant/sensor/w/hr/config',
  'homeassistant/device/w/config',
  'home/gw/BTtoMQTT/A0B1C2D3E4F5',
  '/ble/data/a0:b1:c2:d3:e4:f5/180d/2a37',
  '/ble/advertise/a0:b1:c2:d3:e4:f5/fcd2',
  '/ble/advertise/a0:b1:c2:d3:e4:f5/espruino',
  'homefield/nus/f5:47:c8:0b:49:04/rx',
  'tele/esp/SENSOR',
  'tele/esp/LWT',
  's',
]
const text = fc.oneof(fc.string({ maxLength: 80 }), fc.json({ maxDepth: 4 }))
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  text.map((value) => Uint8Array.from(Buffer.from(value))),
)

test('whatever is published, the bridge answers and gives only finite numbers', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...TOPICS), bytes), { maxLength: 12 }), (messages) => {
      const { bridge, send } = setup()
      for (const [topic, payload] of messages) {
        const answer = send(topic, payload)
        if (answer.kind !== 'samples') continue
        for (const { value } of answer.samples) assert.ok(typeof value !== 'number' || Number.isFinite(value))
      }
      assert.ok(bridge.counters().entities <= 2000)
    }),
    { numRuns: 300 },
  )
})
