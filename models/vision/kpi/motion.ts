/** Speed from places on the ground: even steps of 100 ms on the wall clock, low-passed, with gaps left as gaps. */
import { createLowPass, type Filter, VIDEO_SPEED_CUTOFF_HZ } from '../../series/gps-filter.ts'

/** The constants that stand behind every speed from video; they are shown beside the numbers. */
export const MOTION = {
  /** Steps a second; slot n is the instant n × 100 ms of the wall clock, so that cameras and players share it. */
  hz: 10,
  /** Butterworth of second order on each coordinate, causal; it lags by 0.22 s. */
  cutoffHz: VIDEO_SPEED_CUTOFF_HZ,
  /** Across a longer silence nothing is interpolated. */
  gapMs: 500,
  /** A step that needs more than this is a mistaken identity, not a sprint. */
  fastestMps: 12.5,
  /** White noise of 1 m on the place leaves this much on each axis of the low-passed speed. */
  noiseMpsPerM: 3,
  /** Below twice that noise, but never above this, a player is taken to stand. */
  stillMps: 0.55,
} as const

export const SLOT_MS = 1000 / MOTION.hz

/** Somebody's place and speed at one slot. */
export interface MotionSample {
  slot: number
  /** Metres on the pitch. */
  x: number
  y: number
  /** Whole centimetres a second, as it is stored, so that what was live and what is read back are the same numbers. */
  speedMps: number
}

export interface Motion {
  /** Takes the next place, null where there is none; answers the slots that became known. Instants must rise. */
  add(atMs: number, ground: { x: number; y: number; sdM: number } | null): MotionSample[]
  /** Places that no player can have reached. */
  jumps(): number
}

interface Place {
  atMs: number
  x: number
  y: number
}

/** Slots that a stretch needs before it has a direction from which the filter can start. */
const START_SLOTS = 5
/** Slots that the filter is run in with, along that direction: it has settled by then. */
const RUN_IN_SLOTS = 25
/** So many impossible places in a row are a new stretch. */
const MOST_JUMPS = 3
const NEWEST_SD = 0.1

export function createMotion(): Motion {
  let last: Place | null = null
  let stretch: Stretch | null = null
  let jumpsInRow = 0
  let jumps = 0
  let sdM = 0

  function begin(place: Place): void {
    last = place
    jumpsInRow = 0
    stretch = createStretch()
  }

  return {
    add(atMs, ground) {
      if (ground === null) return []
      const place = { atMs, x: ground.x, y: ground.y }
      const before = last
      if (before === null || stretch === null || atMs - before.atMs > MOTION.gapMs) {
        begin(place)
        sdM = ground.sdM
        return []
      }
      if (atMs <= before.atMs) return []
      const apart = Math.hypot(place.x - before.x, place.y - before.y)
      // Two places are each off by their own error.
      if (apart - 3 * Math.SQRT2 * ground.sdM > (MOTION.fastestMps * (atMs - before.atMs)) / 1000) {
        jumps += 1
        jumpsInRow += 1
        if (jumpsInRow >= MOST_JUMPS) begin(place)
        return []
      }
      jumpsInRow = 0
      sdM += NEWEST_SD * (ground.sdM - sdM)
      last = place
      const stillMps = Math.min(MOTION.stillMps, 2 * MOTION.noiseMpsPerM * sdM)
      return between(before, place).flatMap((step) => stretch?.add(step, stillMps) ?? [])
    },
    jumps: () => jumps,
  }
}

interface Step {
  slot: number
  x: number
  y: number
}

/** The slots after one place up to the next, on the straight line between them. */
function between(from: Place, to: Place): Step[] {
  const steps: Step[] = []
  for (let slot = Math.floor(from.atMs / SLOT_MS) + 1; slot * SLOT_MS <= to.atMs; slot++) {
    const share = (slot * SLOT_MS - from.atMs) / (to.atMs - from.atMs)
    steps.push({ slot, x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) })
  }
  return steps
}

interface Stretch {
  add(step: Step, stillMps: number): MotionSample[]
}

/** Filters one stretch without gaps. Its first steps wait until they show a direction, because a filter at rest would hide the start. */
function createStretch(): Stretch {
  const waiting: Step[] = []
  let filters: { x: Filter; y: Filter } | null = null
  let before: { x: number; y: number } | null = null

  function smooth({ slot, x, y }: Step, { x: ofX, y: ofY }: { x: Filter; y: Filter }, stillMps: number) {
    const now = { x: ofX(x), y: ofY(y) }
    const moved = before === null ? Number.NaN : Math.hypot(now.x - before.x, now.y - before.y)
    before = now
    const speed = moved * MOTION.hz
    return { slot, ...now, speedMps: speed < stillMps ? 0 : Math.round(speed * 100) / 100 }
  }

  return {
    add(step, stillMps) {
      if (filters !== null) return [smooth(step, filters, stillMps)]
      waiting.push(step)
      if (waiting.length < START_SLOTS) return []
      const started = {
        x: createLowPass(MOTION.cutoffHz, MOTION.hz),
        y: createLowPass(MOTION.cutoffHz, MOTION.hz),
      }
      filters = started
      const lineX = lineOf(waiting.map(({ x }) => x))
      const lineY = lineOf(waiting.map(({ y }) => y))
      for (let back = -RUN_IN_SLOTS; back < 0; back++)
        before = { x: started.x(lineX(back)), y: started.y(lineY(back)) }
      return waiting.map((one) => smooth(one, started, stillMps))
    },
  }
}

/** The straight line of least squares through values at 0, 1, 2 … */
function lineOf(values: readonly number[]): (at: number) => number {
  const n = values.length
  const middle = (n - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0)
  const slope = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread
  return (at) => mean + slope * (at - middle)
}
