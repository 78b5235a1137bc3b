import { output, type Run } from '../run.ts'
import type { ModelFile } from '../session.ts'
import { type Box, iou } from '../vision/boxes.ts'
import { type Frame, type Region, sampleRegion } from './frame.ts'
import { suppress } from './suppress.ts'
import { decodeYolox, YOLOX_ENCODING, yoloxRegion, yoloxRows } from './yolox.ts'

/** Something found in a frame, in frame pixels. */
export interface Detection extends Box {
  score: number
  kind: 'person' | 'ball'
  /** Where the landmark model should look, when the detector knows better than by the box. */
  region?: Region
}

export interface Detector {
  name: string
  /** What it can find. */
  kinds: readonly Detection['kind'][]
  detect(frame: Frame): Promise<Detection[]>
}

/** Limits of what is reported; boxes that overlap by more than `maxOverlap` (IoU, the value of YOLOX's own ONNX demonstration) are one. */
export const YOLOX_DETECTION = { minScore: 0.1, maxOverlap: 0.45, most: 100 } as const
/** Places of COCO's classes among the 80: person, and sports ball. */
const COCO_KINDS: ReadonlyMap<number, Detection['kind']> = new Map([
  [0, 'person'],
  [32, 'ball'],
])
const FIRST_CLASS = 5

/** A YOLOX model on the whole frame; one with COCO's classes also finds balls. Low scores are kept: trackers use them. */
export function createYoloxDetector({ file, run }: { file: ModelFile; run: Run }): Detector {
  const side = file.input.shape[2] ?? 0
  const rows = yoloxRows(side)
  const classes = (file.outputs[0]?.shape[2] ?? 0) - FIRST_CLASS
  const kinds = [...COCO_KINDS.keys()].filter((kind) => kind < classes)
  return {
    name: file.name,
    kinds: kinds.map((kind) => COCO_KINDS.get(kind) ?? 'person'),
    async detect(frame) {
      const region = yoloxRegion(frame)
      const input = new Float32Array(3 * side * side)
      sampleRegion(frame, region, side, YOLOX_ENCODING, input)
      const values = output(await run(file, input), file, 0)
      if (values.length < rows * (FIRST_CLASS + 1)) throw new Error(`${file.name} gave too few values.`)
      const { minScore, maxOverlap, most } = YOLOX_DETECTION
      const found = decodeYolox(values, side, region, { minScore, kinds })
      const same = (a: (typeof found)[number], b: (typeof found)[number]) =>
        a.kind === b.kind && iou(a, b) > maxOverlap
      return suppress(found, same, most).map(({ kind, ...box }) => ({
        ...box,
        kind: COCO_KINDS.get(kind) ?? 'person',
      }))
    },
  }
}
