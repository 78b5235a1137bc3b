import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { deviceOfKey, newKey } from '../../../daemon/features/devices/keys.ts'
import { openHousehold, temporaryFolder } from '../../fakes/household.ts'

const HOUR = 3_600_000

async function setup(t: TestContext) {
  const home = await openHousehold(t)
  const owner = await home.claimed()
  for (const id of ['mia', 'tom']) await home.people.add({ id, name: id, age: 9 })
  const add = (body: object) =>
    home.call('POST', '/devices', { token: owner, body: { type: 'watch', name: 'W', ...body } })
  const patch = (id: string, body: object) => home.call('PATCH', `/devices/${id}`, { token: owner, body })
  return { ...home, owner, add, patch }
}

test('a new device gets its key once; the store keeps only its hash', async (t) => {
  const { add, call, owner, devices, store, tls } = await setup(t)
  const { status, body } = await add({ id: 'watch_1', person_id: 'mia' })
  assert.equal(status, 201)
  const { api_key: key, paired_at: pairedAt, ...device } = body.data
  assert.match(key, /^hfk_watch_1_[\w-]{43}$/)
  assert.ok(pairedAt)
  assert.deepEqual(device, {
    id: 'watch_1',
    name: 'W',
    type: 'watch',
    person_id: 'mia',
    online: false,
    battery: null,
    last_seen: null,
    revoked: false,
    rank: 100,
    timezone: null,
    prefixes: [],
    serves: [],
    quarantined: 0,
  })
  assert.ok(!JSON.stringify((await call('GET', '/devices/watch_1', { token: owner })).body).includes('hfk_'))
  assert.equal(store.get<{ bytes: number }>('SELECT length(key_hash) AS bytes FROM device')?.bytes, 32)
  assert.deepEqual(devices.authenticate('watch_1', key), {
    deviceId: 'watch_1',
    type: 'watch',
    prefixes: [],
    zone: 'Europe/Berlin',
  })
  assert.equal(tls.renewed, true)
})

test('a key opens its own device and nothing else', async (t) => {
  const { add, devices, call } = await setup(t)
  const key = (await add({ id: 'watch-1', person_id: 'mia', serves: ['tom'] })).body.data.api_key
  await add({ id: 'watch-2' })
  assert.deepEqual(devices.fromApiKey(key), {
    kind: 'device',
    deviceId: 'watch-1',
    type: 'watch',
    role: 'device',
    serves: ['mia', 'tom'],
  })
  for (const [id, tried] of [
    ['watch-2', key],
    ['watch-1', `${key}x`],
    ['watch-1', key.slice(4)],
    ['watch-1', ''],
    ['nobody', newKey('nobody')],
  ] as const) {
    assert.equal(devices.authenticate(id, tried), null)
  }
  for (const tried of [
    '',
    'hfk_',
    key.replace('watch-1', 'watch-2'),
    newKey('watch-1'),
    'x'.repeat(10_000),
  ]) {
    assert.throws(() => devices.fromApiKey(tried), { code: 'UNAUTHENTICATED' })
  }
  assert.equal((await call('GET', '/devices', { key })).status, 403, 'a device reads nothing about others')
  assert.equal((await call('GET', '/devices', { key: newKey('watch-1') })).status, 401)
})

test('keys of ids with underscores and dashes are told apart', () => {
  for (const id of ['a', 'a_b', '_', 'x'.repeat(64)]) assert.equal(deviceOfKey(newKey(id)), id)
  assert.equal(deviceOfKey('hfk_a_short'), null)
})

test('a sample belongs to whoever wore the device at that instant', async (t) => {
  const { add, patch, devices, clock } = await setup(t)
  await add({ id: 'watch-1', person_id: 'mia' })
  const handedMs = clock.now() - 2 * HOUR
  const handed = await patch('watch-1', { person_id: 'tom', from: new Date(handedMs).toISOString() })
  assert.equal(handed.body.data.person_id, 'tom')
  assert.equal(devices.wearerAt('watch-1', handedMs - 1), 'mia')
  assert.equal(devices.wearerAt('watch-1', handedMs), 'tom')
  clock.advance(60_000)
  await patch('watch-1', { person_id: null })
  assert.equal(devices.wearerAt('watch-1', clock.now()), null)
  assert.equal(devices.wearerAt('watch-1', clock.now() - 1), 'tom')
  await patch('watch-1', { person_id: 'mia', from: (handedMs - HOUR) / 1000 })
  assert.equal(
    devices.wearerAt('watch-1', handedMs),
    'mia',
    'an earlier hand-over replaces what was known later',
  )
  assert.equal(devices.wearerAt('nobody', handedMs), null)
})

