/** Cameras of a whole hub: pictures in over every way, out as pictures, for those who may see them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import turbo from '@julusian/jpeg-turbo'
import { decodeJpeg } from '../../models/detect/jpeg.ts'
import { ADMIN, clip, camera as rtspCamera } from '../media/rtsp/camera.ts'
import { addDevice, household, inTime, type Json, letIn } from './contract/client.ts'

const hub = await household({ HOMEFIELD_LOG: 'trace' })
const { owner } = hub
const PASSWORD = 'c4nary-yard-pass'
const SIZE = { width: 320, height: 240 }

function picture(brightness: number): Buffer {
  const rgb = Buffer.alloc(SIZE.width * SIZE.height * 3, brightness)
  return turbo.compressSync(rgb, { ...SIZE, format: turbo.FORMAT_RGB, quality: 80 })
}

const camera = (id: string): Promise<Json> => hub.get(`/cameras/${id}`, owner)

/** The camera once it is as wanted; asked again each 100 ms because nothing tells an outsider without a socket. */
async function becomes(id: string, fits: (camera: Json) => boolean, withinMs = 12_000): Promise<Json> {
  const untilMs = Date.now() + withinMs
  for (;;) {
    const seen = await camera(id)
    if (fits(seen)) return seen
    if (Date.now() > untilMs) throw new Error(`the camera stays ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('pictures that a device publishes become a camera with a snapshot', async () => {
  const { id, key } = await addDevice(hub, owner, { id: 'esp-1', type: 'camera', name: 'ESP32' })
  const client = await hub.mqtt(id, key)
  await hub.post('/cameras', owner, {
    id: 'gate',
    name: 'Gate',
    device_id: id,
    person_ids: ['child_1'],
    analyse: false,
  })
  assert.equal((await hub.ask('GET', '/api/v1/cameras/gate/snapshot.jpg', { token: owner })).status, 503)
  const publish = () => client.publishAsync('hf/esp-1/frame', picture(90), { qos: 1 })
  const timer = setInterval(() => void publish().catch(() => {}), 200)
  try {
    const online = await becomes('gate', ({ status }) => status === 'online')
    assert.deepEqual([online.kind, online.stream.codec, online.stream.width], ['mqtt', 'jpeg', 320])
    const shown = await hub.ask('GET', '/api/v1/cameras/gate/snapshot.jpg', { token: owner })
    assert.deepEqual([shown.status, shown.headers['content-type']], [200, 'image/jpeg'])
    const { width, height } = decodeJpeg(shown.bytes)
    assert.deepEqual({ width, height }, SIZE)
    assert.ok((await streamed('gate', owner)) > 1)
  } finally {
    clearInterval(timer)
  }
  const offline = await becomes('gate', ({ status }) => status === 'offline')
  assert.match(offline.reason.message, /\w/)
  const metrics = (await hub.ask('GET', '/api/v1/metrics', { token: owner })).bytes.toString()
  assert.match(metrics, /^homefield_camera_frames\{camera="gate"\} [1-9]/m)
  const ready = (await hub.ask('GET', '/api/v1/ready', { token: owner })).json.data
  assert.ok(ready.parts.some(({ name, detail }: Json) => name === 'cameras' && /1 of 1/.test(detail)))
  assert.ok(hub.hub.child.exitCode === null)
})

test('a frame that nobody waits for, or that is no picture, is kept aside with the reason', async () => {
  const { id, key } = await addDevice(hub, owner, { id: 'esp-2', type: 'camera', name: 'ESP32' })
  const client = await hub.mqtt(id, key)
  await client.publishAsync('hf/esp-2/frame', picture(10), { qos: 1 })
  await hub.post('/cameras', owner, { id: 'shed', name: 'Shed', device_id: id, analyse: false })
  await client.publishAsync('hf/esp-2/frame', 'no picture', { qos: 1 })
  const kept = await hub.get('/devices/esp-2/quarantine', owner)
  assert.deepEqual(
    kept.map(({ code }: Json) => code),
    ['VALIDATION_ERROR', 'NOT_FOUND'],
  )
})

test('somebody without the media of everybody it films hears that there is no such camera', async () => {
  const parent = await letIn(hub, owner, { role: 'caregiver', person_id: 'child_1', classes: ['media'] })
  const other = await letIn(hub, owner, { role: 'caregiver', person_id: 'child_2', classes: ['media'] })
  const coach = await letIn(hub, owner, { role: 'coach', person_id: 'child_1' })
  assert.equal((await hub.ask('GET', '/api/v1/cameras/gate', { token: parent })).status, 200)
  for (const token of [other, coach])
    for (const path of ['', '/snapshot.jpg', '/stream.mjpeg']) {
      const answer = await hub.ask('GET', `/api/v1/cameras/gate${path}`, { token })
      const unknown = await hub.ask('GET', `/api/v1/cameras/nothing${path}`, { token })
      assert.deepEqual([answer.status, answer.json.error], [404, unknown.json.error])
    }
})

test('an open stream ends with the sign-in that opened it', async () => {
  const token = await letIn(hub, owner, { role: 'caregiver', person_id: 'child_1', classes: ['media'] })
  const answer = await open('gate', token)
  assert.equal(answer.statusCode, 200)
  const ended = once(answer.resume(), 'end').then(() => true)
  await hub.ask('POST', '/api/v1/auth/logout', { token })
  assert.equal(await inTime(ended, () => 'the stream stands'), true)
})

test('no answer, log line or file holds the password of a camera', async () => {
  const url = `rtsp://admin:${PASSWORD}@127.0.0.1:9/main`
  const answers: string[] = []
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await hub.ask(method, `/api/v1${path}`, { token: owner, body })
    answers.push(answer.bytes.toString('latin1'))
    return answer
  }
  await ask('POST', '/cameras', { id: 'yard', name: 'Yard', url, analyse: false })
  await ask('POST', '/cameras/probe', { url })
  await ask('POST', '/cameras/probe', { url: `rtsp://admin:${PASSWORD}@127.0.0.1:${hub.hub.json.mqttPort}/` })
  const { reason } = await becomes('yard', ({ status }) => status === 'offline')
  assert.equal(reason.code, 'unreachable')
  answers.push(JSON.stringify(await camera('yard')), hub.hub.output())
  await hub.hub.control.call('GET', '/cameras').then((data) => answers.push(JSON.stringify(data)))
  for (const name of readdirSync(hub.dataDir).filter((file) => file.startsWith('homefield.db')))
    answers.push(readFileSync(join(hub.dataDir, name), 'latin1'))
  for (const text of answers) assert.ok(!text.includes(PASSWORD), text.slice(0, 300))
})

