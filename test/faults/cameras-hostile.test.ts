/** What cameras and files should never send, sent to a whole hub: each is told plainly, and costs the others nothing. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import turbo from '@julusian/jpeg-turbo'
import { useOf } from '../../scripts/bench/process-use.ts'
import { machineDecoder } from '../media/clips.ts'
import { clip, camera as rtspCamera } from '../media/rtsp/camera.ts'
import { household, type Json } from '../scenarios/contract/client.ts'

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))
const HUGE_PX = 16_384
const TOLD_WITHIN_MS = 25_000
const SHOW_MS = 100
const DRIP_MS = 1000
const DRIP_EVERY = DRIP_MS / SHOW_MS
/** Sent before the trouble begins, so that the hub has learnt how often pictures come. */
const GOOD_PICTURES = 5

const { skip } = await machineDecoder()
const hub = await household({ HOMEFIELD_LOG: 'warn' })
const { owner, dataDir } = hub
const { control, json } = hub.hub

test('what no camera should send is told plainly, and another camera never notices', { skip }, async (t) => {
  const good = await rtspCamera(t, { video: clip(15), once: false })
  await add('good', good.url)
  await becomes('good', ({ status }) => status === 'online')
  const before = { use: useOf(json.pid), camera: await seen('good') }
  const web = await hostileWeb(t)
  const huge = await rtspCamera(t, { video: withHugeSets(), once: false })
  const text = join(dataDir, 'training.mp4')
  writeFileSync(text, 'A note that somebody called a film.\n'.repeat(200))
  const expected: Record<string, [url: string, code: string, says: RegExp]> = {
    text: [`file://${text}`, 'unsupported', /no video that the hub reads/],
    'huge-jpeg': [`${web}/huge`, 'too-large', /16384 × 16384 pixels; up to 4096 × 4096/],
    'huge-sps': [huge.url, 'too-large', /16384 × 16384 pixels; up to 4096 × 4096/],
    'cut-jpeg': [`${web}/cut`, 'malformed', /cut short/],
    'drip-picture': [`${web}/drip`, 'stalled', /No picture comes/],
    'drip-rtsp': [`rtsp://127.0.0.1:${await drip(t, 'RTSP/1.0 200 OK\r\n')}/stream`, 'stalled', /\w/],
    'drip-http': [`http://127.0.0.1:${await drip(t, 'HTTP/1.1 200 OK\r\n')}/stream`, 'stalled', /\w/],
  }
  for (const [id, [url]] of Object.entries(expected)) await add(id, url)
  await add('resized', `${web}/resize`)
  for (const [id, [, code, says]] of Object.entries(expected)) {
    const { reason } = await becomes(id, (camera) => camera.status === 'offline' && camera.reason !== null)
    assert.equal(reason.code, code, `${id}: ${reason.message}`)
    assert.match(reason.message, says, id)
  }
  const widths = new Set<number>()
  await becomes('resized', ({ status, stream }) => {
    if (status === 'online' && stream?.width) widths.add(stream.width)
    return widths.size > 1
  })
  assert.deepEqual([...widths].sort(), [320, 640])
  const resized = await seen('resized')
  assert.deepEqual([resized.status, resized.restarts], ['online', 0], 'a new size is no fault')
  const camera = await seen('good')
  assert.deepEqual([camera.status, camera.restarts], ['online', before.camera.restarts])
  assert.ok(camera.frames > before.camera.frames)
  assert.equal((await hub.ask('GET', '/api/v1/ready', { token: owner })).status, 200)
  for (const id of [...Object.keys(expected), 'resized']) await control.call('DELETE', `/cameras/${id}`)
  await until(
    async () => useOf(json.pid),
    ({ children, sockets }) => children <= before.use.children && sockets <= before.use.sockets,
  )
})

test('a picture that is cut off or far too large is refused where it is sent', async () => {
  await hub.post('/cameras', owner, { id: 'sent', name: 'Sent', kind: 'push', analyse: false })
  const send = (bytes: Buffer) =>
    hub.ask('POST', '/api/v1/live/frame?camera_id=sent', {
      token: owner,
      bytes,
      headers: { 'content-type': 'image/jpeg' },
    })
  const cut = await send(picture(320).subarray(0, 900))
  assert.deepEqual([cut.status, cut.json.error.code], [400, 'VALIDATION_ERROR'])
  assert.match(cut.json.error.message, /cut short/)
  const huge = await send(hugePicture())
  assert.deepEqual([huge.status, huge.json.error.code], [413, 'TOO_LARGE'])
  assert.match(huge.json.error.message, /16384 × 16384/)
  assert.equal((await send(picture(320))).status, 202)
})

test('a model that is none is refused with the reason, and nothing is installed', async () => {
  const file = join(dataDir, 'better-eyes.onnx')
  writeFileSync(file, 'not a model at all\n'.repeat(500))
  const { code, output } = await command('models', 'import', file)
  assert.notEqual(code, 0)
  assert.match(output, /ONNX/)
  assert.doesNotMatch(output, /\n\s+at /, 'words, no stack')
  const { models, unreadable } = await hub.get('/models', owner)
  assert.deepEqual(unreadable, [])
  assert.ok(!models.some(({ name }: Json) => name === 'better-eyes'))
  assert.equal(hub.hub.child.exitCode, null)
})

