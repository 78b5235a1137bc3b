/** Reads the output of YOLOX, whose grid is not decoded inside the exported model (Ge et al. 2021). */
import type { Box } from '../vision/boxes.ts'
import type { Frame, Region } from './frame.ts'

export interface FoundBox extends Box {
  score: number
  /** Class of the training set; 0 is a person in every model that we read. */
  kind: number
}

/** BGR as it is; grey around. */
export const YOLOX_ENCODING = { order: 'bgr', scale: 1, offset: 0, outside: 114 } as const
const STRIDES = [8, 16, 32] as const

/** How many predictions a square input of this side gives. */
export function yoloxRows(side: number): number {
  return STRIDES.reduce((sum, stride) => sum + Math.floor(side / stride) ** 2, 0)
}

/** The square that YOLOX sees of a frame: the frame lies in its upper left corner. */
export function yoloxRegion({ width, height }: Pick<Frame, 'width' | 'height'>): Region {
  const size = Math.max(width, height)
  return { cx: size / 2, cy: size / 2, size, rotation: 0 }
}

/** Boxes of the wanted classes that reach `minScore` (objectness × class), in frame pixels and not yet suppressed. */
export function decodeYolox(
  output: Float32Array,
  side: number,
  region: Region,
  { minScore, kinds }: { minScore: number; kinds: readonly number[] },
): FoundBox[] {
  const rows = yoloxRows(side)
  const width = output.length / rows
  const scale = region.size / side
  const left = region.cx - region.size / 2
  const top = region.cy - region.size / 2
  const found: FoundBox[] = []
  let row = 0
  for (const stride of STRIDES) {
    const cells = Math.floor(side / stride)
    for (let cell = 0; cell < cells * cells; cell++, row++) {
      const at = row * width
      const sure = output[at + 4] ?? 0
      if (sure < minScore) continue
      for (const kind of kinds) {
        const score = sure * (output[at + 5 + kind] ?? 0)
        if (score < minScore) continue
        const w = Math.exp(output[at + 2] ?? 0) * stride * scale
        const h = Math.exp(output[at + 3] ?? 0) * stride * scale
        const x = left + ((output[at] ?? 0) + (cell % cells)) * stride * scale - w / 2
        const y = top + ((output[at + 1] ?? 0) + Math.floor(cell / cells)) * stride * scale - h / 2
        found.push({ x, y, w, h, score, kind })
      }
    }
  }
  return found
}
