/** The ball of a scene: one of the detector's candidates, carried along its own motion between two looks. */
import type { Box } from '../vision/boxes.ts'

export interface SeenBall {
  trackId: number
  box: Box
  score: number
}

export interface BallFollower {
  /** Takes what one look of the detector found; answers where the ball is. */
  seen(candidates: readonly (Box & { score: number })[], atMs: number): SeenBall | null
  /** Between two looks: the last place moved on, surer of nothing the longer ago it was seen. */
  carried(atMs: number): SeenBall | null
}

/** A ball that a detector of this size is unsure of is a head or a lamp more often than not. */
const MIN_SCORE = 0.3
/** How far a ball goes in a second, in its own diameters: a hard shot of 30 m/s over 0.22 m. */
const DIAMETERS_PER_S = 140
const CARRIED_MS = 400
const REMEMBERED_MS = 1500

/** One for each camera. */
export function createBallFollower(): BallFollower {
  let last: (SeenBall & { atMs: number; vx: number; vy: number }) | null = null
  let nextId = 1
  return {
    seen(candidates, atMs) {
      const known = last !== null && atMs - last.atMs <= REMEMBERED_MS ? last : null
      const near = candidates.filter(({ score }) => score >= MIN_SCORE)
      const reachable = known === null ? [] : near.filter((box) => withinReach(known, box, atMs))
      const [best] = (reachable.length > 0 ? reachable : near).toSorted((a, b) => b.score - a.score)
      if (best === undefined) return null
      const { x, y, w, h, score } = best
      const box = { x, y, w, h }
      const before = reachable.length > 0 ? known : null
      const seconds = before === null ? 0 : (atMs - before.atMs) / 1000
      const speed = (to: number, from: number) => (seconds > 0 ? (to - from) / seconds : 0)
      last = {
        trackId: before?.trackId ?? nextId++,
        box,
        score,
        atMs,
        vx: before === null ? 0 : speed(x + w / 2, before.box.x + before.box.w / 2),
        vy: before === null ? 0 : speed(y + h / 2, before.box.y + before.box.h / 2),
      }
      return { trackId: last.trackId, box, score }
    },
    carried(atMs) {
      if (last === null || atMs < last.atMs || atMs - last.atMs > CARRIED_MS) return null
      const seconds = (atMs - last.atMs) / 1000
      const { box, vx, vy, trackId, score } = last
      const faded = score * (1 - (atMs - last.atMs) / (2 * CARRIED_MS))
      return { trackId, score: faded, box: { ...box, x: box.x + vx * seconds, y: box.y + vy * seconds } }
    },
  }
}

function withinReach({ box, atMs }: { box: Box; atMs: number }, next: Box, nowMs: number): boolean {
  const apart = Math.hypot(next.x + next.w / 2 - box.x - box.w / 2, next.y + next.h / 2 - box.y - box.h / 2)
  const diameter = Math.max(box.w, box.h)
  return apart <= diameter * (1 + (DIAMETERS_PER_S * Math.max(0, nowMs - atMs)) / 1000)
}
