/** Reads RTMPose (Jiang et al. 2023): each joint's place is the highest of a row of bins along x and of one along y (SimCC). */
import { type Frame, type Region, sampleRegion, toFrame } from '../detect/frame.ts'
import { output, type Run } from '../run.ts'
import type { ModelFile } from '../session.ts'
import type { Box } from '../vision/boxes.ts'
import { bodyBox } from './extent.ts'
import { LANDMARKS, type Landmark, type Landmarks } from './landmarks.ts'
import { BLAZEPOSE_33, type BlazePoseJoint, COCO_17 } from './skeleton.ts'

export const RTMPOSE = { width: 192, height: 256, binsPerPixel: 2 } as const
/** Mean and deviation of ImageNet's pixels, red first; black outside, as OpenMMLab's top-down transformation leaves it. */
const MEAN = [123.675, 116.28, 103.53] as const
const DEVIATION = [58.395, 57.12, 57.375] as const
const PIXELS = { order: 'rgb', scale: 1, offset: 0, outside: 0 } as const
/** How much larger than the person's box the picture is. */
const MARGIN = 1.25
/** A joint counts as seen from this score on (OpenMMLab's own limit for drawing). */
const SEEN = 0.3

/** What follows COCO's 17 in Halpe's 26; crown, neck and hip middle have no place in our skeleton. */
const HALPE_REST: readonly (BlazePoseJoint | null)[] = [
  null,
  null,
  null,
  'left_foot_index',
  'right_foot_index',
  null,
  null,
  'left_heel',
  'right_heel',
]
const JOINTS: readonly (BlazePoseJoint | null)[] = [...COCO_17, ...HALPE_REST]
/** How many joints a model may answer. */
export const RTMPOSE_JOINTS: readonly number[] = [COCO_17.length, JOINTS.length]

/** Where a joint that the model does not know is put, so that boxes around all landmarks stay right; its score is 0. */
const NEAREST = new Map<BlazePoseJoint, BlazePoseJoint>([
  ['left_eye_inner', 'left_eye'],
  ['left_eye_outer', 'left_eye'],
  ['right_eye_inner', 'right_eye'],
  ['right_eye_outer', 'right_eye'],
  ['mouth_left', 'nose'],
  ['mouth_right', 'nose'],
  ...(['left', 'right'] as const).flatMap((side): [BlazePoseJoint, BlazePoseJoint][] => [
    [`${side}_pinky`, `${side}_wrist`],
    [`${side}_index`, `${side}_wrist`],
    [`${side}_thumb`, `${side}_wrist`],
    [`${side}_heel`, `${side}_ankle`],
    [`${side}_foot_index`, `${side}_ankle`],
  ]),
])

/** Whether a model answers as RTMPose does, by its shapes. */
export function isRtmPose({ input, outputs }: Pick<ModelFile, 'input' | 'outputs'>): boolean {
  const [, channels, height, width] = input.shape
  return channels === 3 && height === RTMPOSE.height && width === RTMPOSE.width && outputs.length === 2
}

/** The square whose middle three quarters the model sees of a person's box. */
export function rtmPoseRegion({ x, y, w, h }: Box): Region {
  const tall = Math.max(h, (w * RTMPOSE.height) / RTMPOSE.width)
  return { cx: x + w / 2, cy: y + h / 2, size: tall * MARGIN, rotation: 0 }
}

/** Landmarks of the person in a region, in BlazePose's order; joints that the model does not know have score 0, and there is no depth. */
export async function estimateRtmPose(
  { file, run }: { file: ModelFile; run: Run },
  frame: Frame,
  region: Region,
): Promise<Landmarks> {
  const outputs = await run(file, rtmPoseInput(frame, region))
  return decodeSimcc(output(outputs, file, 0), output(outputs, file, 1), region)
}

function rtmPoseInput(frame: Frame, region: Region): Float32Array {
  const { width, height } = RTMPOSE
  const square = new Float32Array(3 * height * height)
  sampleRegion(frame, region, height, PIXELS, square)
  const input = new Float32Array(3 * width * height)
  const left = (height - width) / 2
  for (let channel = 0; channel < 3; channel++) {
    const mean = MEAN[channel] ?? 0
    const deviation = DEVIATION[channel] ?? 1
    for (let row = 0; row < height; row++) {
      const from = (channel * height + row) * height + left
      const to = (channel * height + row) * width
      for (let column = 0; column < width; column++)
        input[to + column] = ((square[from + column] ?? 0) - mean) / deviation
    }
  }
  return input
}

/** Joints out of the two rows of bins that the model answers for each. */
export function decodeSimcc(xs: Float32Array, ys: Float32Array, region: Region): Landmarks {
  const { width, height, binsPerPixel } = RTMPOSE
  const count = xs.length / (width * binsPerPixel)
  if (!RTMPOSE_JOINTS.includes(count)) throw new Error(`RTMPose with ${count} joints cannot be read.`)
  const found = new Map<BlazePoseJoint, Landmark>()
  for (let joint = 0; joint < count; joint++) {
    const name = JOINTS[joint]
    if (name == null) continue
    const across = highest(xs, joint * width * binsPerPixel, width * binsPerPixel)
    const down = highest(ys, joint * height * binsPerPixel, height * binsPerPixel)
    const u = 0.5 + (across.bin / binsPerPixel - width / 2) / height
    const place = toFrame(region, u, down.bin / binsPerPixel / height)
    // The less sure of both axes counts, as in OpenMMLab's decoder.
    found.set(name, { ...place, z: 0, score: Math.max(0, Math.min(across.value, down.value, 1)) })
  }
  const landmarks = BLAZEPOSE_33.map(
    (name) => found.get(name) ?? unseen(found.get(NEAREST.get(name) ?? name)),
  )
  const body = COCO_17.slice(5).map((name) => found.get(name)?.score ?? 0)
  return {
    // The model does not say whether anybody is there; how much of a body it sees does.
    presence: body.filter((score) => score >= SEEN).length / body.length,
    landmarks,
    world: Array.from({ length: LANDMARKS }, () => ({ x: 0, y: 0, z: 0 })),
    next: rtmPoseRegion(bodyBox(landmarks)),
  }
}

function unseen(near: Landmark | undefined): Landmark {
  return { x: near?.x ?? 0, y: near?.y ?? 0, z: 0, score: 0 }
}

function highest(values: Float32Array, from: number, count: number): { bin: number; value: number } {
  let bin = 0
  for (let at = 1; at < count; at++) if ((values[from + at] ?? 0) > (values[from + bin] ?? 0)) bin = at
  return { bin, value: values[from + bin] ?? 0 }
}
