import assert from 'node:assert/strict'
import test from 'node:test'
import { NOON_MS, setup } from './setup.ts'

const OMG = 'home/OpenMQTTGateway/BTtoMQTT/A0B1C2D3E4F5'
const NUS = 'homefield/nus/f5:47:c8:0b:49:04/rx'

test('a gateway is known by its topic whatever its prefixes are called', () => {
  const { measured } = setup()
  assert.deepEqual(measured('keller/flur/BTtoMQTT/A0B1C2D3E4F5', { bpm: 72 }), ['heart_rate 72 bpm'])
  assert.equal(measured('BTtoMQTT/A0B1C2D3E4F5', { bpm: 72 }), 'topic_unknown')
})

test('a thermometer on the wall is the room, not a fever, until the owner says whose it is', () => {
  assert.deepEqual(setup().measured(OMG, { tempc: 21.5, hum: 48, batt: 90 }), [
    'ambient_temp 21.5 degC',
    'humidity 48 %',
    'battery 90 %',
  ])
  const patch = setup({ a0b1c2d3e4f5: { metrics: { tempc: 'body_temp', hum: 'ignore' } } })
  assert.deepEqual(patch.measured(OMG, { tempc: 37.2, hum: 48 }), ['body_temp 37.2 degC'])
})

test('a strap that lost the skin, and a scale that carries a suitcase, measure nothing', () => {
  const { measured } = setup()
  assert.equal(measured(OMG, { id: 'A0:B1:C2:D3:E4:F5', bpm: 0 }), 'undecoded')
  assert.equal(measured(OMG, { weighing_mode: 'object', weight: 20, unit: 'kg' }), 'not_a_person')
  assert.equal(measured(OMG, { weight: 20, unit: 'stone' }), 'undecodable')
})

test('adverts that the gateway passed on as bytes are read here', () => {
  const { measured } = setup()
  const advert = { servicedatauuid: '0xfcd2', servicedata: '400012016102ca0903bf13' }
  assert.deepEqual(measured(OMG, advert), ['battery 97 %', 'ambient_temp 25.06 degC', 'humidity 50.55 %'])
  assert.deepEqual(measured(OMG, { manufacturerdata: '6b00ff00c84b' }), ['heart_rate 75 bpm'])
  assert.equal(measured(OMG, { servicedatauuid: 'fe95', servicedata: '0011' }), 'undecoded')
  assert.equal(measured(OMG, { manufacturerdata: '4c001005' }), 'undecoded')
})

test('an encrypted BTHome advert is refused and says so', () => {
  const answer = setup().send(OMG, { servicedatauuid: 'fcd2', servicedata: '41a47266c95f730011223378237214' })
  assert.deepEqual(answer, { kind: 'undecodable', error: 'unsupported', detail: 'encrypted BTHome' })
})

test('the answer to a read is decoded by its characteristic, a failed one says so', () => {
  const { measured } = setup()
  const read = { characteristic: '0x2a37', read: '0048' }
  assert.deepEqual(measured(OMG, read), ['heart_rate 72 bpm'])
  assert.equal(measured(OMG, { ...read, success: false }), 'read_failed')
  assert.equal(measured(OMG, { ...read, read: 'xyz' }), 'undecodable')
})

test('what EspruinoHub repeats under its advert topics is not counted twice', () => {
  const { measured } = setup()
  assert.deepEqual(measured('/ble/temp/f5:47:c8:0b:49:04', '21.5'), ['ambient_temp 21.5 degC'])
  assert.equal(measured('/ble/advertise/f5:47:c8:0b:49:04/temp', '21.5'), 'not_a_measurement')
  assert.equal(
    measured('/ble/advertise/f5:47:c8:0b:49:04', { rssi: -60, name: 'Bangle' }),
    'not_a_measurement',
  )
})

test('EspruinoHub passes service data on as a list of bytes and manufacturer data as hex', () => {
  const { measured } = setup()
  assert.deepEqual(measured('/ble/advertise/a0:b1:c2:d3:e4:f5/fcd2', '[64,1,97]'), ['battery 97 %'])
  assert.equal(measured('/ble/advertise/a0:b1:c2:d3:e4:f5/fcd2', '[64,1,'), 'undecodable')
  assert.deepEqual(measured('/ble/advertise/a0:b1:c2:d3:e4:f5/manufacturer/006b', '"ff00c84b"'), [
    'heart_rate 75 bpm',
  ])
})

test('EspruinoHub says who is there', () => {
  assert.deepEqual(setup().send('/ble/presence/f5:47:c8:0b:49:04', '0', { retain: true }), {
    kind: 'presence',
    devices: ['f547c80b4904'],
    online: false,
  })
})

