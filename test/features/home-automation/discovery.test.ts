import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createDiscovery, type OpenAlarm } from '../../../daemon/features/home-automation/discovery.ts'
import { createHomeAutomation } from '../../../daemon/features/home-automation/home-automation.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { openHousehold } from '../../fakes/household.ts'

async function setup(t: TestContext) {
  const { store, clock, people, devices } = await openHousehold(t)
  await people.add({ id: 'mia', name: 'Mia' })
  const add = async (id: string, type: 'watch' | 'integration', personId: string | null) => {
    const planned = devices.plan({ id, name: id, type, personId })
    await store.write(planned.writes)
    planned.committed()
  }
  await add('watch', 'watch', 'mia')
  /** What a broker would have retained. */
  const retained = new Map<string, string>()
  const publish = async (topic: string, payload: string) => {
    if (payload === '') retained.delete(topic)
    else retained.set(topic, payload)
  }
  const log = createLog('silent')
  const alarms = new Map<string, OpenAlarm>()
  const discovery = createDiscovery({
    ...{ clock, log, publish, alarmOf: (personId: string) => alarms.get(personId) },
    nameOf: (personId) => people.get(personId)?.name ?? null,
    devices: devices.list,
  })
  const feature = createHomeAutomation({
    ...{ store, clock, log, publish },
    heard: devices.heard,
    onHeardChanged: devices.onChanged,
    onKnown: discovery.tell,
  })
  await discovery.feature.start?.()
  await feature.start?.()
  const measured = { personId: 'mia', deviceId: 'watch', source: 'obs', quality: null, extra: null }
  const measure = (metric: string, value: number) =>
    store.observations.append([{ ...measured, metric, value, atMs: clock.now() - 1000 }])
  const settled = async () => {
    await store.observations.latest('mia')
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(500)
    return [...retained.keys()]
      .filter((topic) => topic.startsWith('homeassistant/') && !topic.includes('/alarm'))
      .sort()
  }
  const say = (topic: string) => JSON.parse(retained.get(topic) ?? 'null')
  return { alarms, discovery, add, measure, settled, say, retained, devices, people, store, clock }
}

const HEART = 'homeassistant/sensor/mia/heart_rate/config'
const WATCH = 'homeassistant/binary_sensor/mia/device_watch/config'

test('metrics and devices of a person whom an integration may hear appear, with unit, state topic and availability', async (t) => {
  const { add, measure, settled, say } = await setup(t)
  await measure('heart_rate', 72)
  assert.deepEqual(await settled(), [], 'nobody hears of mia yet')
  await add('ha', 'integration', 'mia')
  assert.deepEqual(await settled(), [WATCH, HEART])
  const heart = say(HEART)
  assert.deepEqual(
    [
      heart.unique_id,
      heart.state_topic,
      heart.unit_of_measurement,
      heart.availability_topic,
      heart.device.name,
    ],
    ['homefield_mia_heart_rate', 'hf/out/person/mia/heart_rate', 'bpm', 'hf/out/hub', 'Mia'],
  )
  assert.equal(say('hf/out/person/mia/device/watch').online, false)
})

test('what goes is taken back: a value, a device, a consent, a person', async (t) => {
  const { add, measure, settled, devices, people, store, clock, retained } = await setup(t)
  await add('ha', 'integration', 'mia')
  await measure('heart_rate', 72)
  await measure('spo2', 97)
  assert.equal((await settled()).length, 3)
  const atMs = clock.now() - 500 - 1000
  await store.observations.retract([{ personId: 'mia', deviceId: 'watch', metric: 'spo2', atMs }])
  assert.deepEqual(await settled(), [WATCH, HEART])
  await devices.revoke('watch')
  assert.deepEqual(await settled(), [HEART])
  assert.equal(retained.has('hf/out/person/mia/device/watch'), false)
  await devices.change('ha', { personId: null })
  assert.deepEqual(await settled(), [])
  await devices.change('ha', { personId: 'mia' })
  assert.deepEqual(await settled(), [HEART])
  await people.remove('mia')
  assert.deepEqual(await settled(), [])
})

test('a device that comes is told at the next look', async (t) => {
  const { add, settled, devices, say, clock } = await setup(t)
  await add('ha', 'integration', 'mia')
  await settled()
  devices.setPresence('watch', true, clock.now())
  clock.advance(30_000)
  assert.equal(say('hf/out/person/mia/device/watch').online, true)
})

test('an alarm of the person switches on at once, brings its two buttons, and takes them back when it is over', async (t) => {
  const { add, measure, settled, say, alarms, discovery, devices, retained, clock } = await setup(t)
  await add('ha', 'integration', 'mia')
  await measure('heart_rate', 72)
  await settled()
  const alarm = say('homeassistant/binary_sensor/mia/alarm/config')
  assert.deepEqual([alarm.device_class, alarm.state_topic], ['safety', 'hf/out/person/mia/alarm'])
  assert.equal(say(alarm.state_topic).state, 'none')
  const buttons = () =>
    [...retained.keys()].filter((topic) => topic.startsWith('homeassistant/button/')).sort()
  assert.deepEqual(buttons(), [])
  alarms.set('mia', { id: 'a1', kind: 'urgent', title: 'Too fast', message: '', createdAtMs: clock.now() })
  discovery.look()
  assert.deepEqual(say(alarm.state_topic), {
    ...{ state: 'open', id: 'a1', kind: 'urgent', title: 'Too fast', message: '' },
    ts: new Date(clock.now()).toISOString(),
  })
  assert.deepEqual(
    buttons().map((topic) => [say(topic).command_topic, say(topic).payload_press]),
    [
      ['hf/in/alert/a1', 'ack'],
      ['hf/in/alert/a1', 'snooze'],
    ],
  )
  alarms.delete('mia')
  discovery.look()
  assert.deepEqual([say(alarm.state_topic).state, buttons()], ['none', []])
  await devices.change('ha', { personId: null })
  await settled()
  assert.equal(retained.has(alarm.state_topic), false, 'nobody hears of mia any more')
})