test('the first wearer is taken to have worn it all along', async (t) => {
  const { add, patch, devices, clock } = await setup(t)
  await add({ id: 'watch-1' })
  await patch('watch-1', { person_id: 'mia' })
  assert.equal(devices.wearerAt('watch-1', clock.now() - 24 * HOUR), 'mia')
})

test('hand-overs that cannot be are refused', async (t) => {
  const { add, patch, clock } = await setup(t)
  await add({ id: 'watch-1', person_id: 'mia' })
  const code = async (body: object) => (await patch('watch-1', body)).body.error.code
  assert.equal(await code({ person_id: 'tom', from: '2026-03-14T08:00:00' }), 'VALIDATION_ERROR')
  assert.equal(await code({ from: clock.now() }), 'VALIDATION_ERROR')
  assert.equal(await code({ person_id: 'tom', from: clock.now() + HOUR }), 'FUTURE_TIMESTAMP')
  assert.equal(await code({ person_id: 'nobody' }), 'NOT_FOUND')
  assert.equal(await code({ prefixes: ['home/esp'] }), 'VALIDATION_ERROR')
  assert.equal(await code({ timezone: 'Mars/Olympus' }), 'VALIDATION_ERROR')
})

test('a gateway owns prefixes, but never the hub’s own topics or wildcards', async (t) => {
  const { add } = await setup(t)
  const prefixes = async (one: string) => (await add({ type: 'edge', prefixes: [one] })).status
  for (const good of ['home/esp', '/ble', 'homeassistant']) assert.equal(await prefixes(good), 201, good)
  for (const bad of ['#', 'home/+', 'hf', 'hf/watch-1', 'homeassistant/x', '$SYS', '', '//home', 'a//b']) {
    assert.equal(await prefixes(bad), 400, bad)
  }
})

test('reserved and taken ids are refused', async (t) => {
  const { add, call, owner } = await setup(t)
  await add({ id: 'watch-1' })
  for (const id of ['in', 'out', 'watch-1']) assert.equal((await add({ id })).body.error.code, 'CONFLICT', id)
  await call('DELETE', '/devices/watch-1', { token: owner })
  assert.equal((await add({ id: 'watch-1' })).body.error.code, 'CONFLICT', 'its values still name it')
})

test('removing a device takes its key away at once and tells those who hold its connection', async (t) => {
  const { add, call, owner, devices, clock } = await setup(t)
  const key = (await add({ id: 'watch-1', person_id: 'mia' })).body.data.api_key
  const revoked: string[] = []
  devices.onRevoked(({ deviceId }) => revoked.push(deviceId))
  assert.equal((await call('DELETE', '/devices/watch-1', { token: owner })).status, 200)
  assert.deepEqual(revoked, ['watch-1'])
  assert.equal(devices.authenticate('watch-1', key), null)
  assert.throws(() => devices.fromApiKey(key), { code: 'UNAUTHENTICATED' })
  assert.equal(devices.serves('watch-1', 'mia'), false)
  assert.equal(devices.wearerAt('watch-1', clock.now() - HOUR), 'mia', 'older values keep their owner')
  assert.deepEqual((await call('GET', '/devices', { token: owner })).body.data, [])
  assert.equal((await call('GET', '/devices/watch-1', { token: owner })).body.data.revoked, true)
  assert.equal((await call('DELETE', '/devices/watch-1', { token: owner })).status, 404)
})

