import assert from 'node:assert/strict'
import test from 'node:test'
import { familyOf } from '../../../models/family.ts'
import { work } from '../../../models/jobs.ts'
import { inspectOnnx } from '../../../models/onnx-inspect.ts'
import { estimateRtmPose } from '../../../models/pose/rtmpose.ts'
import { BLAZEPOSE_33, COCO_17 } from '../../../models/pose/skeleton.ts'
import { openOnnx } from '../../../models/session.ts'
import { tinyJoint, tinyRtmPose } from '../tiny-rtmpose.ts'

const FRAME = {
  format: 'rgb24' as const,
  width: 320,
  height: 320,
  data: new Uint8Array(320 * 320 * 3).fill(90),
}
const BOX = { x: 100, y: 40, w: 60, h: 200 }

function fileOf(bytes: Uint8Array) {
  const { input, outputs } = familyOf(inspectOnnx(bytes))
  return { name: 'rtm', path: 'rtm.onnx', bytes: bytes.length, input, outputs }
}

/** A place in the model's picture, in the frame: the picture is 1.25 boxes high and lies around the box's middle. */
function inFrame({ x, y }: { x: number; y: number }) {
  const scale = (BOX.h * 1.25) / 256
  return { x: BOX.x + BOX.w / 2 + (x - 96) * scale, y: BOX.y + BOX.h / 2 + (y - 128) * scale }
}

for (const joints of [17, 26] as const)
  test(`the ${joints} joints of RTMPose lie in the frame where its rows of bins are highest`, async (t) => {
    const bytes = tinyRtmPose(joints)
    const file = fileOf(bytes)
    const model = await openOnnx(file, bytes)
    t.after(() => model.close())
    const job = { kind: 'pose' as const, picture: FRAME, landmarks: file, people: [{ box: BOX }] }
    const answer = await work(job, (_, input) => model.run(input))
    const [pose] = 'poses' in answer ? answer.poses : []
    pose!.keypoints.forEach((found, joint) => {
      const wanted = inFrame(tinyJoint(joint))
      assert.ok(Math.hypot(found.x - wanted.x, found.y - wanted.y) < 1e-3, COCO_17[joint])
      assert.equal(found.score.toFixed(3), tinyJoint(joint).score.toFixed(3))
    })
    assert.equal(pose!.presence, 11 / 12, 'the left wrist is below the limit')
    const heel = pose!.landmarks[BLAZEPOSE_33.indexOf('left_heel')]!
    const thumb = pose!.landmarks[BLAZEPOSE_33.indexOf('left_thumb')]!
    assert.equal(heel.score > 0, joints === 26, 'only Halpe knows heels')
    assert.equal(thumb.score, 0, 'nobody told of thumbs')
  })

test('RTMPose is fed red first, with the mean and deviation of its training, and black outside of the frame', async () => {
  const file = fileOf(tinyRtmPose(17))
  const data = new Uint8Array(320 * 320 * 3)
  for (let at = 0; at < data.length; at += 3) data.set([200, 100, 50], at)
  let fed = new Float32Array()
  const region = { cx: 0, cy: 160, size: 256, rotation: 0 }
  await estimateRtmPose(
    {
      file,
      async run(_, input) {
        fed = Float32Array.from(input)
        return { simcc_x: new Float32Array(17 * 384), simcc_y: new Float32Array(17 * 512) }
      },
    },
    { ...FRAME, data },
    region,
  )
  const at = (channel: number, x: number, y: number) => fed[(channel * 256 + y) * 192 + x]!.toFixed(3)
  assert.deepEqual(
    [0, 1, 2].map((channel) => at(channel, 150, 100)),
    ['1.307', '-0.285', '-0.933'],
  )
  assert.deepEqual(
    [0, 1, 2].map((channel) => at(channel, 20, 100)),
    ['-2.118', '-2.036', '-1.804'],
  )
})
