/** A person's markers in the room over a whole recording, from the 2D poses of calibrated cameras. */
import { lowPass } from '../numeric/butterworth.ts'
import { at } from '../numeric/dense.ts'
import { UnreadableInput } from '../unreadable.ts'
import { type Camera, undistort } from './cameras.ts'
import { fillGaps } from './gaps.ts'
import { type Marker, markersFor } from './markers.ts'
import {
  type RoomPoint,
  type Sighting,
  TRIANGULATION,
  type TriangulationOptions,
  triangulatePoint,
} from './point.ts'
import type { CameraPoses, Keypoints } from './poses2d.ts'
import type { MarkerRecording } from './trc.ts'

export interface RecordingOptions extends TriangulationOptions {
  rateHz: number
  /** Which of the associated people. */
  person: number
  /** Longest gap in frames that is filled by a spline (Pose2Sim: 10); 0 for none. */
  maxGapFrames: number
  /** Cut-off of the Butterworth filter over the finished curves (Pose2Sim: 6 Hz); null leaves them as they are. */
  lowPassHz: number | null
  /** Takes the lens distortion out of every sighting; Pose2Sim leaves it in unless asked. */
  undistort: boolean
}

export const RECORDING: RecordingOptions = {
  ...TRIANGULATION,
  rateHz: 60,
  person: 0,
  maxGapFrames: 10,
  lowPassHz: null,
  undistort: false,
}

export interface Triangulated extends MarkerRecording {
  quality: {
    /** Share of the markers that the cameras fixed; the rest was interpolated or is missing. */
    triangulatedShare: number
    interpolated: number
    missing: number
    /** Over the triangulated points. */
    meanErrorPx: number | null
    /** Points that needed at least one camera less than saw them, by camera left out. */
    excluded: Record<string, number>
  }
}

/** Room axes of the calibration (Z up) to those of the recording (Y up): Pose2Sim writes y, z, x. */
const Y_UP = (point: RoomPoint): [number, number, number] => [point.y, point.z, point.x]

/** Throws UnreadableInput when cameras, people or pose model do not fit. */
export function triangulateRecording(
  poses: readonly CameraPoses[],
  cameras: readonly Camera[],
  options: Partial<RecordingOptions> = {},
): Triangulated {
  const settings = { ...RECORDING, ...options }
  const views = pairCameras(poses, cameras)
  const frames = Math.max(...views.map((view) => view.frames.length))
  const markers = markersOf(views, settings.person)
  const places = new Float64Array(frames * markers.length * 3).fill(Number.NaN)
  const tally = { points: 0, errorPx: 0, excluded: {} as Record<string, number> }
  for (let frame = 0; frame < frames; frame++) {
    const seen = views.map((view) => ({
      camera: view.camera,
      keypoints: view.frames[frame]?.[settings.person] ?? null,
    }))
    markers.forEach(({ keypoint }, marker) => {
      const sightings = seen.flatMap((view) => sightingOf(view.camera, view.keypoints, keypoint, settings))
      const point = triangulatePoint(sightings, settings)
      if (!point) return
      places.set(Y_UP(point), (frame * markers.length + marker) * 3)
      count(tally, point, sightings, settings.minScore)
    })
  }
  const filled = eachCurve(places, markers.length * 3, (curve) => finish(curve, settings))
  const missing = filled.filter(Number.isNaN).length / 3
  const total = frames * markers.length
  return {
    markers: markers.map(({ name }) => name),
    rateHz: settings.rateHz,
    frames,
    places: filled,
    quality: {
      triangulatedShare: tally.points / total,
      interpolated: total - tally.points - missing,
      missing,
      meanErrorPx: tally.points > 0 ? tally.errorPx / tally.points : null,
      excluded: tally.excluded,
    },
  }
}

interface View {
  camera: Camera
  frames: CameraPoses['frames']
}

/** By name without punctuation ("cam01" is "cam_01"), else by order when there are as many of one as of the other. */
function pairCameras(poses: readonly CameraPoses[], cameras: readonly Camera[]): View[] {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')
  const byName = new Map(cameras.map((camera) => [plain(camera.name), camera]))
  const named = poses.flatMap(({ camera, frames }) => {
    const found = byName.get(plain(camera))
    return found ? [{ camera: found, frames }] : []
  })
  if (named.length === poses.length && named.length >= 2) return named
  if (poses.length !== cameras.length)
    throw new UnreadableInput(
      `The poses have cameras ${poses.map(({ camera }) => camera).join(', ')}, the calibration ${cameras.map(({ name }) => name).join(', ')}.`,
    )
  return poses.flatMap(({ frames }, index) => {
    const camera = cameras[index]
    return camera ? [{ camera, frames }] : []
  })
}

function markersOf(views: readonly View[], person: number): readonly Marker[] {
  for (const { frames } of views)
    for (const people of frames) {
      const keypoints = people[person]
      if (!keypoints) continue
      const markers = markersFor(keypoints.length / 3)
      if (markers) return markers
      throw new UnreadableInput(
        `A pose of ${keypoints.length / 3} keypoints is not known; 17 (COCO) and 25 (BODY_25B) are.`,
      )
    }
  throw new UnreadableInput(`No camera sees person ${person}.`)
}

function sightingOf(
  camera: Camera,
  keypoints: Keypoints,
  keypoint: number,
  settings: RecordingOptions,
): Sighting[] {
  if (!keypoints || keypoints.length < keypoint * 3 + 3) return []
  const pixel = { x: at(keypoints, keypoint * 3), y: at(keypoints, keypoint * 3 + 1) }
  const score = at(keypoints, keypoint * 3 + 2)
  return [{ camera, score, ...(settings.undistort ? undistort(camera, pixel) : pixel) }]
}

function count(
  tally: { points: number; errorPx: number; excluded: Record<string, number> },
  point: RoomPoint,
  sightings: readonly Sighting[],
  minScore: number,
): void {
  tally.points += 1
  tally.errorPx += point.errorPx
  for (const { camera, score } of sightings)
    if (score >= minScore && !point.cameras.includes(camera.name))
      tally.excluded[camera.name] = (tally.excluded[camera.name] ?? 0) + 1
}

function finish(curve: Float64Array, { maxGapFrames, lowPassHz, rateHz }: RecordingOptions): Float64Array {
  const filled = fillGaps(curve, maxGapFrames)
  return lowPassHz === null ? filled : lowPass(filled, lowPassHz, rateHz)
}

function eachCurve(
  places: Float64Array,
  width: number,
  change: (curve: Float64Array) => Float64Array,
): Float64Array {
  const changed = places.slice()
  for (let column = 0; column < width; column++) {
    const curve = Float64Array.from({ length: places.length / width }, (_, frame) =>
      at(places, frame * width + column),
    )
    change(curve).forEach((value, frame) => {
      changed[frame * width + column] = value
    })
  }
  return changed
}
