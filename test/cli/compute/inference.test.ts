import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inputFile, settings } from '../../../daemon/cli/compute/computation.ts'
import { detect, pose } from '../../../daemon/cli/compute/inference.ts'
import { HubError } from '../../../daemon/kernel/errors.ts'
import { BUNDLED_FOLDER } from '../../../models/manifest.ts'
import { iou } from '../../../models/vision/boxes.ts'
import { missing, samplePath } from '../../models/vision/samples.ts'

const SKIER = ['vision', 'images', 'coco', '000000000785.jpg']
const built = existsSync(fileURLToPath(new URL('blazepose-full.onnx', BUNDLED_FOLDER)))
const skip = (built ? false : 'the bundled models are not built') || missing(...SKIER)
const annotated = { x: 280.79, y: 44.73, w: 218.7, h: 346.68 }

function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-compute-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return {
    file(name: string, content: string | Uint8Array) {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    },
  }
}

interface Boxes {
  model: string
  width: number
  height: number
  boxes: { x: number; y: number; w: number; h: number; score: number }[]
}
interface People {
  people: { box: object; score: number; keypoints: number[][]; landmarks: number[][] }[]
}

test('detect answers the model, the size and the boxes of a picture', { skip }, async () => {
  const { boxes, ...about } = (await detect(inputFile(samplePath(...SKIER)), settings([]))) as Boxes
  assert.deepEqual(about, { model: 'blazepose-detector', width: 640, height: 425 })
  assert.deepEqual(Object.keys(boxes[0]!), ['x', 'y', 'w', 'h', 'score'])
  assert.equal(boxes.length, 1)
  assert.ok(iou(boxes[0]!, annotated) > 0.7)
})

test('pose answers 17 keypoints and 33 landmarks for each given box, in its order', { skip }, async (t) => {
  const { file } = setup(t)
  const boxes = file('boxes.json', JSON.stringify({ boxes: [annotated, { x: 0, y: 300, w: 40, h: 60 }] }))
  const set = settings([`boxes=${boxes}`, 'pose_model=blazepose-lite'])
  const { people } = (await pose(inputFile(samplePath(...SKIER)), set)) as People
  assert.deepEqual(
    people.map(({ box }) => box),
    [annotated, { x: 0, y: 300, w: 40, h: 60 }],
  )
  assert.deepEqual(
    people.map(({ keypoints, landmarks }) => [
      keypoints.length,
      keypoints[0]!.length,
      landmarks.length,
      landmarks[0]!.length,
    ]),
    [
      [17, 3, 33, 4],
      [17, 3, 33, 4],
    ],
  )
  assert.ok(people[0]!.score > 0.9 && people[1]!.score < 0.5)
  assert.deepEqual(set.unused(), [])
})

test('pose without boxes finds the people first', { skip }, async () => {
  const { people } = (await pose(inputFile(samplePath(...SKIER)), settings([]))) as People
  assert.equal(people.length, 1)
  assert.ok(iou(people[0]!.box as typeof annotated, annotated) > 0.7)
})

test('bad pictures, bad boxes and unknown models are refused with what to do', { skip }, async (t) => {
  const { file } = setup(t)
  const text = inputFile(file('a.jpg', 'a text file named .jpg'))
  const half = inputFile(file('half.jpg', readFileSync(samplePath(...SKIER)).subarray(0, 30_000)))
  const skier = inputFile(samplePath(...SKIER))
  const refusal = (code: string, message: RegExp) => (cause: unknown) =>
    cause instanceof HubError && cause.code === code && message.test(cause.message)
  await assert.rejects(detect(text, settings([])), refusal('UNSUPPORTED_MEDIA', /a\.jpg: Not a JPEG/))
  await assert.rejects(detect(half, settings([])), refusal('UNSUPPORTED_MEDIA', /cut off/))
  await assert.rejects(detect(skier, settings(['model=yolox-huge'])), refusal('NOT_FOUND', /models list/))
  const boxes = file('boxes.json', '[{"x":1}]')
  await assert.rejects(
    pose(skier, settings([`boxes=${boxes}`])),
    refusal('VALIDATION_ERROR', /\{x, y, w, h\}/),
  )
})
