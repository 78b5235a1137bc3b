/** Who is carried between two looks of the detector, and for how long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFollower, type LookPlan } from '../../../models/follow/follower.ts'
import type { Inference } from '../../../models/inference.ts'

const FILE = { name: 'yolox', path: '', bytes: 0, input: { name: 'in', shape: [] }, outputs: [] }
const PICTURE = { width: 640, height: 360, data: new Uint8Array() }

/** A detector that finds one person in the first picture, and landmarks that find nobody. */
function setup() {
  const answers = {
    detect: { detections: [{ x: 100, y: 100, w: 60, h: 150, score: 0.9, kind: 'person' }], tookMs: {} },
    pose: { poses: [], tookMs: {} },
  }
  const run = (async ({ kind }: { kind: 'detect' | 'pose' }) => answers[kind]) as unknown as Inference['run']
  const follower = createFollower({ run, frameRateHz: 15 })
  const plan = {
    ...{ detector: { family: 'yolox', file: FILE }, landmarks: FILE, detectEvery: 10, looksAgain: false },
  } as unknown as LookPlan
  const people = async (atMs: number) =>
    (await follower.step(PICTURE as never, atMs, plan)).people.map(({ trackId }) => trackId)
  return { people }
}

test('somebody whom nobody looked at is carried for a few pictures that follow closely', async () => {
  const { people } = setup()
  assert.deepEqual([await people(0), await people(66), await people(133)], [[1], [1], [1]])
})

test('after half a second without a look nobody is shown where they may have gone', async () => {
  const { people } = setup()
  assert.deepEqual([await people(0), await people(66), await people(700)], [[1], [1], []])
})
