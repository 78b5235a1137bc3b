import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDecided } from '../../../daemon/features/foreign/decided.ts'
import { createFound } from '../../../daemon/features/foreign/found.ts'
import { STRAP_TOPIC, setup, strap } from './setup.ts'

test('a strap behind a gateway is found, taken in, and measures its wearer from then on', async (t) => {
  const { gateway, found, approve, store, quarantined } = await setup(t)
  await gateway.publishAsync(STRAP_TOPIC, strap(71), { qos: 1 })
  const [seen, ...others] = await found()
  assert.ok(seen)
  const { key, address, name, kind, via, rssi, messages } = seen
  assert.deepEqual(
    { address, name, kind, via, rssi, messages, others },
    {
      address: 'a0b1c2d3e4f5',
      name: 'Polar H10',
      kind: 'watch',
      via: 'gate',
      rssi: -58,
      messages: 1,
      others: [],
    },
  )
  assert.deepEqual(await store.observations.latest('mia'), [], 'nothing is kept of what nobody took in')
  const { status, body } = await approve(key, { name: 'Strap', person_id: 'mia' })
  assert.equal(status, 201)
  assert.deepEqual([body.data.name, body.data.type, body.data.person_id], ['Strap', 'watch', 'mia'])
  assert.deepEqual(await found(), [])
  await gateway.publishAsync(STRAP_TOPIC, strap(72), { qos: 1 })
  const [latest] = await store.observations.latest('mia')
  assert.deepEqual(
    [latest?.metric, latest?.value, latest?.deviceId, latest?.source],
    ['heart_rate', 72, body.data.id, 'bridge'],
  )
  assert.deepEqual(quarantined(), [])
})

test('what an owner ignores is never found again', async (t) => {
  const { gateway, found, ignore, approve } = await setup(t)
  await gateway.publishAsync(STRAP_TOPIC, strap(71), { qos: 1 })
  const key = (await found())[0]?.key ?? ''
  assert.equal((await ignore(key)).status, 200)
  await gateway.publishAsync(STRAP_TOPIC, strap(72), { qos: 1 })
  assert.deepEqual(await found(), [])
  assert.equal((await ignore(key)).status, 404)
  assert.equal((await approve(key, { name: 'Strap' })).status, 404)
})

test('a device that was removed is found again when it still sends', async (t) => {
  const { gateway, found, approve, call, owner } = await setup(t)
  await gateway.publishAsync(STRAP_TOPIC, strap(71), { qos: 1 })
  const { body } = await approve((await found())[0]?.key ?? '', { name: 'Strap', person_id: 'mia' })
  await call('DELETE', `/devices/${body.data.id}`, { token: owner })
  await gateway.publishAsync(STRAP_TOPIC, strap(72), { qos: 1 })
  assert.deepEqual(
    (await found()).map(({ address }) => address),
    ['a0b1c2d3e4f5'],
  )
})

test('a decision outlives the process', async (t) => {
  const { gateway, found, ignore, store } = await setup(t)
  await gateway.publishAsync(STRAP_TOPIC, strap(71), { qos: 1 })
  await ignore((await found())[0]?.key ?? '')
  assert.deepEqual(createDecided(store).of('a0b1c2d3e4f5'), { deviceId: null, metrics: {} })
})

test('what cannot be read or stored is kept aside with the reason, and acknowledged', async (t) => {
  const { gateway, found, approve, quarantined } = await setup(t)
  await gateway.publishAsync(STRAP_TOPIC, '{"id":', { qos: 1 })
  await gateway.publishAsync(STRAP_TOPIC, strap(71), { qos: 1 })
  await approve((await found())[0]?.key ?? '', { name: 'Strap' })
  await gateway.publishAsync(STRAP_TOPIC, strap(72), { qos: 1 })
  const [unreadable, unworn, ...more] = quarantined()
  assert.deepEqual(
    [unreadable?.topic, unreadable?.code, unworn?.code, more],
    [STRAP_TOPIC, 'VALIDATION_ERROR', 'NOT_FOUND', []],
  )
  assert.match(unreadable?.reason ?? '', /^json/)
  assert.match(unworn?.reason ?? '', /nobody wore the device/)
})

test('an address that is also the id of a device of the hub gives no way into it', async (t) => {
  const { gateway, add, store, found } = await setup(t)
  await add({ id: 'a0b1c2d3e4f5', type: 'watch', person_id: 'mia' })
  await gateway.publishAsync(STRAP_TOPIC, strap(199), { qos: 1 })
  assert.deepEqual(await store.observations.latest('mia'), [])
  assert.equal((await found()).length, 1)
})

test('a device announces itself for Home Assistant, and integrations do not take that for the hub’s word', async (t) => {
  const { gateway, add, connect, found, broker } = await setup(t)
  const ha = await connect('ha', await add({ id: 'ha', type: 'integration', serves: ['mia'] }))
  const topics: string[] = []
  await ha.subscribeAsync('homeassistant/#', { qos: 1 })
  const heard = new Promise<void>((resolve) => {
    ha.on('message', (topic) => {
      topics.push(topic)
      if (topic.endsWith('/end/config')) resolve()
    })
  })
  const config = { stat_t: 'thermo-a/s', dev_cla: 'temperature', uniq_id: 'u1', dev: { ids: ['thermo1'] } }
  for (const qos of [0, 1, 2] as const)
    await gateway.publishAsync('homeassistant/sensor/mia/x/config', JSON.stringify(config), {
      qos,
      retain: true,
    })
  await broker.publish('homeassistant/sensor/mia/end/config', '{}', { qos: 1 })
  await heard
  assert.deepEqual(topics, ['homeassistant/sensor/mia/end/config'])
  assert.deepEqual(
    (await found()).map(({ address }) => address),
    ['thermo1'],
  )
})

test('at most so many found devices are remembered, the newest', () => {
  const found = createFound(2)
  const saw = (address: string) =>
    found.saw({ address, via: 'gate', atMs: 1, name: null, metrics: ['heart_rate'], rssi: null })
  for (const address of ['a', 'b', 'a', 'c']) saw(address)
  assert.deepEqual(
    found.list().map(({ address, messages }) => `${address} ${messages}`),
    ['c 1', 'a 2'],
  )
  assert.equal(found.forgotten, 1)
})
