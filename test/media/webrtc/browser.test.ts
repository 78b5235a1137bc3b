import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { chromium } from 'playwright-core'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createFrameRing, i420Bytes } from '../../../daemon/media/frames.ts'
import type { StreamFacts } from '../../../daemon/media/source.ts'
import { createWebrtc } from '../../../daemon/media/webrtc/webrtc.ts'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
]
const skip = existsSync(CHROMIUM) ? false : 'no /usr/bin/chromium here (Debian package chromium)'

/** In the page: offers as WHEP does and resolves with the size of the first shown picture. */
const WATCH = `(async () => {
  const connection = new RTCPeerConnection()
  connection.addTransceiver('video', { direction: 'recvonly' })
  const video = document.createElement('video')
  Object.assign(video, { muted: true, autoplay: true })
  document.body.append(video)
  connection.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]) }
  await connection.setLocalDescription()
  const answer = await fetch('/view', { method: 'POST', body: connection.localDescription.sdp })
  await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve))
  const size = [video.videoWidth, video.videoHeight]
  connection.close()
  return size
})()`

/** In the page: sends the browser's own test camera as WHIP does. */
const SEND = `(async () => {
  const connection = new RTCPeerConnection()
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } })
  connection.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream] })
  await connection.setLocalDescription()
  const answer = await fetch('/receive', { method: 'POST', body: connection.localDescription.sdp })
  await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  window.connection = connection
})()`

/** A page on localhost, which counts as secure, whose offers go to `answer`. */
async function setup(t: TestContext, answer: (path: string, offer: string) => Promise<string>) {
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const said = request.method === 'POST' ? await answer(request.url ?? '', body) : '<!doctype html>'
    response.setHeader('content-type', request.method === 'POST' ? 'application/sdp' : 'text/html')
    response.end(said)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((cause: unknown) => response.destroy(cause as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.after(async () => {
    await browser.close()
    server.close()
  })
  const page = await browser.newPage()
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
  return page
}

test('Chromium watches a camera and closes', { skip }, async (t) => {
  const webrtc = createWebrtc({ clock: systemClock(), log: createLog('silent') })
  t.after(() => webrtc.stop())
  const ring = createFrameRing()
  const timer = setInterval(() => {
    const slot = ring.open({ width: 640, height: 360 })
    slot?.data.fill(128)
    slot?.publish({ capturedAtMs: 0, arrivedAtMs: 0 })
  }, 40)
  t.after(() => clearInterval(timer))
  const page = await setup(t, async (path, offer) => {
    assert.equal(path, '/view')
    return (await webrtc.view(ring, offer)).answerSdp
  })
  const left = new Promise<string>((resolve) => webrtc.onClosed(({ reason }) => resolve(reason)))
  assert.deepEqual(await page.evaluate(WATCH), [640, 360])
  assert.equal(await left, 'closed')
})

test("Chromium's camera is received", { skip }, async (t) => {
  const webrtc = createWebrtc({ clock: systemClock(), log: createLog('silent') })
  t.after(() => webrtc.stop())
  let facts: StreamFacts | null = null
  let received: (bytes: number) => void = () => {}
  const bytes = new Promise<number>((resolve) => {
    received = resolve
  })
  const page = await setup(t, async (path, offer) => {
    assert.equal(path, '/receive')
    const { answerSdp, source } = await webrtc.receive(offer)
    source.start({
      described: (each) => {
        facts ??= each
      },
      unit: () => assert.fail('pictures come decoded'),
      picture(size, _, fill) {
        const data = new Uint8Array(i420Bytes(size))
        fill(data)
        received(data.filter((each) => each !== 0).length)
      },
      failed: () => {},
    })
    return answerSdp
  })
  await page.evaluate(SEND)
  assert.ok((await bytes) > 0)
  assert.equal((facts as StreamFacts | null)?.codec, 'raw')
})
