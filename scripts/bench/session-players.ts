/** Six players who run about a pitch as one calibrated camera sees them: boxes and joints with the noise of a pose model. */
import type { VisionResult } from '../../daemon/media/vision/result.ts'
import { fitHomography, groundAt, pixelAt } from '../../models/vision/calibrate/homography.ts'

export const PITCH = { width: 1280, height: 720, pitch: { length: 40, width: 40 } }
export const POINTS = [
  { pixel: { x: 60, y: 690 }, metres: { x: 0, y: 0 } },
  { pixel: { x: 1230, y: 680 }, metres: { x: 40, y: 0 } },
  { pixel: { x: 1010, y: 240 }, metres: { x: 40, y: 40 } },
  { pixel: { x: 280, y: 245 }, metres: { x: 0, y: 40 } },
]
export const PLAYERS = 6
export const CAMERA_FPS = 15
/** Each track is lost after this long, and its player is found again as another. */
export const TRACK_MS = 10 * 60_000
const TALL_M = 1.5
const MODELS = { detector: { name: 'bench', version: '1' }, pose: { name: 'bench', version: '1' } }

/** Joints as shares of the body: sideways from its middle, up from the ground; and how far each swings with a step. */
const BODY = [
  ...[[0, 0.93, 0] as const, [0.02, 0.95, 0] as const, [-0.02, 0.95, 0] as const],
  ...[[0.04, 0.94, 0] as const, [-0.04, 0.94, 0] as const, [0.12, 0.82, 0] as const],
  ...[[-0.12, 0.82, 0] as const, [0.15, 0.65, 0.06] as const, [-0.15, 0.65, -0.06] as const],
  ...[[0.16, 0.5, 0.12] as const, [-0.16, 0.5, -0.12] as const, [0.08, 0.52, 0] as const],
  ...[[-0.08, 0.52, 0] as const, [0.09, 0.28, -0.08] as const, [-0.09, 0.28, 0.08] as const],
  ...[[0.09, 0.04, -0.16] as const, [-0.09, 0.04, 0.16] as const],
]

/** Where a player is at this second: loops of different lengths, with stops and sprints. */
export function placeAt(player: number, s: number): { x: number; y: number } {
  const turn = (period: number, phase: number) => (2 * Math.PI * s) / period + phase
  return {
    x: 20 + 11 * Math.sin(turn(37 + player * 3, player)) + 5 * Math.sin(turn(11 + player, 2 * player)),
    y: 18 + 10 * Math.cos(turn(43 + player * 2, player)) + 4 * Math.sin(turn(13 + player, player)),
  }
}

/** Metres that a player runs between two seconds. */
export function distanceOf(player: number, fromS: number, toS: number): number {
  let metres = 0
  let before = placeAt(player, fromS)
  for (let s = fromS + 0.1; s <= toS; s += 0.1) {
    const here = placeAt(player, s)
    metres += Math.hypot(here.x - before.x, here.y - before.y)
    before = here
  }
  return metres
}

export function trackOf(player: number, sinceStartMs: number): number {
  return 1 + player + PLAYERS * Math.floor(sinceStartMs / TRACK_MS)
}

/** Makes what the camera sees, picture by picture; the noise repeats from run to run. */
export function createScene(cameraId: string): (atMs: number, sinceStartMs: number) => VisionResult {
  const fit = fitHomography(POINTS)
  if (!fit.ok) throw new Error(fit.reason)
  const { homography } = fit
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  }
  /** What is left of a model's jitter after smoothing: about one pixel, changing slowly. */
  const jitter = Array.from({ length: PLAYERS * (BODY.length + 2) * 2 }, () => 0)
  const next = (index: number) => {
    jitter[index] = 0.85 * (jitter[index] ?? 0) + 1.8 * random()
    return jitter[index] ?? 0
  }
  let frameSeq = 0

  function person(player: number, s: number, trackId: number) {
    const place = placeAt(player, s)
    const foot = pixelAt(homography, place)
    const beside = foot && groundAt(homography, { x: foot.x + 10, y: foot.y })
    if (!foot || !beside) throw new Error('nobody stands there')
    const perMetre = 10 / Math.hypot(beside.x - place.x, beside.y - place.y)
    const height = TALL_M * perMetre
    const first = player * (BODY.length + 2) * 2
    const step = Math.sin(2 * Math.PI * 1.4 * s + player)
    const keypoints = BODY.map(([aside, up, swing], joint) => ({
      x: foot.x + (aside + swing * step) * height * 0.5 + next(first + 2 * joint),
      y: foot.y - up * height + next(first + 2 * joint + 1),
      score: 0.85 + 0.1 * random(),
    }))
    const last = first + 2 * BODY.length
    const box = {
      ...{ x: foot.x - height * 0.2 + next(last), y: foot.y - height + next(last + 1) },
      ...{ w: height * 0.4, h: height + next(last + 2) },
    }
    return { trackId, box, score: 0.9 + 0.05 * random(), keypoints, landmarks: null }
  }

  return (atMs, sinceStartMs) => ({
    ...{ cameraId, frameSeq: frameSeq++, capturedAtMs: atMs, analysedAtMs: atMs },
    ...{ width: PITCH.width, height: PITCH.height, ball: null, models: MODELS },
    people: Array.from({ length: PLAYERS }, (_, player) =>
      person(player, sinceStartMs / 1000, trackOf(player, sinceStartMs)),
    ),
  })
}
