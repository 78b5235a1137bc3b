import type { Keypoint } from './skeleton.ts'

/** How far annotators themselves lie apart on each of COCO's 17 keypoints, as parts of the person's size (COCO's evaluation). */
const SIGMAS = [
  0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
  0.089, 0.089,
] as const

/** An annotated person: `labelled` keypoints count, `areaPx` is the area of the person's outline. */
export interface AnnotatedPerson {
  keypoints: readonly { x: number; y: number; labelled: boolean }[]
  areaPx: number
}

/** Object keypoint similarity, 0 to 1; null when no keypoint is labelled. */
export function oks(found: readonly Pick<Keypoint, 'x' | 'y'>[], truth: AnnotatedPerson): number | null {
  let sum = 0
  let labelled = 0
  truth.keypoints.forEach((point, index) => {
    const guess = found[index]
    const sigma = SIGMAS[index]
    if (!point.labelled || guess === undefined || sigma === undefined) return
    const apart = (guess.x - point.x) ** 2 + (guess.y - point.y) ** 2
    sum += Math.exp(-apart / (2 * truth.areaPx * (2 * sigma) ** 2))
    labelled++
  })
  return labelled === 0 ? null : sum / labelled
}