test('presence is live at once, and on disk once a minute and at the end', async (t) => {
  const folder = temporaryFolder(t)
  const home = await openHousehold(t, { folder })
  const owner = await home.claimed()
  await home.people.add({ id: 'mia', name: 'Mia' })
  await home.call('POST', '/devices', {
    token: owner,
    body: { id: 'watch-1', type: 'watch', name: 'W', person_id: 'mia' },
  })
  const { devices, clock, store, events } = home
  const seenMs = clock.now()
  devices.setPresence('watch-1', true, seenMs)
  devices.setPresence('watch-1', true, seenMs + 1000)
  devices.setPresence('nobody', true, seenMs)
  assert.deepEqual(events, [
    { topic: 'edge', type: 'edge_connected', data: { device_id: 'watch-1', person_id: 'mia', online: true } },
  ])
  const stored = () =>
    store.get<{ online: number; last_seen_at: number }>('SELECT online, last_seen_at FROM device')
  assert.deepEqual(stored(), { online: 0, last_seen_at: null })
  clock.advance(60_000)
  await store.write([{ sql: 'DELETE FROM claim_window' }])
  assert.deepEqual(stored(), { online: 1, last_seen_at: seenMs + 1000 })
  devices.charge('watch-1', 81)
  const shown = (await home.call('GET', '/devices/watch-1', { token: owner })).body.data
  assert.deepEqual([shown.online, shown.battery], [true, 81])
  await home.close()
  const again = await openHousehold(t, { folder, clock })
  const [device] = again.devices.list()
  assert.deepEqual(
    [device?.online, device?.battery, Date.parse(device?.last_seen ?? '')],
    [false, 81, seenMs + 1000],
  )
})

test('others see the devices of people they may see, and cannot tell a hidden one from none', async (t) => {
  const { add, call, owner, letIn } = await setup(t)
  await add({ id: 'watch-mia', person_id: 'mia' })
  await add({ id: 'watch-tom', person_id: 'tom' })
  await add({ id: 'scale' })
  const { access_token: token } = await letIn(owner, { role: 'caregiver', person_id: 'mia' })
  const list = await call('GET', '/devices', { token })
  assert.deepEqual(
    list.body.data.map(({ id }: { id: string }) => id),
    ['watch-mia'],
  )
  const missing = await call('GET', '/devices/nobody', { token })
  for (const id of ['watch-tom', 'scale']) {
    const hidden = await call('GET', `/devices/${id}`, { token })
    assert.deepEqual([hidden.status, hidden.body.error], [404, missing.body.error])
  }
  for (const [method, path] of [
    ['PATCH', '/devices/watch-mia'],
    ['DELETE', '/devices/watch-mia'],
    ['GET', '/devices/watch-mia/quarantine'],
  ] as const) {
    const { status } = await call(method, path, {
      token,
      body: method === 'PATCH' ? { name: 'X' } : undefined,
    })
    assert.equal(status, 403, method)
  }
})

test('an owner reads what a device sent that could not be taken, newest first', async (t) => {
  const { add, call, owner, store, clock } = await setup(t)
  await add({ id: 'watch-1', person_id: 'mia' })
  const sql = `INSERT INTO quarantine (device_id, at, topic, code, reason, payload, payload_bytes)
    VALUES ('watch-1', :atMs, 'hf/watch-1/obs', 'OUT_OF_RANGE', :reason, :payload, 4)`
  for (const reason of ['first', 'second']) {
    await store.write([{ sql, params: { atMs: clock.now(), reason, payload: Buffer.from('{hr}') } }])
  }
  const { body } = await call('GET', '/devices/watch-1/quarantine?per_page=1', { token: owner })
  assert.deepEqual(body.pagination, { page: 1, per_page: 1, total: 2, pages: 2 })
  assert.deepEqual(
    [body.data[0].reason, body.data[0].payload_base64],
    ['second', Buffer.from('{hr}').toString('base64')],
  )
  assert.equal((await call('GET', '/devices/watch-1', { token: owner })).body.data.quarantined, 2)
  const listed: { id: string; quarantined: number }[] = (await call('GET', '/devices', { token: owner })).body
    .data
  assert.deepEqual(
    listed.filter(({ quarantined }) => quarantined > 0).map(({ id, quarantined }) => [id, quarantined]),
    [['watch-1', 2]],
  )
})

test('a device names the people it serves only to those who may see them', async (t) => {
  const { add, call, letIn, owner } = await setup(t)
  await add({ id: 'w1', person_id: 'mia', serves: ['mia', 'tom'] })
  const { access_token: coach } = await letIn(owner, { role: 'coach', person_id: 'mia' })
  const seen = async (token: string) => [
    (await call('GET', '/devices', { token })).body.data[0].serves,
    (await call('GET', '/devices/w1', { token })).body.data.serves,
  ]
  assert.deepEqual(await seen(coach), [['mia'], ['mia']])
  assert.deepEqual(await seen(owner), [
    ['mia', 'tom'],
    ['mia', 'tom'],
  ])
})
