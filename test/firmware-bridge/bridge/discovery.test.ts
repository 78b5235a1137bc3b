import assert from 'node:assert/strict'
import test from 'node:test'
import { setup } from './setup.ts'

const pulse = (id: string, more: object = {}) => ({
  uniq_id: id,
  stat_t: `watches/${id}/state`,
  unit_of_meas: 'bpm',
  dev: { ids: [id] },
  ...more,
})
const config = (id: string) => `homeassistant/sensor/${id}/hr/config`

test('long keys, short keys and a base topic describe the same sensor', () => {
  for (const [keys, topic] of [
    [{ stat_t: '~/state', '~': 'w/1' }, 'w/1/state'],
    [{ state_topic: 'w/2' }, 'w/2'],
    [{ stat_t: 'state/~', '~': 'w/3' }, 'state/w/3'],
  ] as const) {
    const { send, measured } = setup()
    const { stat_t: _, ...rest } = pulse('watch42')
    assert.equal(send(config('watch42'), { ...rest, ...keys }, { retain: true }).kind, 'announced')
    assert.deepEqual(measured(topic, '72'), ['heart_rate 72 bpm'])
  }
})

test('the meaning of a sensor comes from the owner, then its class, then its words', () => {
  const meaning = (more: object, settings = {}) => {
    const { send, measured } = setup({ w: settings })
    send(config('w'), pulse('w', more))
    return measured('watches/w/state', '60')
  }
  assert.deepEqual(meaning({ name: 'Resting heart rate' }), ['resting_heart_rate 60 bpm'])
  assert.deepEqual(meaning({ name: 'HRV', unit_of_meas: 'ms' }), ['hrv_rmssd 60 ms'])
  assert.deepEqual(meaning({ dev_cla: 'temperature', unit_of_meas: '°C' }), ['ambient_temp 60 degC'])
  assert.deepEqual(meaning({ dev_cla: 'temperature', unit_of_meas: '°F', name: 'Skin' }), [
    'skin_temp 15.555556 degC',
  ])
  assert.deepEqual(meaning({ dev_cla: 'weight', unit_of_meas: 'lb' }), ['weight 27.215542 kg'])
  assert.deepEqual(meaning({ name: 'Glucose', unit_of_meas: 'mmol/L' }), ['glucose 1080.936 mg/dL'])
  assert.deepEqual(meaning({ name: 'Puls' }, { metrics: { w: 'pulse_rate' } }), ['pulse_rate 60 bpm'])
  assert.equal(meaning({}, { metrics: { w: 'ignore' } }), 'no_metric')
  assert.equal(meaning({ dev_cla: 'power', unit_of_meas: 'W' }), 'no_metric')
  assert.equal(meaning({ dev_cla: 'weight', unit_of_meas: 'parsec' }), 'unit_not_understood')
})

test('the template subset picks, converts and rounds; what lies beyond it leaves the payload', () => {
  const value = (val_tpl: string, payload: string) => {
    const { send, measured } = setup()
    send(config('w'), pulse('w', { val_tpl }))
    return measured('watches/w/state', payload)
  }
  assert.deepEqual(value("{{ value_json['a'][1].b | float | round(1) }}", '{"a":[0,{"b":"72.26"}]}'), [
    'heart_rate 72.3 bpm',
  ])
  assert.deepEqual(value('{{ value | int }}', '72.9'), ['heart_rate 72 bpm'])
  assert.deepEqual(value('{{ value_json.hr | is_defined }}', '{"hr":72}'), ['heart_rate 72 bpm'])
  assert.equal(value('{{ value_json.hr }}', '{"spo2":98}'), 'no_value')
  assert.equal(value('{{ value_json.__proto__ }}', '{"hr":98}'), 'no_value')
  assert.equal(value('{{ value_json.hr }}', '[1'), 'no_value')
  assert.deepEqual(value('{{ value * 2 }}', '72'), ['heart_rate 72 bpm'])
  assert.deepEqual(value(`{{ value_json${'.a'.repeat(17)} }}`, '72'), ['heart_rate 72 bpm'])
  assert.deepEqual(value(`{{ value ${' '.repeat(600)} }}`, '72'), ['heart_rate 72 bpm'])
  assert.equal(value('{% for i in x %}', 'seventy'), 'not_a_number')
})

