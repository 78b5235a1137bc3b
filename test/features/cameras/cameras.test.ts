import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setup } from './setup.ts'

const URL_TYPED = 'rtsp://admin:c4n%40ry-pass@192.168.1.9:554/main?token=c4nary-token'
const PASSWORDS = ['c4n@ry-pass', 'c4n%40ry-pass', 'c4nary-token', 'c4nary-second']
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xd9])
const add = (fields: object) => ({ name: 'Yard', url: 'rtsp://192.168.1.9/main', ...fields })

test('a camera is kept without its password in the address, and started with it', async (t) => {
  const { call, owner, played } = await setup(t)
  const added = await call('POST', '/cameras', {
    token: owner,
    body: add({ url: URL_TYPED, person_ids: ['mia'] }),
  })
  assert.equal(added.status, 201)
  const { id, ...camera } = added.body.data
  assert.equal(camera.url, 'rtsp://192.168.1.9:554/main?token=hidden')
  assert.deepEqual([camera.kind, camera.has_credentials, camera.status], ['rtsp', true, 'connecting'])
  assert.deepEqual(camera.person_ids, ['mia'])
  assert.deepEqual(played[0]?.started.credentials, { username: 'admin', password: 'c4n@ry-pass' })
  assert.equal(played[0]?.started.url, 'rtsp://192.168.1.9:554/main?token=c4nary-token')
  const listed = await call('GET', '/cameras', { token: owner })
  assert.deepEqual([listed.body.pagination.total, listed.body.data[0].id], [1, id])
})

test('no log line, answer or file of the hub holds a password of a camera', async (t) => {
  const home = await setup(t)
  const { call, owner, lines, folder, close, played } = home
  const seen: string[] = []
  const asked = async (method: string, path: string, body?: object) => {
    const answer = await call(method, path, { token: owner, body })
    seen.push(JSON.stringify(answer.body))
    return answer
  }
  const { id } = (await asked('POST', '/cameras', add({ url: URL_TYPED }))).body.data
  await asked('POST', '/cameras', add({ id, url: URL_TYPED }))
  await asked('POST', '/cameras', add({ url: URL_TYPED, unknown: 1 }))
  await asked('POST', '/cameras', add({ url: `gopher://u:${PASSWORDS[1]}@h/` }))
  await asked('POST', '/cameras/probe', { url: URL_TYPED })
  await asked('PATCH', `/cameras/${id}`, { password: PASSWORDS[3] })
  await asked('PATCH', `/cameras/${id}`, { password: 7 })
  played.at(-1)?.become('online')
  played.at(-1)?.become('offline', { code: 'unauthorized', message: 'Wrong password.' })
  await asked('GET', `/cameras/${id}`)
  await asked('GET', `/cameras/${id}/snapshot.jpg`)
  await asked('GET', '/cameras')
  assert.equal(played.at(-1)?.started.credentials?.password, PASSWORDS[3])
  await close()
  const files = readdirSync(folder).filter((name) => name.startsWith('hub.db'))
  const places = [...seen, ...lines, ...files.map((name) => readFileSync(join(folder, name), 'latin1'))]
  for (const place of places)
    for (const secret of PASSWORDS) assert.ok(!place.includes(secret), place.slice(0, 200))
  assert.ok(files.length > 0 && lines.length > 0)
})

test('a password goes with its camera to no other door', async (t) => {
  const { call, owner, played } = await setup(t)
  const { id } = (await call('POST', '/cameras', { token: owner, body: add({ url: URL_TYPED }) })).body.data
  const change = async (body: object) =>
    (await call('PATCH', `/cameras/${id}`, { token: owner, body })).body.data
  const same = await change({ url: 'rtsp://192.168.1.9:554/other' })
  assert.equal(same.has_credentials, true)
  const shown = await change({ url: same.url, name: 'Gate' })
  assert.deepEqual([shown.name, shown.has_credentials, played.length], ['Gate', true, 2])
  const other = await change({ url: 'rtsp://192.168.1.66:554/other' })
  assert.equal(other.has_credentials, false)
  assert.equal(played.at(-1)?.started.credentials, null)
  assert.equal(played[1]?.stopped, true)
})

