import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createHomeAutomation } from '../../../daemon/features/home-automation/home-automation.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { openHousehold } from '../../fakes/household.ts'

const GATHERED_MS = 500

async function setup(t: TestContext) {
  const { store, clock, people, devices } = await openHousehold(t)
  for (const id of ['mia', 'tom']) await people.add({ id, name: id })
  const add = async (id: string, type: 'watch' | 'integration', personId: string | null) => {
    const planned = devices.plan({ id, name: id, type, personId })
    await store.write(planned.writes)
    planned.committed()
  }
  await add('watch', 'watch', 'mia')
  await add('watch-tom', 'watch', 'tom')
  const said: string[] = []
  const feature = createHomeAutomation({
    store,
    clock,
    log: createLog('silent'),
    heard: devices.heard,
    onHeardChanged: devices.onChanged,
    publish: async (topic, payload) => {
      const value = payload === '' ? 'nothing' : (JSON.parse(payload) as { value: unknown }).value
      said.push(`${topic.slice('hf/out/person/'.length)} ${String(value)}`)
    },
  })
  const measure = (personId: string, value: number, atMs: number, metric = 'heart_rate') =>
    store.observations.append([
      {
        personId,
        deviceId: personId === 'mia' ? 'watch' : 'watch-tom',
        metric,
        atMs,
        value,
        source: 'obs',
        quality: null,
        extra: null,
      },
    ])
  const retract = (personId: string, atMs: number) =>
    store.observations.retract([{ personId, deviceId: 'watch', metric: 'heart_rate', atMs }])
  /** What was said once gathering is over. */
  const heard = async () => {
    // Newest values of a person who is heard anew are read from the store first.
    await store.observations.latest('mia')
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(GATHERED_MS)
    return said.splice(0)
  }
  return { feature, add, measure, retract, heard, devices, people, now: clock.now() }
}

test('values of a person are told gathered, the newest of each metric, and of nobody whom no integration hears', async (t) => {
  const { feature, add, measure, heard, now } = await setup(t)
  await add('ha', 'integration', 'mia')
  await feature.start?.()
  for (const [value, agoMs] of [
    [70, 3000],
    [72, 1000],
    [71, 2000],
  ] as const)
    await measure('mia', value, now - agoMs)
  await measure('mia', 97, now - 1000, 'spo2')
  await measure('tom', 99, now - 1000)
  assert.deepEqual(await heard(), ['mia/heart_rate 72', 'mia/spo2 97'])
  await measure('mia', 60, now - 4000)
  assert.deepEqual(await heard(), [], 'a late value does not stand in front of a newer one')
  await measure('mia', 73, now - 1000)
  assert.deepEqual(await heard(), ['mia/heart_rate 73'], 'a correction is told')
})

test('who is heard from now on is told of from what is stored; who no longer is, is taken back', async (t) => {
  const { feature, add, measure, heard, devices, people, now } = await setup(t)
  await measure('mia', 70, now - 1000)
  await measure('tom', 80, now - 1000)
  await feature.start?.()
  assert.deepEqual(await heard(), [])
  await add('ha', 'integration', 'mia')
  assert.deepEqual(await heard(), ['mia/heart_rate 70'])
  await devices.change('ha', { serves: ['tom'] })
  assert.deepEqual(await heard(), ['tom/heart_rate 80'])
  await devices.change('ha', { personId: null })
  assert.deepEqual(await heard(), ['mia/heart_rate nothing'])
  await people.remove('tom')
  assert.deepEqual(await heard(), ['tom/heart_rate nothing'])
})

test('a value that was taken back gives way to the one before it, or to nothing', async (t) => {
  const { feature, add, measure, retract, heard, now } = await setup(t)
  await add('ha', 'integration', 'mia')
  await feature.start?.()
  await measure('mia', 70, now - 3000)
  await measure('mia', 72, now - 1000)
  assert.deepEqual(await heard(), ['mia/heart_rate 72'])
  await retract('mia', now - 1000)
  assert.deepEqual(await heard(), ['mia/heart_rate 70'])
  await retract('mia', now - 3000)
  assert.deepEqual(await heard(), ['mia/heart_rate nothing'])
  await measure('mia', 68, now - 5000)
  assert.deepEqual(await heard(), ['mia/heart_rate 68'])
})