test('an RTSP camera is probed, added, seen, unplugged, told of and back within ten seconds', async (t) => {
  const { server, url } = await rtspCamera(t, {
    ...{ video: clip(15), once: false },
    guard: { credentials: ADMIN },
  })
  const signIn = ADMIN
  const wrong = await hub.post('/cameras/probe', owner, { url, username: 'admin', password: 'wrong' }, 200)
  assert.deepEqual([wrong.ok, wrong.problem.code], [false, 'unauthorized'])
  const seen = await hub.post('/cameras/probe', owner, { url, ...signIn }, 200)
  assert.deepEqual(
    [seen.ok, seen.stream.codec, seen.stream.width, seen.stream.height],
    [true, 'h264', 320, 240],
  )
  assert.equal(decodeJpeg(Buffer.from(seen.preview_jpeg_base64, 'base64')).width, 320)
  const socket = hub.socket(['homefield.v1', `bearer.${owner}`])
  await socket.opened
  socket.send({ type: 'subscribe', topics: ['edge'] })
  await hub.post('/cameras', owner, { id: 'pitch', name: 'Pitch', url, ...signIn, analyse: false })
  const told = (type: string) =>
    socket.next((message) => message.type === type && message.data.camera_id === 'pitch')
  await told('edge_connected')
  await seesRight('pitch')
  await server.unplug()
  assert.match((await told('edge_disconnected')).data.reason, /\w/)
  assert.equal((await camera('pitch')).status, 'offline')
  await server.plugIn()
  await becomes('pitch', ({ status }) => status === 'online', 10_000)
  await seesRight('pitch')
  await hub.ask('DELETE', '/api/v1/cameras/pitch', { token: owner })
  socket.close()
})

test('an MJPEG camera over HTTP goes away and comes back within ten seconds', async (t) => {
  const port = await mjpegCamera(t)
  await hub.post('/cameras', owner, {
    id: 'barn',
    name: 'Barn',
    url: `http://127.0.0.1:${port.number}/`,
    analyse: false,
  })
  await becomes('barn', ({ status }) => status === 'online')
  await seesRight('barn')
  await port.close()
  const { reason } = await becomes('barn', ({ status }) => status === 'offline')
  assert.match(reason.code, /^(?:ended|unreachable)$/)
  await port.open()
  await becomes('barn', ({ status }) => status === 'online', 10_000)
  await hub.ask('DELETE', '/api/v1/cameras/barn', { token: owner })
})

/** A snapshot that decodes to the right size. */
async function seesRight(id: string): Promise<void> {
  const shown = await hub.ask('GET', `/api/v1/cameras/${id}/snapshot.jpg`, { token: owner })
  assert.equal(shown.status, 200, shown.bytes.toString())
  const { width, height } = decodeJpeg(shown.bytes)
  assert.deepEqual({ width, height }, SIZE)
}

/** Sends one picture after the other to everybody who asks, as an ESP32-CAM does. */
async function mjpegCamera(t: TestContext) {
  const answers = new Set<ServerResponse>()
  const jpeg = picture(120)
  const made = () =>
    createServer((_request, answer) => {
      answer.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=frame' })
      answers.add(answer)
      answer.on('close', () => answers.delete(answer))
    })
  const timer = setInterval(() => {
    for (const answer of answers) {
      answer.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`)
      answer.write(jpeg)
      answer.write('\r\n')
    }
  }, 100)
  let server = made().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: number } = server.address() as AddressInfo
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  t.after(async () => {
    clearInterval(timer)
    if (server.listening) await close()
  })
  return {
    number,
    close,
    async open() {
      server = made().listen(number, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}

function open(id: string, token: string): Promise<import('node:http').IncomingMessage> {
  const ca = readFileSync(join(hub.dataDir, 'tls', 'ca.pem'))
  const asked = httpsRequest({
    ...{ host: 'localhost', port: hub.hub.json.httpsPort, ca, agent: false },
    path: `/api/v1/cameras/${id}/stream.mjpeg?fps=5`,
    headers: { authorization: `Bearer ${token}` },
  }).end()
  return once(asked, 'response').then(([answer]) => answer)
}

/** How many pictures come before the reader has enough. */
async function streamed(id: string, token: string): Promise<number> {
  const answer = await open(id, token)
  assert.match(answer.headers['content-type'] ?? '', /^multipart\/x-mixed-replace; boundary=/)
  let text = ''
  for await (const chunk of answer) {
    text += (chunk as Buffer).toString('latin1')
    if (text.split('Content-Type: image/jpeg').length > 3) break
  }
  return text.split('Content-Type: image/jpeg').length - 1
}