/** On the box itself, which may name files as well. */
async function add(id: string, url: string): Promise<void> {
  const kind = url.startsWith('file:') ? { kind: 'file' } : {}
  await control.call('POST', '/cameras', { id, name: id, url, analyse: false, ...kind })
}

function seen(id: string): Promise<Json> {
  return control.call('GET', `/cameras/${id}`)
}

function becomes(id: string, fits: (camera: Json) => boolean): Promise<Json> {
  return until(() => seen(id), fits)
}

/** Asked again each 50 ms, because nothing tells an outsider without a socket. */
async function until<Value>(look: () => Promise<Value>, fits: (value: Value) => boolean): Promise<Value> {
  const untilMs = Date.now() + TOLD_WITHIN_MS
  for (;;) {
    const value = await look()
    if (fits(value)) return value
    if (Date.now() > untilMs) throw new Error(`it stays ${JSON.stringify(value)}`)
    await sleep(50)
  }
}

function picture(width: number): Buffer {
  const height = (width * 3) / 4
  const rgb = Buffer.from(Array.from({ length: width * height * 3 }, (_, at) => (at * 7) % 251))
  return turbo.compressSync(rgb, { width, height, format: turbo.FORMAT_RGB, quality: 60 })
}

/** A whole small picture whose frame header claims 16384 × 16384. */
function hugePicture(): Buffer {
  const jpeg = picture(320)
  const header = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  jpeg.writeUInt16BE(HUGE_PX, header + 5)
  jpeg.writeUInt16BE(HUGE_PX, header + 7)
  return jpeg
}

/** The clip with parameter sets that claim 16384 × 16384 (ITU-T H.264, 7.3.2.1.1, baseline). */
function withHugeSets() {
  const blocks = ue(HUGE_PX / 16 - 1)
  const bits = `${ue(0).repeat(3)}${ue(0)}${ue(1)}0${blocks}${blocks}11001`
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0')
  const body = (padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  const sps = Uint8Array.from([0x67, 66, 0xc0, 0x33, ...escaped(body)])
  const swapped = (nal: Uint8Array) => (((nal[0] ?? 0) & 31) === 7 ? sps : nal)
  const video = clip(15)
  return {
    ...video,
    parameterSets: video.parameterSets.map(swapped),
    pictures: video.pictures.map((one) => ({ ...one, parts: one.parts.map(swapped) })),
  }
}

function ue(value: number): string {
  const digits = (value + 1).toString(2)
  return '0'.repeat(digits.length - 1) + digits
}

function escaped(bytes: readonly number[]): number[] {
  const out: number[] = []
  for (const byte of bytes) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3)
    out.push(byte)
  }
  return out
}

/** Cameras over HTTP, one misbehaviour a path; answers its address. */
async function hostileWeb(t: TestContext): Promise<string> {
  const whole = picture(320)
  const larger = picture(640)
  const huge = hugePicture()
  const cut = whole.subarray(0, Math.floor(whole.length / 2))
  const shows: Record<string, (turn: number) => Buffer> = {
    '/huge': () => huge,
    '/cut': (turn) => (turn < GOOD_PICTURES ? whole : cut),
    '/resize': (turn) => (turn % 20 < 10 ? whole : larger),
  }
  const sent = new Map<string, number>()
  const timers = new Set<NodeJS.Timeout>()
  const server = createServer((request, answer) => {
    const path = request.url ?? ''
    answer.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=frame' })
    const step = () => {
      const turn = sent.get(path) ?? 0
      sent.set(path, turn + 1)
      const show = shows[path] ?? (turn < GOOD_PICTURES ? () => whole : null)
      if (show) part(answer, show(turn))
      else if (turn % DRIP_EVERY === 0) answer.write('-')
    }
    const timer = setInterval(step, SHOW_MS)
    timers.add(timer)
    answer.on('close', () => clearInterval(timer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const timer of timers) clearInterval(timer)
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function part(answer: ServerResponse, jpeg: Buffer): void {
  answer.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`)
  answer.write(jpeg)
  answer.write('\r\n')
}

/** Answers everything with one byte a second; answers its port. */
async function drip(t: TestContext, words: string): Promise<number> {
  const open = new Map<Socket, NodeJS.Timeout>()
  const server = createTcpServer((socket) => {
    let at = 0
    socket.on('error', () => socket.destroy())
    socket.resume()
    open.set(
      socket,
      setInterval(() => socket.write(words[at++ % words.length] ?? ''), DRIP_MS),
    )
    socket.on('close', () => clearInterval(open.get(socket)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open.keys()) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function command(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, HOMEFIELD_DATA: dataDir }
    execFile(process.execPath, [MAIN, ...args], { env }, (cause, stdout, stderr) =>
      resolve({ code: typeof cause?.code === 'number' ? cause.code : 0, output: stdout + stderr }),
    )
  })
}
