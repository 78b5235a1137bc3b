import type { Landmark } from './landmarks.ts'
import { createOneEuro, type OneEuroParameters, POSE_SMOOTHING } from './one-euro.ts'

export interface PoseSmoother {
  /** The landmarks of one person with their jitter taken out; `sizePx` is the side of the body's region. Scores stay as they are. */
  smooth(landmarks: readonly Landmark[], atMs: number, sizePx: number): Landmark[]
}

/** One for each tracked person. After a gap longer than `maxGapMs` it starts afresh, because old places would drag the new ones. */
export function createPoseSmoother(
  parameters: OneEuroParameters = POSE_SMOOTHING,
  maxGapMs = 1000,
): PoseSmoother {
  const fresh = () => ({
    x: createOneEuro(parameters),
    y: createOneEuro(parameters),
    z: createOneEuro(parameters),
  })
  let filters: ReturnType<typeof fresh>[] = []
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    smooth(landmarks, atMs, sizePx) {
      if (atMs - lastMs > maxGapMs || filters.length !== landmarks.length) filters = landmarks.map(fresh)
      lastMs = Math.max(lastMs, atMs)
      return landmarks.map((landmark, index) => {
        const filter = filters[index]
        if (filter === undefined) return landmark
        return {
          x: filter.x.smooth(landmark.x, atMs, sizePx),
          y: filter.y.smooth(landmark.y, atMs, sizePx),
          z: filter.z.smooth(landmark.z, atMs, sizePx),
          score: landmark.score,
        }
      })
    },
  }
}
