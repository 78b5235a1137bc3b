/** `compute track`, `mot-metrics`, `triangulate` and `fit-body`: the vision algorithms on files. */
import { basename, dirname, extname, join } from 'node:path'
import { bodyModelFromNpz, JOINT_NAMES } from '../../../models/vision/body/body-model.ts'
import { fitBody } from '../../../models/vision/body/fit.ts'
import { parseJoints } from '../../../models/vision/body/joints-file.ts'
import { poseAngles, smoothAngles } from '../../../models/vision/body/kpi.ts'
import { kinematicSkeleton } from '../../../models/vision/body/skeleton.ts'
import { motMetrics } from '../../../models/vision/mot/metrics.ts'
import { formatMot, type MotFrames, parseMot } from '../../../models/vision/mot/text.ts'
import { BYTETRACK, createTracker, type TrackedBox } from '../../../models/vision/track/tracker.ts'
import { parseCalibration } from '../../../models/vision/triangulate/cameras.ts'
import { parsePoses } from '../../../models/vision/triangulate/poses2d.ts'
import {
  RECORDING,
  type RecordingOptions,
  type Triangulated,
  triangulateRecording,
} from '../../../models/vision/triangulate/recording.ts'
import { formatTrc } from '../../../models/vision/triangulate/trc.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import { HubError, isMissing } from '../../kernel/errors.ts'
import { type Computation, type InputFile, inputFile, type PlainText, type Settings } from './computation.ts'

/** MOT detections to a MOT result. Settings carry the reference's names and defaults. */
export const track: Computation = async (file, set) => {
  const detections = await readMot(file)
  return { plainText: formatMot(trackFrames(detections, set)) } satisfies PlainText
}

/** A MOT result against `--set gt=FILE`. */
export const motMetricsOfFiles: Computation = async (file, set) => {
  const truth = await readMot(required(set, 'gt'))
  const result = await readMot(file)
  return readable(file.path, () => motMetrics(truth, result))
}

/**
 * Associated 2D poses and `--set calibration=FILE` to a TRC recording; the reprojection error goes to stderr. `format=json`
 * answers everything as JSON.
 */
export const triangulate: Computation = async (file, set) => {
  const calibration = required(set, 'calibration')
  const toml = await calibration.text()
  const cameras = readable(calibration.path, () => parseCalibration(toml))
  const poses = await file.json()
  const options = recordingOptions(set)
  const format = oneOf(set, 'format', ['trc', 'json'])
  const recording = readable(file.path, () => triangulateRecording(parsePoses(poses), cameras, options))
  const { quality, markers, rateHz, frames, places } = recording
  if (format === 'json')
    return { markers, rate_hz: rateHz, frames, places: [...places], quality: spoken(quality) }
  process.stderr.write(`${JSON.stringify(spoken(quality))}\n`)
  const name = `${basename(file.path, extname(file.path))}.trc`
  return { plainText: formatTrc(name, recording) } satisfies PlainText
}

/**
 * 3D joints to one body and its pose per frame. The body is `--set model=FILE.npz`, else the file that the recording names if it
 * lies beside it, else the hub's own skeleton; the answer says which. `rate` and `lowpass` smooth the angles.
 */
export const fitBodyToJoints: Computation = async (file, set) => {
  const input = await file.json()
  const rateHz = set.number('rate', RECORDING.rateHz)
  const lowPassHz = lowPassOf(set, rateHz)
  const { name, model } = await bodyModelFor(file, set.file('model'), input)
  const { frames, up } = readable(file.path, () => parseJoints(input, model.joints))
  const fit = fitBody(model, frames, up)
  const angles = fit.frames.map(({ joints }) => poseAngles(joints, up))
  const smooth = lowPassHz === null ? angles : smoothAngles(angles, lowPassHz, rateHz)
  return {
    model: name,
    beta: [...fit.beta],
    bone_lengths_m: [...fit.boneLengthsM],
    noise_m: fit.noiseM,
    joint_names: JOINT_NAMES,
    frames: fit.frames.map(({ joints, errorM, inferred }, index) => ({
      kpi: smooth[index],
      joints: Array.from({ length: model.joints }, (_, joint) => [
        ...joints.subarray(joint * 3, joint * 3 + 3),
      ]),
      error_mm: errorM * 1000,
      inferred: inferred.map((joint) => JOINT_NAMES[joint] ?? `joint ${joint}`),
    })),
  }
}

async function bodyModelFor(file: InputFile, given: InputFile | null, input: unknown) {
  const named = given ?? modelBeside(file, input)
  if (!named) return { name: 'homefield skeleton', model: kinematicSkeleton() }
  try {
    const bytes = await named.bytes()
    return { name: basename(named.path), model: readable(named.path, () => bodyModelFromNpz(bytes)) }
  } catch (cause) {
    if (given || !isMissing(cause)) throw cause
    process.stderr.write(`${named.path} is not there; the hub's own skeleton is fitted.\n`)
    return { name: 'homefield skeleton', model: kinematicSkeleton() }
  }
}

