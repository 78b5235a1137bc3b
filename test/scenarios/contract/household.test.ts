/** The contract's people, devices and pairing, as seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, addDevice, household, letIn } from './client.ts'

const hub = await household()
const { owner } = hub

function code({ status, json }: Answer): string {
  return `${status} ${json?.error?.code}`
}

const patch = (path: string, body: unknown, token = owner) =>
  hub.ask('PATCH', `/api/v1${path}`, { token, body })

test('a child keeps what the seed sends: an id of its own, age, baseline stress, school events, zone', async () => {
  const sent = {
    id: 'child_77',
    full_name: 'Mia Meyer',
    birth_date: '2017-05-04',
    baseline_stress: 0.3,
    school_events: [{ title: 'Math test', date: '2026-03-16' }, 'Field trip'],
    timezone: 'America/New_York',
    preferences: { colour: 'red' },
  }
  const added = await hub.post('/people', owner, sent)
  assert.equal(added.id, 'child_77')
  assert.deepEqual([added.name, added.full_name], ['Mia Meyer', 'Mia Meyer'])
  assert.equal(added.kind, 'child')
  assert.deepEqual(added.school_events, sent.school_events)
  assert.equal(added.baseline_stress, 0.3)
  const merged = await patch('/people/child_77', { baseline_stress: 0.4, preferences: { size: 1 } })
  assert.deepEqual(merged.json.data.school_events, sent.school_events)
  assert.deepEqual(merged.json.data.preferences, { colour: 'red', size: 1 })
  const put = await hub.ask('PUT', '/api/v1/people/child_77', { token: owner, body: { school_events: [] } })
  assert.deepEqual([put.json.data.school_events, put.json.data.baseline_stress], [[], 0.4])
  const large = await patch('/people/child_77', { school_events: ['x'.repeat(17_000)] })
  assert.equal(code(large), '413 TOO_LARGE')
  assert.equal(code(await hub.ask('POST', '/api/v1/people', { token: owner, body: sent })), '409 CONFLICT')
  assert.equal((await hub.ask('DELETE', '/api/v1/people/child_77', { token: owner })).status, 200)
  assert.equal(code(await hub.ask('GET', '/api/v1/people/child_77', { token: owner })), '404 NOT_FOUND')
})

test('a person with an age but no birth date has that age; ids without shape are refused', async () => {
  const added = await hub.post('/people', owner, { name: 'Tom', age: 14 })
  assert.deepEqual([added.age, added.birth_date, added.kind], [14, null, 'teen'])
  assert.match(added.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/)
  const bad = await hub.ask('POST', '/api/v1/people', { token: owner, body: { id: 'a b', name: 'X' } })
  assert.equal(code(bad), '400 VALIDATION_ERROR')
  assert.equal(bad.json.error.details[0].path, 'id')
})

test('a device is added with a key shown once, changed by PATCH and PUT, and gone when removed', async () => {
  const { id, key } = await addDevice(hub, owner, { id: 'watch-9', person_id: 'child_1' })
  const shown = await hub.get(`/devices/${id}`, owner)
  assert.equal(shown.api_key, undefined)
  assert.deepEqual([shown.type, shown.person_id, shown.online], ['watch', 'child_1', false])
  assert.equal((await patch(`/devices/${id}`, { name: 'Blue' })).json.data.name, 'Blue')
  const put = await hub.ask('PUT', `/api/v1/devices/${id}`, { token: owner, body: { rank: 3 } })
  assert.deepEqual([put.json?.data.rank, put.json?.data.name], [3, 'Blue'])
  for (const reserved of ['in', 'out']) {
    const body = { id: reserved, type: 'watch', name: 'X' }
    assert.ok((await hub.ask('POST', '/api/v1/devices', { token: owner, body })).status >= 400)
  }
  assert.equal((await hub.ask('DELETE', `/api/v1/devices/${id}`, { token: owner })).status, 200)
  const late = await hub.ask('POST', '/api/v1/health_data/ingest', { key, body: { samples: [{}] } })
  assert.equal(code(late), '401 UNAUTHENTICATED')
  assert.equal(
    (await hub.get('/devices', owner)).some((one: { id: string }) => one.id === id),
    false,
  )
})

test('a sample belongs to whoever wore the device at its time, also after a hand-over', async () => {
  const { id, key } = await addDevice(hub, owner, { person_id: 'child_1' })
  const now = Date.now()
  const from = new Date(now - 3_600_000).toISOString()
  const handed = await patch(`/devices/${id}`, { person_id: 'child_2', from })
  assert.equal(handed.json.data.person_id, 'child_2')
  const samples = [
    { ts: now - 7_200_000, metric: 'heart_rate', value: 61 },
    { ts: now - 60_000, metric: 'heart_rate', value: 62 },
  ]
  const stored = await hub.ask('POST', '/api/v1/health_data/ingest', { key, body: { samples } })
  assert.equal(stored.json.data.accepted, 2)
  const values = async (person: string) =>
    (await hub.get(`/people/${person}/observations?metric=hr`, owner)).points.map(
      (point: { value: number }) => point.value,
    )
  assert.deepEqual(await values('child_1'), [61])
  assert.deepEqual(await values('child_2'), [62])
  const ahead = await patch(`/devices/${id}`, { person_id: 'child_1', from: now + 3_600_000 })
  assert.equal(code(ahead), '422 FUTURE_TIMESTAMP')
})

test('pairing by code: connect waits, both see the same words, secrets come once', async () => {
  const offer = await hub.post('/pairing/generate', owner, {
    role: 'member',
    person_id: 'child_1',
    device_type: 'mobile',
  })
  assert.match(offer.code, /^\d{8}$/)
  assert.match(offer.token, /^[A-Za-z0-9_-]{22}$/)
  assert.ok(offer.url.startsWith('https://') && offer.url.includes(offer.token))
  const minutes = (Date.parse(offer.expires_at) - Date.now()) / 60_000
  assert.ok(minutes > 4.9 && minutes <= 5)
  const connect = (secret: object) =>
    hub.ask('POST', '/api/v1/pairing/connect', {
      body: { ...secret, device_name: 'Pixel', device_type: 'mobile' },
    })
  const waiting = await connect({ code: offer.code })
  assert.equal(waiting.status, 202)
  const { id, poll_token: token, words } = waiting.json.data
  assert.equal(words.length, 3)
  assert.equal(code(await connect({ code: offer.code })), '410 PAIRING_EXPIRED')
  const poll = (bearer: string) => hub.ask('GET', `/api/v1/pairing/requests/${id}`, { token: bearer })
  assert.equal((await poll(token)).json.data.status, 'waiting')
  assert.equal(code(await poll('wrong')), '401 PAIRING_INVALID')
  const [open] = await hub.get('/pairing/requests', owner)
  assert.deepEqual([open.id, open.words, open.device_type], [id, words, 'phone'])
  const approved = await hub.post(`/pairing/requests/${id}/approve`, owner, undefined, 200)
  assert.equal(approved.status, 'approved')
  const first = (await poll(token)).json.data
  assert.equal(first.tokens.user.person_id, 'child_1')
  assert.equal((await poll(token)).json.data.tokens, undefined)
  const paired = (await hub.get('/pairing/devices?per_page=200', owner)).find(
    (one: { name: string }) => one.name === 'Pixel',
  )
  assert.ok(paired.paired_at && paired.last_seen)
  assert.equal((await hub.ask('DELETE', `/api/v1/pairing/${paired.id}`, { token: owner })).status, 200)
  const gone = await hub.ask('GET', '/api/v1/auth/me', { token: first.tokens.access_token })
  assert.equal(code(gone), '401 UNAUTHENTICATED')
})

test('a denied newcomer hears so; a device gets its key instead of tokens', async () => {
  const start = async (terms: object) => {
    const offer = await hub.post('/pairing/generate', owner, { role: 'device', ...terms })
    const body = { token: offer.token, device_name: 'Box', device_type: 'edge' }
    return (await hub.ask('POST', '/api/v1/pairing/connect', { body })).json.data
  }
  const denied = await start({ device_type: 'edge' })
  await hub.post(`/pairing/requests/${denied.id}/deny`, owner, undefined, 200)
  const said = await hub.ask('GET', `/api/v1/pairing/requests/${denied.id}`, { token: denied.poll_token })
  assert.equal(said.json.data.status, 'denied')
  const let1 = await start({ device_type: 'gateway', person_id: 'child_1' })
  await hub.post(`/pairing/requests/${let1.id}/approve`, owner, undefined, 200)
  const got = await hub.ask('GET', `/api/v1/pairing/requests/${let1.id}`, { token: let1.poll_token })
  const { id, api_key: key } = got.json.data.device
  assert.equal((await hub.get(`/devices/${id}`, owner)).type, 'gateway')
  const body = { samples: [{ ts: Date.now(), hr: 70 }] }
  assert.equal((await hub.ask('POST', '/api/v1/health_data/ingest', { key, body })).status, 200)
})

test('five wrong codes burn every open one, and pairing is not for members', async () => {
  const offer = await hub.post('/pairing/generate', owner, { role: 'device', device_type: 'watch' })
  const connect = (pin: string) =>
    hub.ask('POST', '/api/v1/pairing/connect', {
      body: { code: pin, device_name: 'Thief', device_type: 'watch' },
    })
  const wrong = offer.code === '00000000' ? '00000001' : '00000000'
  for (let tries = 0; tries < 5; tries += 1) assert.equal(code(await connect(wrong)), '401 PAIRING_INVALID')
  assert.equal(code(await connect(offer.code)), '410 PAIRING_EXPIRED')
  const member = await letIn(hub, owner, { role: 'member', person_id: 'child_2' })
  const body = { role: 'device', device_type: 'watch' }
  assert.equal(
    code(await hub.ask('POST', '/api/v1/pairing/generate', { token: member, body })),
    '403 FORBIDDEN',
  )
  assert.equal(code(await hub.ask('GET', '/api/v1/pairing/devices', { token: member })), '403 FORBIDDEN')
})
