/** The live event of one result: a header that a person can read, and every joint as three numbers. */
import { iso } from '../../kernel/envelope.ts'
import type { SeenPerson, VisionResult } from './result.ts'
import type { Vision } from './vision.ts'

const VALUES_PER_JOINT = 3

export interface PoseEvent {
  data: Record<string, unknown>
  /** x, y (pixels of the picture) and score of every joint of every person, in the order of the header. */
  numbers: Float32Array
  /** The same with the joints in it, for wires that carry text only. */
  inline: () => Record<string, unknown>
}

export function poseEvent({ people, ball, ...result }: VisionResult): PoseEvent {
  const shown = people.map(({ trackId, box, score, keypoints }) => ({
    track_id: trackId,
    box: [box.x, box.y, box.w, box.h].map(tenths),
    score: hundredths(score),
    keypoints: keypoints.length,
  }))
  const data = {
    camera_id: result.cameraId,
    frame_seq: result.frameSeq,
    captured_at: iso(result.capturedAtMs),
    width: result.width,
    height: result.height,
    people: shown,
    ball: ball && {
      track_id: ball.trackId,
      box: [ball.box.x, ball.box.y, ball.box.w, ball.box.h].map(tenths),
      score: hundredths(ball.score),
    },
    models: result.models,
  }
  return {
    data,
    numbers: jointsOf(people),
    inline: () => ({
      ...data,
      people: shown.map((person, at) => ({
        ...person,
        keypoints: (people[at]?.keypoints ?? []).map(({ x, y, score }) => [
          tenths(x),
          tenths(y),
          hundredths(score),
        ]),
      })),
    }),
  }
}

/** Sends every result to whoever listens to the camera; answers the way to stop. */
export function publishPoses(
  vision: Pick<Vision, 'onResult'>,
  publish: (topic: string, type: string, event: PoseEvent, audience: { cameraId: string }) => void,
): () => void {
  return vision.onResult((result) => {
    const { cameraId } = result
    publish(`camera:${cameraId}`, 'pose', poseEvent(result), { cameraId })
  })
}

function jointsOf(people: readonly SeenPerson[]): Float32Array {
  const joints = people.flatMap(({ keypoints }) => keypoints)
  const numbers = new Float32Array(joints.length * VALUES_PER_JOINT)
  joints.forEach(({ x, y, score }, at) => {
    numbers.set([x, y, score], at * VALUES_PER_JOINT)
  })
  return numbers
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}
