import { yoloxRows } from './detect/yolox.ts'
import type { PictureFamily, Tensor } from './manifest.ts'
import type { OnnxSummary, OnnxValue } from './onnx-inspect.ts'
import { isRtmPose, RTMPOSE, RTMPOSE_JOINTS } from './pose/rtmpose.ts'
import { UnreadableInput } from './vision/unreadable.ts'

/** Largest side of a picture that an imported model may take: what it computes in between grows with its square. */
const MAX_SIDE = 1280

export interface Shapes {
  family: PictureFamily
  input: Tensor
  outputs: Tensor[]
}

/** How a model is to be fed and read, from the shapes that its file states. Throws UnreadableInput for any other model. */
export function familyOf({ inputs, outputs }: OnnxSummary): Shapes {
  const [input, ...more] = inputs.map(fixed)
  const results = outputs.map(fixed)
  if (input !== undefined && more.length === 0) {
    const found = yolox(input, results) ?? blazePose(input, results) ?? rtmPose(input, results)
    if (found !== null) return { family: found, input, outputs: results }
  }
  const said = [...inputs.map(speak), '→', ...outputs.map(speak)].join(' ')
  throw new UnreadableInput(
    `The hub cannot read a model with ${said}. It knows YOLOX (1×3×S×S → 1×N×(5 + classes), raw grid), BlazePose and RTMPose (1×3×256×192 → 1×17×384, 1×17×512, or 26 joints).`,
  )
}

function yolox(input: Tensor, outputs: readonly Tensor[]): PictureFamily | null {
  const [batch, channels, height = 0, width] = input.shape
  const [only, ...others] = outputs
  const [one, rows, values = 0] = only?.shape ?? []
  const isSquare =
    batch === 1 && channels === 3 && height === width && height % 32 === 0 && height <= MAX_SIDE
  return isSquare && others.length === 0 && one === 1 && rows === yoloxRows(height) && values >= 6
    ? 'yolox'
    : null
}

function blazePose(input: Tensor, outputs: readonly Tensor[]): PictureFamily | null {
  const shapes = `${input.shape.join('x')}:${outputs.map(({ shape }) => shape.join('x')).join(',')}`
  if (shapes === '1x3x224x224:1x2254x12,1x2254x1') return 'blazepose-detector'
  return shapes === '1x3x256x256:1x195,1x1,1x117' ? 'blazepose-landmarks' : null
}

/** The number of joints may be left open in the file: OpenMMLab's exporter does so. */
function rtmPose(input: Tensor, outputs: readonly Tensor[]): PictureFamily | null {
  const bins = [RTMPOSE.width, RTMPOSE.height].map((side) => side * RTMPOSE.binsPerPixel)
  const fits = outputs.every(({ shape: [one, joints = 0, values = 0, ...more] }, at) => {
    const isKnown = (joints === 0 || RTMPOSE_JOINTS.includes(joints)) && (values === 0 || values === bins[at])
    return one === 1 && isKnown && more.length === 0
  })
  return isRtmPose({ input, outputs }) && input.shape[0] === 1 && fits ? 'rtmpose' : null
}

/** A batch of any size is a batch of one; other open sizes match nothing. */
function fixed({ name, isFloat, shape }: OnnxValue): Tensor {
  return {
    name,
    shape: isFloat ? shape.map((size, axis) => size ?? (axis === 0 ? 1 : 0)) : [],
  }
}

function speak({ name, isFloat, shape }: OnnxValue): string {
  return `${name}:${isFloat ? '' : 'not float '}${shape.map((size) => size ?? '?').join('×')}`
}