test('a camera is seen by its owner, its adder and those with media of everybody it films', async (t) => {
  const { call, owner, letIn } = await setup(t)
  const coach = await letIn('coach', 'mia')
  const media = await letIn('caregiver', 'mia', ['media'])
  const wellness = await letIn('caregiver', 'mia', ['wellness'])
  const mia = await letIn('member', 'mia')
  const made = async (token: string, person_ids: string[]) =>
    (await call('POST', '/cameras', { token, body: add({ person_ids }) })).body.data.id
  const yard = await made(owner, ['mia'])
  const both = await made(owner, ['mia', 'tom'])
  const nobody = await made(owner, [])
  const pitch = await made(coach, ['mia'])
  const seenBy = async (token: string) =>
    (await call('GET', '/cameras', { token })).body.data.map(({ id }: { id: string }) => id)
  assert.deepEqual(await seenBy(owner), [yard, both, nobody, pitch])
  assert.deepEqual(await seenBy(coach), [pitch])
  assert.deepEqual(await seenBy(media), [yard, pitch])
  assert.deepEqual(await seenBy(mia), [yard, pitch])
  assert.deepEqual(await seenBy(wellness), [])
  const hidden = await call('GET', `/cameras/${both}`, { token: mia })
  const unknown = await call('GET', '/cameras/nothing', { token: mia })
  assert.deepEqual([hidden.status, hidden.body.error], [404, unknown.body.error])
  assert.equal((await call('PATCH', `/cameras/${yard}`, { token: mia, body: { name: 'x' } })).status, 403)
  assert.equal((await call('DELETE', `/cameras/${yard}`, { token: coach })).status, 404)
  assert.equal((await call('DELETE', `/cameras/${pitch}`, { token: coach })).status, 200)
  assert.equal((await call('POST', '/cameras', { token: mia, body: add({}) })).status, 403)
  assert.equal(
    (await call('POST', '/cameras', { token: coach, body: add({ person_ids: ['tom'] }) })).status,
    404,
  )
})

test('what does not fit together is refused with the field that is wrong', async (t) => {
  const { call, owner } = await setup(t)
  const cases: [object, number, string][] = [
    [{ name: 'x' }, 400, 'url'],
    [{ name: 'x', url: 'nonsense' }, 400, 'url'],
    [{ name: 'x', url: 'ftp://192.168.1.9/' }, 400, 'url'],
    [{ name: 'x', kind: 'rtsp' }, 400, 'url'],
    [{ name: 'x', kind: 'push', url: 'rtsp://192.168.1.9/' }, 400, 'kind'],
    [{ name: 'x', kind: 'mqtt' }, 400, 'device_id'],
    [{ name: 'x', kind: 'mqtt', device_id: 'nothing' }, 400, 'device_id'],
    [{ name: 'x', kind: 'phone', password: 'p' }, 400, 'username'],
    [{ name: 'x', kind: 'phone', person_ids: ['nobody'] }, 404, ''],
    [{ name: 'x', url: 'file:///etc/passwd' }, 403, ''],
  ]
  for (const [body, status, path] of cases) {
    const answer = await call('POST', '/cameras', { token: owner, body })
    assert.deepEqual(
      [answer.status, answer.body.error.details[0]?.path ?? ''],
      [status, path],
      JSON.stringify(body),
    )
  }
})

test('the seventeenth camera is refused', async (t) => {
  const { call, owner } = await setup(t)
  for (let n = 0; n < 16; n++)
    assert.equal(
      (await call('POST', '/cameras', { token: owner, body: { name: 'x', kind: 'push' } })).status,
      201,
    )
  const refused = await call('POST', '/cameras', { token: owner, body: { name: 'x', kind: 'push' } })
  assert.equal(refused.status, 409)
  assert.match(refused.body.error.message, /16 cameras/)
})

