/** One phone is the camera of a whole hub, another one looks through it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPhone, middle, near, ORANGE } from '../media/webrtc/phone.ts'
import { household, inTime, type Json, letIn } from './contract/client.ts'

// The library's threads would keep the test process alive.
after(() => setImmediate(() => process.exit()))

const hub = await household()
const { owner } = hub

const offered = (path: string, token: string, sdp: string) =>
  hub.ask('POST', `/api/v1/cameras/phone/${path}`, {
    ...{ token, bytes: sdp },
    headers: { 'content-type': 'application/sdp' },
  })

test('what one phone films another one sees, until it may no longer', async (t) => {
  await hub.post('/cameras', owner, {
    ...{ id: 'phone', name: 'Phone', kind: 'phone', person_ids: ['child_1'], analyse: false },
  })
  const parent = await letIn(hub, owner, { role: 'caregiver', person_id: 'child_1', classes: ['media'] })
  const [filming, looking] = [createPhone('sendonly'), createPhone('recvonly')]
  t.after(() => {
    filming.leave()
    looking.leave()
  })
  const sent = await offered('webrtc', owner, await filming.offer())
  assert.deepEqual([sent.status, sent.headers['content-type']], [201, 'application/sdp'])
  await filming.accept(sent.bytes.toString())
  filming.send(320, 240, ORANGE)
  const seen = await offered('view', parent, await looking.offer())
  assert.equal(seen.status, 201, seen.bytes.toString())
  await looking.accept(seen.bytes.toString())
  const orange = inTime(
    looking.picture((picture) => near(middle(picture), ORANGE)),
    () => 'nothing orange came',
  )
  assert.equal((await orange).width, 320)
  const camera = await hub.get('/cameras/phone', parent)
  assert.deepEqual([camera.status, camera.stream.codec, camera.vision.state], ['online', 'raw', 'off'])
  assert.equal(await viewers(), 1)
  await hub.ask('POST', '/api/v1/auth/logout', { token: parent })
  assert.equal(await viewers(), 0)
  const location = String(sent.headers['location'])
  assert.equal((await hub.ask('DELETE', location, { token: owner })).status, 200)
  assert.equal((await hub.ask('DELETE', location, { token: owner })).status, 200)
})

async function viewers(): Promise<number> {
  const metrics = (await hub.ask('GET', '/api/v1/metrics', { token: owner })).bytes.toString()
  return Number(/^homefield_camera_viewers (\d+)$/m.exec(metrics)?.[1])
}

test('an offer that is none is refused in words', async () => {
  const cases: [string, string, number][] = [
    ['view', 'v=0 nonsense', 400],
    ['view', '', 400],
    ['view', `v=0\r\n${'a=x\r\n'.repeat(20_000)}`, 413],
    ['webrtc', 'hello', 400],
  ]
  for (const [path, sdp, status] of cases) {
    const answer: Json = await offered(path, owner, sdp)
    assert.equal(answer.status, status, answer.bytes.toString())
    assert.ok(answer.json.error.message.length > 10)
  }
})
