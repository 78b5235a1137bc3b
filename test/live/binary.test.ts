import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Audience } from '../../daemon/live/frame.ts'
import { createLive } from '../../daemon/live/live.ts'
import { poseEvent } from '../../daemon/media/vision/pose-event.ts'
import type { VisionResult } from '../../daemon/media/vision/result.ts'
import { fakeClock } from '../fakes/clock.ts'

const PITCH: Audience = { cameraId: 'pitch' }
const TOPIC = 'camera:pitch'

function resultOf(frameSeq: number, people = 2): VisionResult {
  return {
    cameraId: 'pitch',
    frameSeq,
    capturedAtMs: Date.UTC(2026, 2, 14, 8),
    analysedAtMs: Date.UTC(2026, 2, 14, 8) + 40,
    width: 1280,
    height: 720,
    people: Array.from({ length: people }, (_, at) => ({
      trackId: at + 1,
      box: { x: 10 * at, y: 20.04, w: 30, h: 80 },
      score: 0.876,
      keypoints: Array.from({ length: 17 }, (_, joint) => ({ x: joint + at / 4, y: 2 * joint, score: 0.5 })),
      landmarks: null,
    })),
    ball: { trackId: 1, box: { x: 1, y: 2, w: 3, h: 4 }, score: 0.5 },
    models: { detector: { name: 'nano', version: '1' }, pose: null },
  }
}

function setup({ carriesBinary = true } = {}) {
  const clock = fakeClock()
  const live = createLive({ clock, base: 0 })
  const network = { texts: [] as string[], messages: [] as Uint8Array[], buffered: 0 }
  const subscriber = live.subscribe(
    {
      send: (text) => void network.texts.push(text),
      ...(carriesBinary && { sendBinary: (bytes: Uint8Array) => void network.messages.push(bytes) }),
      bufferedBytes: () => network.buffered,
      cutOff: () => {},
    },
    () => true,
  )
  subscriber.add(TOPIC)
  const pose = (seq: number) => live.publishBinary(TOPIC, 'pose', poseEvent(resultOf(seq)), PITCH)
  const seqs = () => network.messages.map((bytes) => read(bytes).header.data.frame_seq)
  return { clock, live, network, subscriber, pose, seqs }
}

/** Reads a message as a client does, from the words of the contract alone. */
function read(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const numbers = []
  for (let at = 4 + length; at < bytes.length; at += 4) numbers.push(view.getFloat32(at, true))
  return { header, numbers, numbersAt: 4 + length }
}

test('a skeleton is one message: header length, header, three numbers a joint', () => {
  const { network, pose } = setup()
  pose(7)
  const { header, numbers, numbersAt } = read(network.messages[0]!)
  assert.deepEqual(header, {
    type: 'pose',
    topic: TOPIC,
    seq: 1,
    ts: '2026-03-14T08:00:00.000Z',
    data: {
      camera_id: 'pitch',
      frame_seq: 7,
      captured_at: '2026-03-14T08:00:00.000Z',
      width: 1280,
      height: 720,
      people: [
        { track_id: 1, box: [0, 20, 30, 80], score: 0.88, keypoints: 17 },
        { track_id: 2, box: [10, 20, 30, 80], score: 0.88, keypoints: 17 },
      ],
      ball: { track_id: 1, box: [1, 2, 3, 4], score: 0.5 },
      models: { detector: { name: 'nano', version: '1' }, pose: null },
    },
  })
  assert.equal(numbers.length, 2 * 17 * 3)
  assert.deepEqual(numbers.slice(51, 57), [0.25, 0, 0.5, 1.25, 2, 0.5])
  assert.equal(numbersAt % 4, 0)
})

test('a subscriber gets at most fifteen a second, the newest of them', () => {
  const { clock, pose, seqs } = setup()
  for (let seq = 1; seq <= 600; seq++) {
    pose(seq)
    clock.advance(1000 / 60)
  }
  assert.ok(seqs().length >= 148 && seqs().length <= 151, `${seqs().length}`)
  clock.advance(100)
  assert.equal(seqs().at(-1), 600)
})

test('pictures of a camera of just that rate are passed on as they come, early or late by a little', () => {
  const { clock, pose, seqs } = setup()
  for (let seq = 1; seq <= 45; seq++) {
    pose(seq)
    assert.equal(seqs().at(-1), seq)
    clock.advance(1000 / 15 + (seq % 2 === 0 ? 8 : -8))
  }
})

test('after pictures that came late those that follow are soon on time again', () => {
  const { clock, pose, seqs } = setup()
  const step = (ms: number) => clock.advance(ms)
  for (let seq = 1; seq <= 5; seq++) {
    pose(seq)
    step(1000 / 15)
  }
  step(150)
  for (let seq = 6; seq <= 9; seq++) pose(seq)
  for (let seq = 10; seq <= 40; seq++) {
    step(1000 / 15)
    pose(seq)
    if (seq > 30) assert.equal(seqs().at(-1), seq)
  }
})

test('a slow network gets the newest skeleton when it can again, and hears of no gap', () => {
  const { clock, network, pose, seqs } = setup()
  network.buffered = 64 * 1024
  for (let seq = 1; seq <= 10; seq++) {
    pose(seq)
    clock.advance(70)
  }
  assert.deepEqual(seqs(), [])
  network.buffered = 0
  clock.advance(200)
  assert.deepEqual(seqs(), [10])
  assert.deepEqual(network.texts, [])
})

test('a wire of text alone gets the joints inside the event', () => {
  const { network, pose } = setup({ carriesBinary: false })
  pose(7)
  const { data } = JSON.parse(network.texts[0]!)
  assert.equal(data.people[1].keypoints.length, 17)
  assert.deepEqual(data.people[1].keypoints[1], [1.3, 2, 0.5])
})

test('who was away gets the newest skeleton, not the past', () => {
  const { network, subscriber, pose, seqs } = setup()
  subscriber.remove(TOPIC)
  for (let seq = 1; seq <= 5; seq++) pose(seq)
  subscriber.add(TOPIC)
  subscriber.replay(TOPIC, 2)
  assert.deepEqual(seqs(), [5])
  subscriber.replay(TOPIC, 5)
  assert.deepEqual(seqs(), [5])
  assert.deepEqual(network.texts, [])
})
