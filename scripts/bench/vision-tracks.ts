/** ByteTrack on made-up boxes, as many in a frame as the reference was timed with. */
import { createTracker } from '../../models/vision/track/tracker.ts'
import { median, type Row } from './row.ts'
import { shortNumber } from './table.ts'

const PEOPLE = 39
const FRAMES = 600
const ROUNDS = 5
/** ByteTrack's own Python (numpy, scipy) on one core of a server, 39 boxes a frame. */
const REFERENCE_FPS = 269
const TIMES_AS_FAST = 10

/** Everybody walks; some boxes are missing and some scores low, so that every stage of the tracker works. */
function walking(): { x: number; y: number; w: number; h: number; score: number }[][] {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
  const people = Array.from({ length: PEOPLE }, () => ({
    ...{ x: random() * 1800, y: random() * 900, vx: random() * 6 - 3, vy: random() * 2 - 1 },
    h: 80 + random() * 200,
  }))
  return Array.from({ length: FRAMES }, (_, frame) =>
    people.flatMap(({ x, y, vx, vy, h }) => {
      const seen = random()
      if (seen < 0.05) return []
      const noise = () => (random() - 0.5) * 0.03 * h
      const score = seen < 0.2 ? 0.2 + random() * 0.3 : 0.7 + random() * 0.3
      return [
        {
          x: x + vx * frame + noise(),
          y: y + vy * frame + noise(),
          w: h * 0.4 + noise(),
          h: h + noise(),
          score,
        },
      ]
    }),
  )
}

export function trackRow(): Row {
  const frames = walking()
  const fps = Array.from({ length: ROUNDS }, () => {
    const tracker = createTracker()
    const from = performance.now()
    frames.forEach((boxes, at) => {
      tracker.update(boxes, (at * 1000) / 30)
    })
    return (FRAMES * 1000) / (performance.now() - from)
  })
  const figure = median(fps)
  return {
    name: `ByteTrack, ${PEOPLE} boxes a frame`,
    hub: `${shortNumber(figure)} frames/s`,
    beside: `published reference in Python: ${REFERENCE_FPS} frames/s (another machine and day)`,
    ratio: figure / REFERENCE_FPS,
    target: `>= ${TIMES_AS_FAST}`,
    met: figure >= TIMES_AS_FAST * REFERENCE_FPS,
  }
}
