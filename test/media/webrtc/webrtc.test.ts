import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { createFrameRing, type FrameRing } from '../../../daemon/media/frames.ts'
import type { Source, SourceFailure, StreamFacts } from '../../../daemon/media/source.ts'
import { type Closed, createWebrtc } from '../../../daemon/media/webrtc/webrtc.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { BLUE, type Colour, createPhone, middle, near, ORANGE, planes } from './phone.ts'

// The library's threads would keep the test process alive.
after(() => setImmediate(() => process.exit()))

function setup(t: TestContext, clock = systemClock()) {
  const webrtc = createWebrtc({ clock, log: createLog('silent') })
  const phones: ReturnType<typeof createPhone>[] = []
  const timers: (() => void)[] = []
  t.after(async () => {
    for (const stop of timers) stop()
    for (const each of phones) each.leave()
    await webrtc.stop()
  })
  return {
    webrtc,
    phone(direction: 'recvonly' | 'sendonly') {
      const made = createPhone(direction)
      phones.push(made)
      return made
    },
    /** A camera that shows one colour at 30 pictures a second. */
    camera(width: number, height: number, colour: Colour) {
      const ring = createFrameRing()
      const show = { width, height, colour }
      const timer = setInterval(() => publish(ring, show.width, show.height, show.colour), 33)
      timers.push(() => clearInterval(timer))
      return { ring, show }
    },
    closed: () =>
      new Promise<Closed>((resolve) => {
        const stop = webrtc.onClosed((each) => {
          stop()
          resolve(each)
        })
      }),
  }
}

function publish(ring: FrameRing, width: number, height: number, colour: Colour): void {
  const slot = ring.open({ width, height })
  slot?.data.set(planes(width, height, colour))
  slot?.publish({ capturedAtMs: Date.now(), arrivedAtMs: Date.now() })
}

/** What a source gave: facts, the failure, and the first picture that fits. */
function listen(source: Source) {
  const facts: StreamFacts[] = []
  const waiting = new Set<(picture: { width: number; height: number; data: Uint8Array }) => void>()
  let failed: (cause: SourceFailure) => void = () => {}
  const failure = new Promise<SourceFailure>((resolve) => {
    failed = resolve
  })
  const stop = source.start({
    described: (each) => facts.push(each),
    unit: () => assert.fail('pictures come decoded'),
    picture({ width, height }, _, fill) {
      const data = new Uint8Array(planes(width, height, [0, 0, 0]).length)
      fill(data)
      for (const each of waiting) each({ width, height, data })
    },
    failed,
  })
  return {
    facts,
    failure,
    stop,
    picture: (fits: (picture: { width: number; height: number; data: Uint8Array }) => boolean) =>
      new Promise<void>((resolve) => {
        waiting.add((picture) => fits(picture) && resolve())
      }),
  }
}

test('a viewer sees the colours and the size of the camera, and its change of size', async (t) => {
  const { webrtc, phone, camera } = setup(t)
  const { ring, show } = camera(320, 240, ORANGE)
  const viewer = phone('recvonly')
  const { answerSdp } = await webrtc.view(ring, await viewer.offer())
  assert.match(answerSdp, /a=sendonly/)
  assert.match(answerSdp, /a=candidate:.* typ host/)
  await viewer.accept(answerSdp)
  await viewer.picture((each) => each.width === 320 && each.height === 240 && near(middle(each), ORANGE))
  Object.assign(show, { width: 176, height: 144, colour: BLUE })
  await viewer.picture((each) => each.width === 176 && each.height === 144 && near(middle(each), BLUE))
  assert.equal(ring.stats().held, 0)
})

test('a camera with 1080 lines is shown at half of it', async (t) => {
  const { webrtc, phone, camera } = setup(t)
  const { ring } = camera(1920, 1080, BLUE)
  const viewer = phone('recvonly')
  await viewer.accept((await webrtc.view(ring, await viewer.offer())).answerSdp)
  await viewer.picture((each) => each.width === 960 && each.height === 540 && near(middle(each), BLUE))
})

