/** `compute detect` and `compute pose`: the models on one picture. */
import { resolve } from 'node:path'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { loadConfig } from '../../../config/load.ts'
import {
  type Catalogue,
  modelFolders,
  pickDetector,
  pickPose,
  readCatalogue,
} from '../../../models/catalogue.ts'
import type { Detection } from '../../../models/detect/detector.ts'
import type { Region } from '../../../models/detect/frame.ts'
import { createInference, type Inference } from '../../../models/inference.ts'
import type { DetectorFiles, Picture, Pose } from '../../../models/jobs.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation, InputFile, Settings } from './computation.ts'

/** Scores below this are only of use to a tracker. */
const SHOWN_SCORE = 0.5
/** A region that holds no person: the landmark model says so itself. */
const MIN_PRESENCE = 0.5

/** People in a JPEG. `model` names an installed detector, `score` the least score that is shown, `kinds=person,ball` what to look for. */
export const detect: Computation = async (file, set) => {
  const asked = detectionSettings(set)
  return withInference(file, async (inference, picture, catalogue) => {
    const detector = detectorNamed(catalogue, asked.model)
    const { model, width, height, detections } = await inference.run({ kind: 'detect', picture, detector })
    const boxes = detections.filter(({ score, kind }) => score >= asked.score && asked.kinds.includes(kind))
    return { model, width, height, boxes: boxes.map((box) => spoken(box, asked.kinds)) }
  })
}

/** Poses in a JPEG, of the people in `--set boxes=FILE` (the answer of detect, or its list of boxes), else of those found. */
export const pose: Computation = async (file, set) => {
  const named = set.text('pose_model', '')
  const given = set.file('boxes')
  const boxes = given === null ? null : readBoxes(await given.json(), given)
  const asked = detectionSettings(set)
  return withInference(file, async (inference, picture, catalogue) => {
    const landmarks = pickPose(catalogue.models, named === '' ? undefined : named)
    if (landmarks === null) throw missingModel(named === '' ? 'pose model' : named)
    const found: readonly (Given & { region?: Region })[] =
      boxes ?? (await peopleIn(inference, picture, detectorNamed(catalogue, asked.model), asked.score))
    const where = found.map((person) =>
      person.region !== undefined ? { region: person.region } : { box: person },
    )
    const { model, width, height, poses } = await inference.run({
      kind: 'pose',
      picture,
      landmarks,
      people: where,
    })
    const posed = poses
      .map((person, index) => described(person, found[index]))
      .filter(({ score }) => boxes !== null || score >= MIN_PRESENCE)
    return { model, width, height, people: posed }
  })
}

async function peopleIn(
  inference: Inference,
  picture: Picture,
  detector: DetectorFiles,
  score: number,
): Promise<Detection[]> {
  const { detections } = await inference.run({ kind: 'detect', picture, detector })
  return detections.filter((found) => found.kind === 'person' && found.score >= score)
}

interface Asked {
  model: string
  score: number
  kinds: string[]
}

function detectionSettings(set: Settings): Asked {
  return {
    model: set.text('model', ''),
    score: set.number('score', SHOWN_SCORE),
    kinds: set.list('kinds', ['person']),
  }
}

/** Opens the models and the picture, and closes the models whatever happens. */
async function withInference(
  file: InputFile,
  use: (inference: Inference, picture: Picture, catalogue: Catalogue) => Promise<unknown>,
): Promise<unknown> {
  const data = await file.bytes()
  const catalogue = await readCatalogue(modelFolders(dataDirectory()))
  const inference = createInference()
  try {
    return await use(inference, { format: 'jpeg', data }, catalogue)
  } catch (cause) {
    if (cause instanceof UnreadableInput)
      throw new HubError('UNSUPPORTED_MEDIA', `${file.path}: ${cause.message}`, { cause })
    throw cause
  } finally {
    await inference.close()
  }
}

/** Only what says where the data lie is read: a setting that does not concern this must not stop it. */
export function dataDirectory(): string {
  const { HOMEFIELD_CONFIG, HOMEFIELD_DATA } = process.env
  return resolve(loadConfig({ HOMEFIELD_CONFIG, HOMEFIELD_DATA }).data)
}

function detectorNamed({ models }: Catalogue, name: string): DetectorFiles {
  const found = pickDetector(models, name === '' ? undefined : name)
  if (found === null) throw missingModel(name === '' ? 'detector' : name)
  return found
}

export function missingModel(name: string): HubError {
  return new HubError('NOT_FOUND', `No ${name} is installed. See: homefield models list`)
}

function spoken({ x, y, w, h, score, kind }: Detection, kinds: readonly string[]) {
  return { x, y, w, h, score, ...(kinds.length > 1 && { kind }) }
}

function described(pose: Pose, given: Given | undefined) {
  const { x, y, w, h } = given ?? pose.box
  return {
    box: { x, y, w, h },
    score: pose.presence,
    keypoints: pose.keypoints.map((point) => [point.x, point.y, point.score]),
    landmarks: pose.landmarks.map((point) => [point.x, point.y, point.z, point.score]),
  }
}

const Given = Type.Object({
  x: Type.Number(),
  y: Type.Number(),
  w: Type.Number({ exclusiveMinimum: 0 }),
  h: Type.Number({ exclusiveMinimum: 0 }),
})
type Given = Static<typeof Given>
const boxList = Compile(Type.Array(Given, { maxItems: 64 }))

function readBoxes(read: unknown, file: InputFile): Given[] {
  const boxes = typeof read === 'object' && read !== null && 'boxes' in read ? read.boxes : read
  if (boxList.Check(boxes)) return boxes
  throw new HubError(
    'VALIDATION_ERROR',
    `${file.path} should hold up to 64 boxes, each {x, y, w, h} in pixels.`,
  )
}
