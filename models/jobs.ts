/** What is asked of the inference worker, and how it is done. */
import { createYoloxDetector, type Detection, type Detector } from './detect/detector.ts'
import { type Frame, frameBytes, type Region } from './detect/frame.ts'
import { decodeJpeg } from './detect/jpeg.ts'
import { createPeopleDetector, type SearchTurn } from './detect/people.ts'
import { estimateLandmarks } from './pose/estimator.ts'
import { bodyBox } from './pose/extent.ts'
import type { Landmarks } from './pose/landmarks.ts'
import { regionOfBox } from './pose/region.ts'
import { isRtmPose, rtmPoseRegion } from './pose/rtmpose.ts'
import { cocoOf, type Keypoint } from './pose/skeleton.ts'
import type { Run } from './run.ts'
import type { ModelFile } from './session.ts'
import type { Box } from './vision/boxes.ts'
import { UnreadableInput } from './vision/unreadable.ts'

/** A decoded frame, or a JPEG that the worker decodes. */
export type Picture = Frame | { format: 'jpeg'; data: Uint8Array }

/** A detector and what it needs: BlazePose's asks the landmark model about each candidate. */
export type DetectorFiles =
  | { family: 'yolox'; file: ModelFile }
  | { family: 'blazepose-detector'; file: ModelFile; landmarks: ModelFile }

/** What a search for people over several frames needs. */
export type SearchFiles = DetectorFiles & { family: 'blazepose-detector' }

/** Where a person is: a box is a guess that takes two looks, a region of the last frame or of a detection takes one. */
export type Where = { box: Box } | { region: Region }

export type Job =
  | { kind: 'detect'; picture: Picture; detector: DetectorFiles }
  | { kind: 'search'; picture: Picture; detector: SearchFiles; turn: SearchTurn }
  | { kind: 'pose'; picture: Picture; landmarks: ModelFile; people: readonly Where[] }

export interface Pose extends Landmarks {
  /** The box around the landmarks; it may reach beyond the frame. */
  box: Box
  /** COCO's 17. */
  keypoints: Keypoint[]
}

export interface Detected {
  model: string
  width: number
  height: number
  detections: Detection[]
}

export interface Searched extends Omit<Detected, 'detections'> {
  people: (Detection & { pose: Pose })[]
  /** What the camera usually sees, for the next search. */
  background: Float32Array
}

export interface Posed {
  model: string
  width: number
  height: number
  /** One for each place that was asked about, in that order. A low presence says that nobody is there. */
  poses: Pose[]
}

export type Answer<J extends Job> = J extends { kind: 'detect' }
  ? Detected
  : J extends { kind: 'search' }
    ? Searched
    : Posed

/** More people than this in one job are refused: they would take seconds. */
export const MOST_PEOPLE = 64

/** Does one job; throws UnreadableInput for a picture that cannot be used. */
export async function work(job: Job, run: Run): Promise<Detected | Searched | Posed> {
  const frame = frameOf(job.picture)
  const size = { width: frame.width, height: frame.height }
  if (job.kind === 'detect') {
    const detector = detectorOf(job.detector, run)
    return { model: detector.name, ...size, detections: await detector.detect(frame) }
  }
  if (job.kind === 'search') {
    const { file, landmarks } = job.detector
    const people = createPeopleDetector({ detector: file, landmarks, run })
    const found = await people.search(frame, job.turn)
    return {
      model: file.name,
      ...size,
      people: found.people.map((person) => ({ ...person, pose: posed(person.pose) })),
      background: found.background,
    }
  }
  if (job.people.length > MOST_PEOPLE)
    throw new UnreadableInput(`${job.people.length} people are too many; at most ${MOST_PEOPLE} at once.`)
  const poses: Pose[] = []
  for (const where of job.people) poses.push(await poseAt(frame, job.landmarks, where, run))
  return { model: job.landmarks.name, ...size, poses }
}

function detectorOf(files: DetectorFiles, run: Run): Detector {
  if (files.family === 'yolox') return createYoloxDetector({ file: files.file, run })
  return createPeopleDetector({ detector: files.file, landmarks: files.landmarks, run })
}

async function poseAt(frame: Frame, file: ModelFile, where: Where, run: Run): Promise<Pose> {
  const found =
    'box' in where
      ? await estimateLandmarks({ file, run }, frame, regionFor(file, where.box), 2)
      : await estimateLandmarks({ file, run }, frame, where.region, 1)
  return posed(found)
}

/** Each family of pose models was trained on its own margin around the box. */
function regionFor(file: ModelFile, box: Box) {
  return isRtmPose(file) ? rtmPoseRegion(box) : regionOfBox(box)
}

function posed(found: Landmarks): Pose {
  return { ...found, box: bodyBox(found.landmarks), keypoints: cocoOf(found.landmarks) }
}

function frameOf(picture: Picture): Frame {
  if (picture.format === 'jpeg') return decodeJpeg(picture.data)
  const expected = frameBytes(picture)
  if (picture.data.length < expected)
    throw new UnreadableInput(`The frame has ${picture.data.length} bytes instead of ${expected}.`)
  return picture
}