/** Only a plain file name is followed, and only in the recording's own folder. */
function modelBeside(file: InputFile, input: unknown): InputFile | null {
  const name = typeof input === 'object' && input !== null && 'model' in input ? input.model : null
  return typeof name === 'string' && /^[\w.-]+\.npz$/.test(name)
    ? inputFile(join(dirname(file.path), name))
    : null
}

function recordingOptions(set: Settings): RecordingOptions {
  const rateHz = set.number('rate', RECORDING.rateHz)
  const lowPassHz = lowPassOf(set, rateHz)
  const reweightPx = set.number('reweight_px', 0)
  return {
    rateHz,
    lowPassHz,
    reweightPx: reweightPx > 0 ? reweightPx : null,
    person: set.number('person', RECORDING.person),
    minScore: set.number('min_score', RECORDING.minScore),
    maxErrorPx: set.number('max_error_px', RECORDING.maxErrorPx),
    minCameras: Math.max(2, set.number('min_cameras', RECORDING.minCameras)),
    maxGapFrames: set.number('max_gap', RECORDING.maxGapFrames),
    undistort: oneOf(set, 'undistort', ['off', 'on']) === 'on',
  }
}

/** Null when the filter is off. */
function lowPassOf(set: Settings, rateHz: number): number | null {
  if (rateHz <= 0) throw new HubError('VALIDATION_ERROR', 'rate must be above 0.')
  const lowPassHz = set.number('lowpass', 0)
  if (lowPassHz < 0 || lowPassHz >= rateHz / 2)
    throw new HubError('VALIDATION_ERROR', `lowpass must lie between 0 (off) and half of ${rateHz}.`)
  return lowPassHz === 0 ? null : lowPassHz
}

function spoken(quality: Triangulated['quality']) {
  return {
    triangulated_share: quality.triangulatedShare,
    interpolated: quality.interpolated,
    missing: quality.missing,
    mean_reprojection_error_px: quality.meanErrorPx,
    excluded: quality.excluded,
  }
}

function trackFrames(detections: MotFrames, set: Settings): MotFrames {
  const frameRateHz = set.number('frame_rate', BYTETRACK.frameRateHz)
  if (frameRateHz <= 0) throw new HubError('VALIDATION_ERROR', 'frame_rate must be above 0.')
  const trackThreshold = set.number('track_thresh', BYTETRACK.trackThreshold)
  const tracker = createTracker({
    frameRateHz,
    trackThreshold,
    newTrackThreshold: set.number('new_track_thresh', trackThreshold + 0.1),
    lowThreshold: set.number('low_thresh', BYTETRACK.lowThreshold),
    matchLimit: set.number('match_thresh', BYTETRACK.matchLimit),
    // The reference counts its buffer in frames of a 30 Hz stream.
    bufferMs: (set.number('track_buffer', 30) * 1000) / 30,
  })
  const smallestPx = set.number('min_box_area', 100)
  const widest = set.number('max_w_over_h', 1.6)
  const plausible = ({ w, h }: TrackedBox) => w * h > smallestPx && w / h <= widest
  return detections.map((boxes, index) => {
    const detected = boxes.map(({ x, y, w, h, confidence }) => ({ x, y, w, h, score: confidence }))
    const { tracks } = tracker.update(detected, (index * 1000) / frameRateHz)
    return tracks
      .filter(plausible)
      .map(({ trackId, x, y, w, h, score }) => ({ id: trackId, x, y, w, h, confidence: score }))
  })
}

async function readMot(file: InputFile): Promise<MotFrames> {
  const text = await file.text()
  return readable(file.path, () => parseMot(text))
}

function required(set: Settings, name: string): InputFile {
  const file = set.file(name)
  if (!file) throw new HubError('VALIDATION_ERROR', `Say which file: --set ${name}=FILE`)
  return file
}

/** A setting with a closed list of values, the first being the default. */
function oneOf<T extends string>(set: Settings, name: string, values: readonly [T, ...T[]]): T {
  const given = set.text(name, values[0])
  const found = values.find((value) => value === given)
  if (found === undefined)
    throw new HubError('VALIDATION_ERROR', `${name} is one of ${values.join(', ')}, not "${given}".`)
  return found
}

/** Runs a parser or a computation and says of which file it complains. */
function readable<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof UnreadableInput)
      throw new HubError('VALIDATION_ERROR', `${path}: ${cause.message}`, { cause })
    throw cause
  }
}
