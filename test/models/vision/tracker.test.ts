import assert from 'node:assert/strict'
import test from 'node:test'
import { motMetrics } from '../../../models/vision/mot/metrics.ts'
import { type MotFrames, parseMot } from '../../../models/vision/mot/text.ts'
import {
  createTracker,
  type DetectedBox,
  type TrackerOptions,
  type TrackerUpdate,
} from '../../../models/vision/track/tracker.ts'
import { createRandom, missing, sampleText } from './samples.ts'

const SEQUENCE = ['vision', 'mot', 'TUD-Campus'] as const
const skip = missing(...SEQUENCE)
const RATE_HZ = 10

function player(x: number, score = 0.9, more: Partial<DetectedBox> = {}): DetectedBox {
  return { x, y: 100, w: 40, h: 100, score, ...more }
}

function setup(options: Partial<TrackerOptions> = {}) {
  const tracker = createTracker({ frameRateHz: RATE_HZ, ...options })
  let atMs = 0
  const see = (...boxes: DetectedBox[]): TrackerUpdate => {
    atMs += 1000 / RATE_HZ
    return tracker.update(boxes, atMs)
  }
  const ids = (...boxes: DetectedBox[]) => see(...boxes).tracks.map(({ trackId }) => trackId)
  const wait = (ms: number) => {
    atMs += ms
  }
  return { tracker, see, ids, wait }
}

/** What the reference's own demo keeps: boxes of a standing person. */
function track(detections: MotFrames): MotFrames {
  const tracker = createTracker({ frameRateHz: 30 })
  return detections.map((boxes, index) =>
    tracker
      .update(
        boxes.map(({ confidence, ...box }) => ({ ...box, score: confidence })),
        Math.round((index * 1000) / 30),
      )
      .tracks.filter(({ w, h }) => w * h > 100 && w / h <= 1.6)
      .map(({ trackId, score, ...box }) => ({ ...box, id: trackId, confidence: score })),
  )
}

for (const [detections, reference] of [
  ['det-frcnn-sort.txt', 'ref-byte.txt'],
  ['det-yolox-nano416.txt', 'ref-byte-on-yolox.txt'],
] as const) {
  test(`on ${detections} every box and identity is that of the reference ByteTrack`, { skip }, () => {
    const ours = track(parseMot(sampleText(...SEQUENCE, 'det', detections)))
    const theirs = parseMot(sampleText(...SEQUENCE, reference))
    const byId = (boxes: MotFrames[number]) => [...boxes].sort((one, other) => one.id - other.id)
    theirs.forEach((expected, frame) => {
      const found = byId(ours[frame] ?? [])
      assert.deepEqual(
        found.map(({ id }) => id),
        byId(expected).map(({ id }) => id),
      )
      byId(expected).forEach((box, index) => {
        for (const side of ['x', 'y', 'w', 'h'] as const)
          assert.ok(Math.abs(found[index]![side] - box[side]) <= 0.0051, `frame ${frame + 1}, id ${box.id}`)
      })
    })
    const truth = parseMot(sampleText(...SEQUENCE, 'gt', 'gt.txt'))
    const [mine, peer] = [motMetrics(truth, ours), motMetrics(truth, theirs)]
    for (const name of ['HOTA', 'MOTA', 'IDF1'] as const)
      assert.ok(mine[name] >= peer[name] - 0.005, `${name} ${mine[name]} against ${peer[name]}`)
  })
}

test('a box found after the first frame becomes a track when it is seen again', () => {
  const { ids } = setup()
  assert.deepEqual(ids(player(0)), [1])
  assert.deepEqual(ids(player(0), player(300)), [1], 'one sighting may be noise')
  assert.deepEqual(ids(player(0), player(300)), [1, 2])
})

test('a weak box keeps a track alive but founds none', () => {
  const { ids } = setup()
  ids(player(0))
  assert.deepEqual(ids(player(2, 0.3)), [1])
  assert.deepEqual(ids(player(4, 0.3), player(500, 0.3)), [1])
  assert.deepEqual(ids(player(6), player(500, 0.3)), [1])
})

test('a player hidden for less than the buffer returns as the same track, later as a new one', () => {
  const { ids, see } = setup({ bufferMs: 1000 })
  ids(player(0))
  for (let frame = 0; frame < 9; frame++) assert.deepEqual(ids(), [])
  assert.deepEqual(ids(player(0)), [1])
  const ended = Array.from({ length: 13 }, () => see().ended).flat()
  assert.deepEqual(ended, [1], 'the end is told once')
  ids(player(0))
  assert.deepEqual(ids(player(0)), [2])
})

test('dropped frames count as time: a runner is expected where he must be by now', () => {
  const { ids, wait } = setup()
  for (let frame = 0; frame < 10; frame++) ids(player(frame * 15))
  wait(400)
  assert.deepEqual(ids(player(13 * 15 + 15)), [1])
  wait(60_000)
  ids(player(13 * 15 + 30))
  assert.deepEqual(ids(player(13 * 15 + 45)), [2], 'after a minute nobody is expected anywhere')
})

test('a clock that steps back or stands still counts as the next frame', () => {
  const tracker = createTracker({ frameRateHz: RATE_HZ })
  const at = (ms: number) => tracker.update([player(0)], ms).tracks.map(({ trackId }) => trackId)
  assert.deepEqual([at(5000), at(5000), at(100), at(200)], [[1], [1], [1], [1]])
})

test('looks decide between two players who cross when a network describes them', () => {
  const red = Float32Array.of(1, 0)
  const blue = Float32Array.of(0, 1)
  const { see } = setup()
  see(player(0, 0.9, { embedding: red }), player(10, 0.9, { embedding: blue }))
  const { tracks } = see(player(0, 0.9, { embedding: blue }), player(10, 0.9, { embedding: red }))
  assert.deepEqual(
    tracks.map(({ trackId, boxIndex }) => [trackId, boxIndex]),
    [
      [1, 1],
      [2, 0],
    ],
  )
})

test('boxes without area or place are left out and counted', () => {
  const { tracker, ids } = setup()
  assert.deepEqual(ids(player(0), player(200, 0.9, { w: 0 }), player(Number.NaN)), [1])
  assert.equal(tracker.counters().ignoredBoxes, 2)
})

test('in a noisy crowd ids are unique, equal input gives equal output, and memory stays bounded', () => {
  const run = () => {
    const random = createRandom(7)
    const { tracker, see } = setup({ bufferMs: 10_000 })
    const told: TrackerUpdate[] = []
    for (let frame = 0; frame < 60; frame++)
      told.push(see(...Array.from({ length: 600 }, () => player(random() * 20_000, 0.2 + 0.8 * random()))))
    return { told, counters: tracker.counters() }
  }
  const { told, counters } = run()
  assert.deepEqual(run(), { told, counters })
  const gone = new Set<number>()
  for (const { tracks, ended } of told) {
    const present = tracks.map(({ trackId }) => trackId)
    assert.equal(new Set(present).size, present.length)
    assert.ok(
      present.every((id) => !gone.has(id)),
      'an ended track never returns',
    )
    for (const id of ended) {
      assert.ok(!gone.has(id), 'a track ends once')
      gone.add(id)
    }
  }
  assert.equal(counters.ignoredBoxes, 60 * 100, 'only the best 500 boxes of a frame are used')
})