test('the short advert of our own watch app survives quotes and refuses what is no pair', () => {
  const { measured } = setup()
  const topic = '/ble/advertise/f5:47:c8:0b:49:04/espruino'
  assert.deepEqual(measured(topic, '{"hr":81,b:64}'), ['heart_rate 81 bpm', 'battery 64 %'])
  assert.deepEqual(measured(topic, '{hr:0,b:64}'), ['battery 64 %'])
  assert.equal(measured(topic, '{t:1}'), 'undecoded')
  for (const bad of ['{hr:81', '{hr:(1)}', '[1]', `{${'a:1,'.repeat(40)}}`])
    assert.equal(measured(topic, bad), 'undecodable', bad)
})

test('two lines in one payload, and one line in three payloads, are lines all the same', () => {
  const { measured } = setup()
  const line = '{"t":"act","stp":3,"hrm":90,"rt":1}\r\n'
  assert.deepEqual(measured(NUS, line + line), [
    'steps 3 count',
    'heart_rate 90 bpm',
    'steps 3 count',
    'heart_rate 90 bpm',
  ])
  assert.equal(measured(NUS, line.slice(0, 12)), 'line_incomplete')
  assert.equal(measured(NUS, line.slice(12, 30)), 'line_incomplete')
  assert.deepEqual(measured(NUS, line.slice(30)), ['steps 3 count', 'heart_rate 90 bpm'])
})

test('half a line is forgotten after ten seconds and never grows without end', () => {
  const { bridge, send, measured } = setup()
  send(NUS, '{"t":"act","stp":3', { atMs: NOON_MS - 11_000 })
  assert.deepEqual(measured(NUS, '{"t":"status","bat":64}\n'), ['battery 64 %'])
  for (let piece = 0; piece < 10; piece++) send(NUS, `{"t":"${'x'.repeat(400)}`)
  for (let watch = 0; watch < 70; watch++) send(`nus/a0b1c2d3e4${watch + 10}/rx`, '{"t":')
  assert.ok(bridge.counters().linesDropped >= 7)
})

test('a bad line does not cost the good one beside it', () => {
  const answer = setup().send(NUS, 'garbage\n{"t":"status","bat":64}\n')
  assert.ok(answer.kind === 'samples')
  assert.equal(answer.samples.length, 1)
  assert.equal(answer.reason, 'json')
  assert.equal(setup().measured(NUS, '{"t":"info","msg":"hi"}\n'), 'not_a_measurement')
})

test('keys without quotes, as older watch firmware writes them, are read', () => {
  assert.deepEqual(setup().measured(NUS, '{t:"act",stp:3,hrm:90}\n'), ['steps 3 count', 'heart_rate 90 bpm'])
})

test('Tasmota in Fahrenheit, with a dead clock, and with a field that the owner named', () => {
  const { send } = setup({ 'esp-therm': { metrics: { 'DS18B20.Temperature': 'body_temp' } } })
  const report = (Time: string) => ({
    Time,
    DS18B20: { Temperature: 98.6 },
    AM2301: { Temperature: 68, Humidity: 40 },
    TempUnit: 'F',
  })
  const answer = send('tele/esp-therm/SENSOR', report('1970-01-01T00:00:10'))
  assert.ok(answer.kind === 'samples')
  assert.deepEqual(
    answer.samples.map(({ metric, value, atMs }) => [metric, value, atMs]),
    [
      ['body_temp', 37, NOON_MS],
      ['ambient_temp', 20, NOON_MS],
      ['humidity', 40, NOON_MS],
    ],
  )
})

test('a device whose clock runs ahead is told off instead of stored', () => {
  const { send } = setup()
  const answer = send('tele/esp-therm/SENSOR', { Time: '2026-03-14T13:11:00', A: { Humidity: 40 } })
  assert.deepEqual(answer, { kind: 'samples', samples: [], reason: 'future_timestamp' })
  const near = send('tele/esp-therm/SENSOR', { Time: '2026-03-14T13:09:00', A: { Humidity: 40 } })
  assert.ok(near.kind === 'samples' && near.samples.length === 1)
})

test('a kept value that does not say when it was measured is not taken for a new one', () => {
  const { send } = setup()
  const kept = send(OMG, { bpm: 72 }, { retain: true })
  assert.deepEqual(kept, { kind: 'samples', samples: [], reason: 'retained' })
  const timed = send('tele/t/SENSOR', { Time: '2026-03-14T09:00:00', A: { Humidity: 40 } }, { retain: true })
  assert.ok(timed.kind === 'samples' && timed.samples.length === 1)
})
