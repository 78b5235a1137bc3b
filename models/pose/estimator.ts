import { type Frame, type Region, sampleRegion } from '../detect/frame.ts'
import { output, type Run } from '../run.ts'
import type { ModelFile } from '../session.ts'
import { decodeLandmarks, LANDMARK_ENCODING, LANDMARK_SIDE, type Landmarks } from './landmarks.ts'
import { estimateRtmPose, isRtmPose } from './rtmpose.ts'

/** A body region smaller than this many pixels holds nothing that can be read. */
const MIN_REGION_PX = 8

/**
 * Landmarks of the person in a region. With two looks the second goes where the first believes the body to be, which costs the
 * same again and is worth it whenever the region is a guess (a box, a first detection) and not the last frame's answer; RTMPose
 * was made for boxes and never takes a second one.
 */
export async function estimateLandmarks(
  { file, run }: { file: ModelFile; run: Run },
  frame: Frame,
  region: Region,
  looks: 1 | 2,
): Promise<Landmarks> {
  if (isRtmPose(file)) return estimateRtmPose({ file, run }, frame, region)
  const input = new Float32Array(3 * LANDMARK_SIDE * LANDMARK_SIDE)
  sampleRegion(frame, region, LANDMARK_SIDE, LANDMARK_ENCODING, input)
  const outputs = await run(file, input)
  const found = decodeLandmarks(
    {
      landmarks: output(outputs, file, 0),
      presence: output(outputs, file, 1),
      world: output(outputs, file, 2),
    },
    region,
  )
  if (looks === 1 || !(found.next.size >= MIN_REGION_PX)) return found
  return estimateLandmarks({ file, run }, frame, found.next, 1)
}
