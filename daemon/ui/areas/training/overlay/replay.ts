/** What was seen at a moment of a recording, out of what the hub kept of a camera. */
import type { Box, Joint, Overlay, SeenPerson } from './pose.ts'

/** As the hub answers it; a box is x, y, width, height, a joint x, y and how surely it is there. */
export interface KeptTrack {
  track_id: number
  kind: 'person' | 'ball'
  width: number
  height: number
  samples: { at: string; box: number[]; keypoints: number[][] | null }[]
}

/** Anything that answers who was seen then; null: nobody knows. */
export type Replay = (atMs: number) => Overlay | null

/** Somebody who was last seen longer ago, or is seen only later, is not there. */
const NEAR_MS = 250

/** Between two looks the nearer one counts. */
export function createReplay(cameraId: string, tracks: readonly KeptTrack[]): Replay {
  const people = tracks
    .filter(({ kind }) => kind === 'person')
    .map(({ samples, ...track }) => ({
      ...track,
      samples: samples.map((sample) => ({ ...sample, atMs: Date.parse(sample.at) })),
    }))
  return (atMs) => {
    const [any] = people
    if (!any) return null
    const seen = people.flatMap(({ track_id: trackId, samples }): SeenPerson[] => {
      const near = nearest(samples, atMs)
      if (!near || Math.abs(near.atMs - atMs) > NEAR_MS) return []
      return [{ trackId, box: boxOf(near.box), joints: (near.keypoints ?? []).map(jointOf) }]
    })
    const { width, height } = any
    return { cameraId, capturedAtMs: atMs, width, height, people: seen, ball: null }
  }
}

/** Of samples in the order of time. */
function nearest<Sample extends { atMs: number }>(
  samples: readonly Sample[],
  atMs: number,
): Sample | undefined {
  let [low, high] = [0, samples.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((samples[middle]?.atMs ?? 0) < atMs) low = middle + 1
    else high = middle
  }
  const [before, after] = [samples[low - 1], samples[low]]
  if (!before || !after) return before ?? after
  return atMs - before.atMs <= after.atMs - atMs ? before : after
}

function boxOf([x = 0, y = 0, w = 0, h = 0]: number[]): Box {
  return { x, y, w, h }
}

function jointOf([x = 0, y = 0, score = 0]: number[]): Joint {
  return { x, y, score }
}
