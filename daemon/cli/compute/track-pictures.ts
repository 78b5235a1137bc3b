/** `compute track` on a folder of pictures: the whole of vision, frame after frame, as a camera would have it. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  type InstalledModel,
  modelFolders,
  pickDetector,
  pickLandmarks,
  pickPose,
  readCatalogue,
} from '../../../models/catalogue.ts'
import { familyOf } from '../../../models/family.ts'
import { createFollower, type LookPlan } from '../../../models/follow/follower.ts'
import { createInference } from '../../../models/inference.ts'
import type { DetectorFiles } from '../../../models/jobs.ts'
import { inspectOnnx } from '../../../models/onnx-inspect.ts'
import { formatMot, type MotFrames } from '../../../models/vision/mot/text.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation, PlainText, Settings } from './computation.ts'
import { dataDirectory, missingModel } from './inference.ts'

const MOST_PICTURES = 100_000
const DEFAULT_RATE_HZ = 25

/**
 * JPEGs of a folder, in the order of their names, to a MOT result. `detector` names an installed model or is an ONNX file,
 * `pose_model` an installed one or `none`, `every` how often the detector looks (landmarks carry people in between), `frame_rate`
 * the pictures' rate.
 */
export const trackPictures: Computation = async (folder, set) => {
  const frameRateHz = set.number('frame_rate', DEFAULT_RATE_HZ)
  if (frameRateHz <= 0) throw new HubError('VALIDATION_ERROR', 'frame_rate must be above 0.')
  const plan = await planOf(set)
  const names = (await readdir(folder.path)).filter((name) => /\.jpe?g$/i.test(name)).toSorted()
  if (names.length === 0 || names.length > MOST_PICTURES)
    throw new HubError('VALIDATION_ERROR', `${folder.path} should hold 1 to ${MOST_PICTURES} JPEG pictures.`)
  const inference = createInference()
  const follower = createFollower({ run: inference.run, frameRateHz })
  const frames: MotFrames = []
  try {
    for (const [at, name] of names.entries()) {
      const data = await readFile(join(folder.path, name))
      const { people } = await follower.step({ format: 'jpeg', data }, (at * 1000) / frameRateHz, plan)
      frames.push(people.map(({ trackId, box, score }) => ({ id: trackId, ...box, confidence: score })))
    }
  } catch (cause) {
    if (cause instanceof UnreadableInput)
      throw new HubError('UNSUPPORTED_MEDIA', `${names[frames.length]}: ${cause.message}`, { cause })
    throw cause
  } finally {
    await inference.close()
  }
  return { plainText: formatMot(frames) } satisfies PlainText
}

async function planOf(set: Settings): Promise<LookPlan> {
  const { models } = await readCatalogue(modelFolders(dataDirectory()))
  const pose = set.text('pose_model', '')
  const detector = await detectorOf(set.text('detector', ''), models)
  const isCheap = detector.family === 'yolox'
  // What BlazePose's search finds is carried by its own landmark model.
  const pick = isCheap ? pickPose : pickLandmarks
  const landmarks = pose === 'none' ? null : pick(models, pose === '' ? undefined : pose)
  if (landmarks === null && pose !== 'none') throw missingModel(pose === '' ? 'pose model' : pose)
  return {
    detector,
    landmarks,
    detectEvery: Math.max(1, set.number('every', isCheap ? 1 : 4)),
    looksAgain: isCheap,
  }
}

async function detectorOf(name: string, models: readonly InstalledModel[]): Promise<DetectorFiles> {
  if (name.endsWith('.onnx')) return detectorOfFile(name)
  const detector = pickDetector(models, name === '' ? undefined : name)
  if (detector === null) throw missingModel(name === '' ? 'detector' : name)
  return detector
}

async function detectorOfFile(path: string): Promise<DetectorFiles> {
  const bytes = await readFile(path)
  const { family, input, outputs } = familyOf(inspectOnnx(bytes))
  if (family !== 'yolox') throw new HubError('VALIDATION_ERROR', `${path} is no YOLOX detector.`)
  return { family, file: { name: basename(path, '.onnx'), path, bytes: bytes.length, input, outputs } }
}
