/** Steps a minute, from how regularly one ankle passes the other. */
import { COCO_17, type Keypoint } from '../../pose/skeleton.ts'

export interface Cadence {
  /** Steps a minute, at most once a second; null while there is nothing regular to count. */
  add(atMs: number, keypoints: readonly Keypoint[], boxHeight: number): number | null
  now(): number | null
}

const WINDOW_MS = 4000
const LEAST_SPAN_MS = 3000
const LEAST_SAMPLES = 24
const EVERY_MS = 1000
/** Strides (two steps) a second: from a stroll to a sprint. */
const SLOWEST_HZ = 0.5
const FASTEST_HZ = 2.6
const STEP_HZ = 0.02
/** One regular swing explains at least this share of how the ankles move against each other. */
const LEAST_SHARE = 0.5
/** Ankles that swing by less than this share of the body's height stand. */
const LEAST_SWING = 0.02
const MIN_SCORE = 0.3
const LEFT = COCO_17.indexOf('left_ankle')
const RIGHT = COCO_17.indexOf('right_ankle')

interface Swing {
  atMs: number
  x: number
  y: number
}

export function createCadence(): Cadence {
  let swings: Swing[] = []
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let steps: number | null = null
  return {
    add(atMs, keypoints, boxHeight) {
      const left = keypoints[LEFT]
      const right = keypoints[RIGHT]
      if (left && right && Math.min(left.score, right.score) >= MIN_SCORE && boxHeight > 0)
        swings.push({ atMs, x: (left.x - right.x) / boxHeight, y: (left.y - right.y) / boxHeight })
      if (atMs - lookedAtMs < EVERY_MS) return null
      lookedAtMs = atMs
      swings = swings.filter((swing) => atMs - swing.atMs <= WINDOW_MS)
      steps = stepsOf(swings)
      return steps
    },
    now: () => steps,
  }
}

/** By the periodogram of Lomb and Scargle, which does not mind that pictures come unevenly. */
function stepsOf(swings: readonly Swing[]): number | null {
  const first = swings[0]
  const last = swings.at(-1)
  if (!first || !last || swings.length < LEAST_SAMPLES || last.atMs - first.atMs < LEAST_SPAN_MS) return null
  const seconds = swings.map(({ atMs }) => (atMs - first.atMs) / 1000)
  const axes = [centred(swings.map(({ x }) => x)), centred(swings.map(({ y }) => y))]
  const whole = axes.reduce((sum, values) => sum + values.reduce((part, value) => part + value ** 2, 0), 0)
  if (Math.sqrt(whole / swings.length) < LEAST_SWING) return null
  let best = { hz: 0, power: 0 }
  for (let hz = SLOWEST_HZ; hz <= FASTEST_HZ; hz += STEP_HZ) {
    const power = axes.reduce((sum, values) => sum + powerAt(hz, seconds, values), 0)
    if (power > best.power) best = { hz, power }
  }
  return best.power / whole >= LEAST_SHARE ? Math.round(best.hz * 120) : null
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

/** The part of the sum of squares that a sine of this frequency explains. */
function powerAt(hz: number, seconds: readonly number[], values: readonly number[]): number {
  const omega = 2 * Math.PI * hz
  let sin2 = 0
  let cos2 = 0
  for (const t of seconds) {
    sin2 += Math.sin(2 * omega * t)
    cos2 += Math.cos(2 * omega * t)
  }
  const shift = Math.atan2(sin2, cos2) / (2 * omega)
  let ofCos = 0
  let ofSin = 0
  let allCos = 0
  let allSin = 0
  seconds.forEach((t, at) => {
    const cos = Math.cos(omega * (t - shift))
    const sin = Math.sin(omega * (t - shift))
    ofCos += (values[at] ?? 0) * cos
    ofSin += (values[at] ?? 0) * sin
    allCos += cos * cos
    allSin += sin * sin
  })
  return (allCos > 0 ? ofCos ** 2 / allCos : 0) + (allSin > 0 ? ofSin ** 2 / allSin : 0)
}
