import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { createRtspSource } from '../../../daemon/media/rtsp/source.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { ADMIN, CLIP, camera, clip, rtsp, watch } from './camera.ts'

const run = promisify(execFile)
const ffmpeg = (...args: string[]) =>
  run('ffmpeg', ['-nostdin', '-v', 'error', ...args], { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 })

/** Decoded pictures, one checksum each. */
async function checksums(...input: string[]): Promise<string[]> {
  const { stdout } = await ffmpeg(...input, '-an', '-vsync', 'passthrough', '-f', 'framemd5', '-')
  return stdout
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim() ?? '')
}

/** A server that answers with these bytes, whatever is asked. */
async function stubborn(t: TestContext, answer: (socket: Socket, request: string) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => answer(socket, chunk.toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `rtsp://127.0.0.1:${address.port}/stream`
}

const cseq = (request: string) => /CSeq: (\d+)/.exec(request)?.[1] ?? '0'
const ok = (request: string, more = '') => `RTSP/1.0 200 OK\r\nCSeq: ${cseq(request)}\r\n${more}\r\n`

test('what our client gets over RTSP decodes to exactly the pictures of the file', async (t) => {
  const { url } = await camera(t)
  const { units, facts, failure } = await watch(rtsp(url))
  assert.equal(failure.code, 'ended')
  assert.equal(units.length, 45)
  assert.deepEqual(
    units.flatMap(({ keyframe }, index) => (keyframe ? [index] : [])),
    [0, 15, 30],
  )
  const { codec, width, height, declaredFps } = facts.at(-1) ?? assert.fail()
  assert.deepEqual(
    { codec, width, height, declaredFps },
    { codec: 'h264', width: 320, height: 240, declaredFps: 90 },
  )
  const dir = await mkdtemp(join(tmpdir(), 'hf-rtsp-'))
  t.after(() => rm(dir, { recursive: true }))
  const path = join(dir, 'received.h264')
  await writeFile(path, Buffer.concat(units.map(({ data }) => data)))
  assert.deepEqual(await checksums('-f', 'h264', '-i', path), await checksums('-f', 'h264', '-i', CLIP))
})

test('Debian ffmpeg plays the simulated camera, with a password, to exactly the pictures of the file', async (t) => {
  const { port } = await camera(t, { guard: { credentials: { username: 'admin', password: 'p4ss' } } })
  const seen = await checksums('-rtsp_transport', 'tcp', '-i', `rtsp://admin:p4ss@127.0.0.1:${port}/stream`)
  assert.deepEqual(seen, await checksums('-f', 'h264', '-i', CLIP))
})

test('pictures carry the time they were taken at, from the sender reports', async (t) => {
  const { url } = await camera(t)
  const fromMs = Date.now()
  const { units, facts } = await watch(rtsp(url))
  assert.equal(facts.at(-1)?.clock, 'synchronised')
  const steps = units
    .slice(1)
    .map(({ capturedAtMs }, index) => capturedAtMs - (units[index]?.capturedAtMs ?? 0))
  assert.ok(
    steps.every((step) => step >= 10 && step <= 12),
    `90 pictures a second: ${steps}`,
  )
  assert.ok(
    units.every(({ capturedAtMs, arrivedAtMs }) => capturedAtMs >= fromMs - 1 && capturedAtMs <= arrivedAtMs),
  )
})

for (const [name, guard] of [
  ['Digest MD5 with qop', {}],
  ['the old Digest without qop', { qop: false }],
  ['Digest SHA-256', { algorithm: 'SHA-256' as const }],
] as const) {
  test(`a camera that asks for ${name} is answered`, async (t) => {
    const { url } = await camera(t, { guard: { credentials: ADMIN, ...guard } })
    const { units } = await watch(rtsp(url, ADMIN))
    assert.equal(units.length, 45)
  })
}

test('a wrong password, a missing one and a wrong path are told apart', async (t) => {
  const { url } = await camera(t, { guard: { credentials: ADMIN } })
  const wrong = await watch(rtsp(url, { ...ADMIN, password: 'secret-guess' }))
  assert.equal(wrong.failure.code, 'unauthorized')
  assert.doesNotMatch(wrong.failure.message, /secret-guess|admin/)
  assert.equal((await watch(rtsp(url))).failure.code, 'unauthorized')
  assert.equal((await watch(rtsp(url.replace('/stream', '/nothing'), ADMIN))).failure.code, 'not-found')
})

test('nobody there, a host that is none and an address that is none are told', async (t) => {
  const { url, server } = await camera(t)
  await server.unplug()
  assert.equal((await watch(rtsp(url))).failure.code, 'unreachable')
  assert.equal((await watch(rtsp('http://127.0.0.1/stream'))).failure.code, 'malformed')
  assert.equal((await watch(rtsp('no address'))).failure.code, 'malformed')
})

test('a camera that takes the connection and stays silent is given up after ten seconds', async (t) => {
  const clock = fakeClock()
  const url = await stubborn(t, () => clock.advance(10_000))
  const { failure } = await watch(createRtspSource({ url, credentials: null, clock }))
  assert.equal(failure.code, 'unreachable')
})

test('garbage, endless lines and bodies that are announced too large are malformed', async (t) => {
  for (const answer of [
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    Buffer.alloc(5000, 0x41),
    Buffer.from([0, 1, 2, 3, 10, 10, 255]),
    'RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n',
    `RTSP/1.0 200 OK\r\n${'X: y\r\n'.repeat(100)}\r\n`,
  ]) {
    const url = await stubborn(t, (socket) => socket.write(answer))
    assert.equal((await watch(rtsp(url))).failure.code, 'malformed')
  }
})

test('a stream without a track that we can read says what it holds', async (t) => {
  const sdp = 'v=0\r\nm=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 MPV/90000\r\n'
  const url = await stubborn(t, (socket, request) =>
    socket.write(ok(request, `Content-Length: ${sdp.length}\r\n`) + sdp),
  )
  const { failure } = await watch(rtsp(url))
  assert.equal(failure.code, 'unsupported')
  assert.match(failure.message, /MPV/)
})

test('a redirect is followed on the same host only', async (t) => {
  const { url } = await camera(t)
  const to = (location: string) =>
    stubborn(t, (socket, request) =>
      socket.write(`RTSP/1.0 302 Found\r\nCSeq: ${cseq(request)}\r\nLocation: ${location}\r\n\r\n`),
    )
  assert.equal((await watch(rtsp(await to(url)))).units.length, 45)
  assert.equal((await watch(rtsp(await to(url.replace('127.0.0.1', '192.0.2.1'))))).failure.code, 'not-found')
})

test('a source that was closed says nothing more and leaves the camera', async (t) => {
  const { url, server } = await camera(t, { once: false })
  let told = 0
  await new Promise<void>((resolve) => {
    const close = rtsp(url).start({
      described: () => {},
      picture: () => {},
      failed: () => assert.fail('a closed source does not fail'),
      unit() {
        told++
        close()
        setImmediate(resolve)
      },
    })
  })
  assert.equal(told, 1)
  while (server.stats().viewers > 0) await new Promise((resolve) => setImmediate(resolve))
})

test('a session is kept alive, also when the nonce has aged meanwhile', async (t) => {
  const { url, check } = await camera(t, {
    once: false,
    timeoutS: 2,
    guard: { credentials: ADMIN },
    video: clip(30),
  })
  const { units } = await new Promise<{ units: number }>((resolve, reject) => {
    let count = 0
    const close = rtsp(url, ADMIN).start({
      described: () => {},
      picture: () => {},
      failed: reject,
      unit() {
        count++
        if (count === 1) check?.renew()
        if (count === 50) {
          close()
          resolve({ units: count })
        }
      },
    })
  })
  assert.equal(units, 50)
})

test('a cable that is pulled ends the stream, and it plays again once it is back', async (t) => {
  const { url, server } = await camera(t, { once: false })
  const first = await watch(rtsp(url), (count) => {
    if (count === 5) void server.unplug()
  })
  assert.equal(first.failure.code, 'ended')
  await server.plugIn()
  const second = await new Promise<number>((resolve, reject) => {
    const close = rtsp(url).start({
      described: () => {},
      picture: () => {},
      failed: reject,
      unit() {
        close()
        resolve(1)
      },
    })
  })
  assert.equal(second, 1)
})