test('every way to say nothing is no value', () => {
  const { send, measured } = setup()
  send(config('w'), pulse('w'))
  for (const nothing of ['', 'nan', 'NaN', 'unknown', 'unavailable', 'None'])
    assert.equal(measured('watches/w/state', nothing), 'no_value', nothing)
})

test('availability in its list form, with its own words, tells presence', () => {
  const { send } = setup()
  const avty = [{ t: 'w/there', pl_avail: 'yes', pl_not_avail: 'no' }]
  send(config('w'), pulse('w', { avty }))
  assert.deepEqual(send('w/there', 'yes'), { kind: 'presence', devices: ['w'], online: true })
  assert.deepEqual(send('w/there', 'no'), { kind: 'presence', devices: ['w'], online: false })
  assert.deepEqual(send('w/there', 'maybe'), { kind: 'ignored', reason: 'not_a_presence' })
})

test('what is taken back is forgotten, what is described anew is replaced', () => {
  const { bridge, send, measured } = setup()
  send(config('w'), pulse('w'))
  send(config('w'), pulse('w', { stat_t: 'w/new' }))
  assert.equal(measured('watches/w/state', '72'), 'topic_unknown')
  assert.deepEqual(measured('w/new', '72'), ['heart_rate 72 bpm'])
  assert.deepEqual(send(config('w'), ''), { kind: 'removed', form: 'entity', deviceId: 'w', entities: ['w'] })
  assert.equal(measured('w/new', '72'), 'topic_unknown')
  assert.equal(bridge.counters().entities, 0)
  assert.deepEqual(send(config('w'), ''), { kind: 'ignored', reason: 'never_announced' })
})

test('a switch is not a sensor, a wildcard not a state topic, and a taken id not free', () => {
  const { bridge, send } = setup()
  const refusal = (topic: string, payload: object) => {
    const answer = send(topic, payload)
    return answer.kind === 'ignored' ? answer.reason : answer.kind
  }
  assert.equal(refusal('homeassistant/switch/w/relay/config', pulse('w')), 'not_announced:no_sensor')
  assert.equal(refusal(config('w'), pulse('w', { stat_t: 'watches/#' })), 'not_announced:bad_topic')
  assert.equal(refusal(config('w'), pulse('w', { stat_t: 'x'.repeat(257) })), 'not_announced:bad_topic')
  assert.equal(refusal(config('w'), pulse('w')), 'announced')
  assert.equal(refusal(config('v'), pulse('w')), 'not_announced:unique_id_taken')
  assert.equal(bridge.counters().refused, 4)
})

test('an announcement cannot take over the topic of a gateway', () => {
  const { send, measured } = setup()
  send(config('w'), pulse('w', { stat_t: 'home/gw/BTtoMQTT/A0B1C2D3E4F5', unit_of_meas: 'steps' }))
  assert.deepEqual(measured('home/gw/BTtoMQTT/A0B1C2D3E4F5', { bpm: 72 }), ['heart_rate 72 bpm'])
})

test('a full house refuses the newest announcement and keeps serving those it knows', () => {
  const { bridge, send, measured } = setup({}, { maxEntities: 3 })
  for (const id of ['a', 'b', 'c', 'd']) send(config(id), pulse(id))
  assert.deepEqual(bridge.counters(), { entities: 3, refused: 1, linesDropped: 0 })
  assert.deepEqual(measured('watches/a/state', '72'), ['heart_rate 72 bpm'])
  assert.equal(measured('watches/d/state', '72'), 'topic_unknown')
})

test('large, deep and senseless messages end in an answer', () => {
  const { send } = setup()
  assert.equal(send(config('w'), Buffer.alloc(131_073)).kind, 'undecodable')
  assert.equal(send(config('w'), `{"dev":${'['.repeat(9)}${']'.repeat(9)}}`).kind, 'undecodable')
  assert.equal(send(config('w'), '{"dev":7,"avty":9,"cmps":[],"uniq_id":{}}').kind, 'ignored')
  const parts = Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`p${at}`, { p: 'sensor' }]))
  assert.deepEqual(send('homeassistant/device/w/config', { cmps: parts, stat_t: 's' }), {
    kind: 'ignored',
    reason: 'not_announced:too_many_entities',
  })
  assert.deepEqual(send('x/'.repeat(300), '1'), { kind: 'ignored', reason: 'topic_too_long' })
})