test('a camera that comes and goes is told of once each way', async (t) => {
  const { call, owner, played, told } = await setup(t)
  const { id } = (await call('POST', '/cameras', { token: owner, body: add({}) })).body.data
  played[0]?.become('online')
  played[0]?.become('online')
  played[0]?.become('offline', { code: 'stalled', message: 'No picture for 5 s.' })
  assert.deepEqual(told, [
    { type: 'edge_connected', data: { camera_id: id, online: true, reason: null } },
    { type: 'edge_disconnected', data: { camera_id: id, online: false, reason: 'No picture for 5 s.' } },
  ])
  const off = await call('PATCH', `/cameras/${id}`, { token: owner, body: { enabled: false } })
  assert.deepEqual([off.body.data.status, played[0]?.stopped], ['disabled', true])
})

test('a frame of a device reaches its camera; one that nobody waits for is refused', async (t) => {
  const { call, owner, played, cameras, clock } = await setup(t)
  for (const id of ['cam-1', 'cam-2'])
    await call('POST', '/devices', { token: owner, body: { id, name: id, type: 'camera' } })
  const body = { name: 'Gate', device_id: 'cam-1' }
  const added = await call('POST', '/cameras', { token: owner, body })
  assert.deepEqual([added.status, added.body.data.kind], [201, 'mqtt'])
  assert.equal((await call('POST', '/cameras', { token: owner, body })).status, 409)
  cameras.frame('cam-1', JPEG, clock.now())
  assert.equal(played[0]?.pushed.length, 1)
  assert.throws(() => cameras.frame('cam-2', JPEG, clock.now()), { code: 'NOT_FOUND' })
})

test('a picture is posted as it is or in a form, by the device or by whoever may change the camera', async (t) => {
  const { call, owner, played, letIn } = await setup(t)
  const device = { id: 'cam-1', name: 'x', type: 'camera' }
  const key: string = (await call('POST', '/devices', { token: owner, body: device })).body.data.api_key
  const watch = { id: 'watch-1', name: 'x', type: 'watch', person_id: 'mia' }
  const watchKey: string = (await call('POST', '/devices', { token: owner, body: watch })).body.data.api_key
  const made = await call('POST', '/cameras', {
    token: owner,
    body: { id: 'gate', name: 'Gate', kind: 'push', device_id: 'cam-1', person_ids: ['mia'] },
  })
  assert.equal(made.status, 201)
  await call('POST', '/cameras', { token: owner, body: add({ id: 'yard' }) })
  const post = (path: string, body: Buffer, how: { token?: string; key?: string }, type = 'image/jpeg') =>
    call('POST', `/live/frame${path}`, { ...how, body, headers: { 'content-type': type } })
  const form = Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="camera_id"\r\n\r\ngate\r\n--b\r\n'),
    Buffer.from(
      'Content-Disposition: form-data; name="frame"; filename="f.jpg"\r\nContent-Type: image/jpeg\r\n\r\n',
    ),
    JPEG,
    Buffer.from('\r\n--b--\r\n'),
  ])
  const first = await post('', JPEG, { key })
  assert.deepEqual([first.status, first.body.data], [202, { frame_seq: 1, accepted: true }])
  const second = await post('', form, { token: owner }, 'multipart/form-data; boundary=b')
  assert.deepEqual([second.status, second.body.data.frame_seq], [202, 2])
  assert.deepEqual(
    played[0]?.pushed.map((jpeg) => [...jpeg]),
    [[...JPEG], [...JPEG]],
  )
  const mia = await letIn('member', 'mia')
  const refusals: [number, Promise<{ status: number }>][] = [
    [400, post('', JPEG, { token: owner })],
    [404, post('?camera_id=nothing', JPEG, { token: owner })],
    [404, post('?camera_id=yard', JPEG, { key })],
    [403, post('', JPEG, { key: watchKey })],
    [403, post('?camera_id=gate', JPEG, { token: mia })],
    [409, post('?camera_id=yard', JPEG, { token: owner })],
    [415, post('?camera_id=gate', Buffer.from('no picture'), { token: owner })],
    [415, post('?camera_id=gate', JPEG, { token: owner }, 'text/plain')],
    [413, post('?camera_id=gate', Buffer.alloc(1_048_577, 0xff), { token: owner })],
    [413, post('?camera_id=gate', Buffer.alloc(1_100_000), { token: owner })],
    [400, post('', Buffer.from('--b\r\nhalf'), { token: owner }, 'multipart/form-data; boundary=b')],
  ]
  for (const [index, [status, answer]] of refusals.entries())
    assert.equal((await answer).status, status, String(index))
})

