import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import { createMjpegSource } from '../../../daemon/media/jpeg/http.ts'
import type { AccessUnit, SourceFailure, StreamFacts } from '../../../daemon/media/source.ts'
import { fixture } from '../clips.ts'

const MULTIPART = 'multipart/x-mixed-replace;boundary=123456789000000000000987654321'
const JPEG = Buffer.from(
  'ffd8ffc00011080010001003012200021101031101ffda000c03010002110311003f0055ffd9',
  'hex',
)

/** A camera that answers so, and what a source makes of it until it fails or `pictures` came. */
async function watch(
  t: TestContext,
  listener: RequestListener,
  {
    path = '/stream',
    credentials = null as { username: string; password: string } | null,
    pictures = Number.POSITIVE_INFINITY,
  } = {},
) {
  const server = http.createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const units: AccessUnit[] = []
  const facts: StreamFacts[] = []
  const failure = await new Promise<SourceFailure | null>((resolve) => {
    const close = createMjpegSource({ url, credentials, clock: systemClock() }).start({
      described: (found) => facts.push(found),
      unit(unit) {
        units.push(unit)
        if (units.length < pictures) return
        close()
        resolve(null)
      },
      picture: () => {},
      failed: resolve,
    })
    t.after(close)
  })
  return { units, facts, failure }
}

test("an ESP32-CAM's stream comes timed by its own clock", async (t) => {
  const { units, facts, failure } = await watch(t, (_, answer) => {
    answer.setHeader('content-type', MULTIPART)
    answer.end(fixture('esp32-stream.multipart'))
  })
  assert.equal(units.length, 9)
  assert.equal(facts.at(-1)?.clock, 'relative')
  assert.ok(units.every(({ capturedAtMs, arrivedAtMs }) => capturedAtMs <= arrivedAtMs))
  assert.equal(failure?.code, 'ended')
})

test('a camera that gives one picture for each request is asked again', async (t) => {
  const { units } = await watch(t, (_, answer) => answer.setHeader('content-type', 'image/jpeg').end(JPEG), {
    path: '/capture',
    pictures: 3,
  })
  assert.deepEqual(
    units.map(({ data }) => Buffer.from(data)),
    [JPEG, JPEG, JPEG],
  )
})

test('credentials go out only when asked for, by Digest, and a wrong password ends it', async (t) => {
  const camera: RequestListener = (request, answer) => {
    if (
      /response="[0-9a-f]{32}"/.test(request.headers.authorization ?? '') &&
      request.headers.authorization?.includes('username="mia"')
    ) {
      answer.setHeader('content-type', 'image/jpeg').end(JPEG)
      return
    }
    answer.writeHead(401, { 'www-authenticate': 'Digest realm="cam", nonce="n1", qop="auth"' }).end()
  }
  const right = await watch(t, camera, { credentials: { username: 'mia', password: 'p' }, pictures: 1 })
  assert.equal(right.units.length, 1)
  const wrong = await watch(t, camera, { credentials: { username: 'tom', password: 'p' } })
  assert.equal(wrong.failure?.code, 'unauthorized')
  const none = await watch(t, camera)
  assert.equal(none.failure?.code, 'unauthorized')
})

test('an address on another host is not followed, one on the same host is', async (t) => {
  const away = await watch(t, (_, answer) => answer.writeHead(302, { location: 'http://192.0.2.1/x' }).end())
  assert.equal(away.failure?.code, 'unsupported')
  const here = await watch(
    t,
    (request, answer) => {
      if (request.url === '/stream') answer.writeHead(302, { location: '/video' }).end()
      else answer.setHeader('content-type', 'image/jpeg').end(JPEG)
    },
    { pictures: 1 },
  )
  assert.equal(here.units.length, 1)
  const round = await watch(t, (_, answer) => answer.writeHead(302, { location: '/stream' }).end())
  assert.equal(round.failure?.code, 'unsupported')
})

test('what is no camera is told apart', async (t) => {
  const page = await watch(t, (_, answer) => answer.setHeader('content-type', 'text/html').end('<html>'))
  assert.equal(page.failure?.code, 'unsupported')
  const nothing = await watch(t, (_, answer) => answer.writeHead(404).end())
  assert.equal(nothing.failure?.code, 'not-found')
  const endless = await watch(t, (_, answer) => {
    answer.setHeader('content-type', MULTIPART)
    answer.write('--123456789000000000000987654321\r\n\r\n')
    answer.write(Buffer.alloc(5 * 1024 ** 2, 0x41))
  })
  assert.equal(endless.failure?.code, 'too-large')
})