test('someone who comes to a camera that stands still sees its last picture', async (t) => {
  const { webrtc, phone } = setup(t)
  const ring = createFrameRing()
  publish(ring, 320, 240, ORANGE)
  const viewer = phone('recvonly')
  await viewer.accept((await webrtc.view(ring, await viewer.offer())).answerSdp)
  await viewer.picture((each) => near(middle(each), ORANGE))
})

test('a viewer that leaves is reported, and another one still sees the camera', async (t) => {
  const { webrtc, phone, camera, closed } = setup(t)
  const { ring } = camera(320, 240, ORANGE)
  const [first, second] = [phone('recvonly'), phone('recvonly')]
  const view = await webrtc.view(ring, await first.offer())
  await first.accept(view.answerSdp)
  const other = await webrtc.view(ring, await second.offer())
  await second.accept(other.answerSdp)
  await first.picture()
  const left = closed()
  first.leave()
  assert.deepEqual(await left, { id: view.id, kind: 'view', reason: 'closed' })
  await second.picture()
  assert.equal(webrtc.stats().views, 1)
  assert.equal(webrtc.closeView(view.id), false)
  assert.equal(webrtc.closeView(other.id), true)
  assert.equal(webrtc.stats().views, 0)
})

test('a phone that sends is a source: facts, pictures, a change of size, and the end', async (t) => {
  const { webrtc, phone } = setup(t)
  const sender = phone('sendonly')
  const { answerSdp, source } = await webrtc.receive(await sender.offer())
  assert.match(answerSdp, /a=recvonly/)
  const heard = listen(source)
  await sender.accept(answerSdp)
  const small = heard.picture((each) => each.width === 320 && near(middle(each), ORANGE))
  const stop = sender.send(320, 240, ORANGE)
  await small
  stop()
  const large = heard.picture((each) => each.width === 240 && each.height === 426 && near(middle(each), BLUE))
  sender.send(240, 426, BLUE)
  await large
  assert.deepEqual(heard.facts[0], {
    codec: 'raw',
    width: 320,
    height: 240,
    declaredFps: null,
    clock: 'arrival',
  })
  sender.leave()
  assert.equal((await heard.failure).code, 'ended')
  assert.equal((await listen(source).failure).code, 'ended', 'it cannot be started again')
})

test('when the process is killed every view is reported closed, and the next one works', async (t) => {
  const { webrtc, phone, camera, closed } = setup(t)
  const { ring } = camera(320, 240, ORANGE)
  const [first, second, sender] = [phone('recvonly'), phone('recvonly'), phone('sendonly')]
  const view = await webrtc.view(ring, await first.offer())
  await first.accept(view.answerSdp)
  await first.picture()
  const { source } = await webrtc.receive(await sender.offer())
  const heard = listen(source)
  const left = closed()
  process.kill(webrtc.stats().pid!, 'SIGKILL')
  assert.deepEqual(await left, { id: view.id, kind: 'view', reason: 'process-died' })
  assert.equal((await heard.failure).code, 'ended')
  assert.equal(webrtc.stats().deaths, 1)
  await second.accept((await webrtc.view(ring, await second.offer())).answerSdp)
  await second.picture((each) => near(middle(each), ORANGE))
})

test('who does not connect within 10 s is closed, and the idle process ends after a minute', async (t) => {
  const clock = fakeClock()
  const { webrtc, phone, closed } = setup(t, clock)
  const { id } = await webrtc.view(createFrameRing(), await phone('recvonly').offer())
  const left = closed()
  clock.advance(10_000)
  assert.deepEqual(await left, { id, kind: 'view', reason: 'not-connected' })
  assert.equal(webrtc.stats().running, true)
  clock.advance(60_000)
  assert.equal(webrtc.stats().running, false)
  assert.equal(webrtc.stats().deaths, 0)
})

test('a ninth viewer of a camera is told that it is full', async (t) => {
  const { webrtc, phone } = setup(t)
  const ring = createFrameRing()
  const offer = await phone('recvonly').offer()
  await Promise.all(Array.from({ length: 8 }, () => webrtc.view(ring, offer)))
  await assert.rejects(webrtc.view(ring, offer), { code: 'OVERLOADED' })
  await webrtc.view(createFrameRing(), offer)
})