test('a snapshot is the newest picture, and none older than ten seconds', async (t) => {
  const { call, owner, played, clock, server } = await setup(t)
  const { id } = (await call('POST', '/cameras', { token: owner, body: add({}) })).body.data
  const get = async () => {
    const http = await server.ready()
    const headers = { host: 'homefield.local', authorization: `Bearer ${owner}` }
    return http.inject({ url: `/api/v1/cameras/${id}/snapshot.jpg`, headers })
  }
  assert.equal((await get()).statusCode, 503)
  const [running] = played
  assert.ok(running)
  running.picture = { jpeg: JPEG, capturedAtMs: clock.now() }
  const shown = await get()
  assert.deepEqual([shown.statusCode, shown.headers['content-type']], [200, 'image/jpeg'])
  assert.deepEqual([...shown.rawPayload], [...JPEG])
  clock.advance(10_001)
  running.become('offline', { code: 'stalled', message: 'No picture for 5 s.' })
  const late = await get()
  assert.equal(late.statusCode, 503)
  assert.match(late.json().error.message, /No picture for 5 s/)
})

test('a look before a camera is added says what it gives or what is wrong', async (t) => {
  const { call, owner, played } = await setup(t)
  const look = (url: string) => call('POST', '/cameras/probe', { token: owner, body: { url } })
  const good = (await look('rtsp://admin:right@192.168.1.9/')).body.data
  assert.deepEqual([good.ok, good.stream.width, good.first_frame_ms], [true, 640, 12])
  const bad = (await look('rtsp://admin:wrong@192.168.1.9/')).body.data
  assert.deepEqual([bad.ok, bad.problem.code], [false, 'unauthorized'])
  const found = await call('POST', '/cameras/discover', { token: owner })
  assert.equal(found.body.data.found[0].name, 'Yard')
  assert.equal(played.length, 0)
})

test('a view by WebRTC is answered, ended by its viewer only, and closed with the right to it', async (t) => {
  const { call, owner, played, letIn, server, accounts, clock } = await setup(t)
  const { id } = (await call('POST', '/cameras', { token: owner, body: add({ person_ids: ['mia'] }) })).body
    .data
  const media = await letIn('caregiver', 'mia', ['media'])
  const http = await server.ready()
  const offer = (token: string, path = 'view', type = 'application/sdp') =>
    http.inject({
      ...{ method: 'POST', url: `/api/v1/cameras/${id}/${path}`, payload: 'v=0' },
      headers: { host: 'homefield.local', authorization: `Bearer ${token}`, 'content-type': type },
    })
  const answer = await offer(media)
  assert.deepEqual([answer.statusCode, answer.headers['content-type']], [201, 'application/sdp'])
  assert.equal(answer.body, 'v=0 answer')
  const location = String(answer.headers.location).replace('/api/v1', '')
  assert.equal(location, `/cameras/${id}/view/view-1`)
  assert.equal((await call('DELETE', location, { token: owner })).status, 404)
  assert.deepEqual(played[0]?.closed, [])
  assert.equal((await call('DELETE', location, { token: media })).status, 200)
  assert.equal((await call('DELETE', location, { token: media })).status, 200, 'hanging up twice is no fault')
  assert.equal((await call('DELETE', location, { token: owner })).status, 404, 'nor anybody else’s to do')
  await offer(media)
  for (const { signIn } of accounts.paired()) await accounts.revokeSignIn(signIn.id)
  clock.advance(1000)
  assert.deepEqual(played[0]?.closed, ['view-1', 'view-2'])
  assert.equal((await offer(media)).statusCode, 401)
  assert.equal((await offer(owner, 'view', 'text/plain')).statusCode, 415)
  assert.equal((await offer(owner, 'webrtc')).statusCode, 409)
})

test('what a phone found by itself is taken from whoever may change its camera', async (t) => {
  const { call, owner, cameras, letIn, accounts } = await setup(t)
  await call('POST', '/cameras', { token: owner, body: { id: 'phone', name: 'Phone', kind: 'phone' } })
  await call('POST', '/cameras', { token: owner, body: { id: 'gate', name: 'Gate', kind: 'push' } })
  const me = await accounts.fromBearer(owner)
  const member = await accounts.fromBearer(await letIn('member', 'mia'))
  const named = { name: 'lite', version: '1' }
  const batch = (camera_id: string) => ({
    ...{ camera_id, sent_at: 1000, width: 640, height: 360, models: { detector: named, pose: named } },
    frames: [
      { at: 900, people: [] },
      { at: 800, people: [] },
    ],
  })
  assert.deepEqual(cameras.landmarks(me, batch('phone'), 'one').taken, 1)
  assert.throws(() => cameras.landmarks(me, batch('gate'), 'one'), { code: 'CONFLICT' })
  assert.throws(() => cameras.landmarks(me, batch('nowhere'), 'one'), { code: 'NOT_FOUND' })
  assert.throws(() => cameras.landmarks(member, batch('phone'), 'one'), { code: 'NOT_FOUND' })
  assert.throws(() => cameras.landmarks(me, { ...batch('phone'), session_id: 'game' }, 'one'), {
    code: 'NOT_FOUND',
  })
  await call('PATCH', '/cameras/phone', { token: owner, body: { enabled: false } })
  assert.throws(() => cameras.landmarks(me, batch('phone'), 'one'), { code: 'OVERLOADED' })
})

test('a phone is a camera for as long as whoever brought it may change that camera', async (t) => {
  const { call, owner, played, server } = await setup(t)
  await call('POST', '/cameras', { token: owner, body: { id: 'phone', name: 'Phone', kind: 'phone' } })
  const http = await server.ready()
  const headers = {
    host: 'homefield.local',
    authorization: `Bearer ${owner}`,
    'content-type': 'application/sdp',
  }
  const send = () =>
    http.inject({ method: 'POST', url: '/api/v1/cameras/phone/webrtc', payload: 'v=0', headers })
  assert.equal((await send()).headers.location, '/api/v1/cameras/phone/webrtc/phone-1')
  for (const listener of played[0]?.over ?? []) listener('phone-1')
  // The phone may hang up a moment after the connection was lost; what never was is not there.
  assert.equal((await call('DELETE', '/cameras/phone/webrtc/phone-1', { token: owner })).status, 200)
  assert.equal((await call('DELETE', '/cameras/phone/webrtc/phone-7', { token: owner })).status, 404)
  await send()
  await call('PATCH', '/cameras/phone', { token: owner, body: { enabled: false } })
  assert.deepEqual(played[0]?.closed, ['phone-1', 'phone-1'])
  assert.equal((await send()).statusCode, 503)
})

test('the ninth viewer of a camera is told that eight are there', async (t) => {
  const { call, owner, server } = await setup(t)
  const { id } = (await call('POST', '/cameras', { token: owner, body: add({}) })).body.data
  const http = await server.ready()
  const headers = {
    host: 'homefield.local',
    authorization: `Bearer ${owner}`,
    'content-type': 'application/sdp',
  }
  const look = () =>
    http.inject({ method: 'POST', url: `/api/v1/cameras/${id}/view`, payload: 'v=0', headers })
  for (let n = 0; n < 8; n++) assert.equal((await look()).statusCode, 201)
  const ninth = await look()
  assert.deepEqual([ninth.statusCode, ninth.headers['retry-after']], [503, '10'])
})
