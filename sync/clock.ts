/** Hybrid logical clock: instants that order edits of several machines although their clocks differ. */

/** 48 bits of milliseconds and a 16-bit counter in hexadecimal, then who made it: sorts as text. */
export const HLC_PATTERN = '^[0-9a-f]{16}-[A-Za-z0-9_-]{1,64}$'
/** A peer that is further ahead than this is not followed: one wrong clock must not drag every other along. */
export const MAX_AHEAD_MS = 5 * 60_000

const MAX_COUNTER = 0xffff
const MAX_MS = 0xffff_ffff_ffff

export interface HybridClock {
  /** A reading later than every one made or followed before, whatever the wall clock does. */
  tick(): string
  /** Takes note of a peer's reading. False when it lies more than MAX_AHEAD_MS ahead, and is then not followed. */
  follow(hlc: string): boolean
  /** The latest reading so far, to be kept over a restart; null before the first. */
  last(): string | null
}

export interface HybridClockDeps {
  /** Wall clock, integer milliseconds UTC. */
  now(): number
  /** Who reads: [A-Za-z0-9_-], up to 64. */
  node: string
  /** What `last()` said before the restart. */
  last?: string | null
}

/** Milliseconds of a reading. Throws RangeError when it is none. */
export function hlcMs(hlc: string): number {
  return partsOf(hlc).ms
}

/** A reading without a clock, as the first of its millisecond: for data that has only a wall time. */
export function hlcAt(atMs: number, node: string): string {
  return written(Math.min(Math.max(Math.trunc(atMs), 0), MAX_MS), 0, node)
}

/** The reading itself, or one at the latest instant that is believed, when it lies too far ahead of `nowMs`; order among such is lost. */
export function clampHlc(hlc: string, nowMs: number): string {
  const { ms, node } = partsOf(hlc)
  return ms > nowMs + MAX_AHEAD_MS ? hlcAt(nowMs + MAX_AHEAD_MS, node) : hlc
}

/**
 * A clock after Kulkarni et al., "Logical Physical Clocks" (2014): it is the wall clock while that moves forward, and counts on from
 * the latest reading while it stands or jumps back.
 */
export function createHybridClock({ now, node, last = null }: HybridClockDeps): HybridClock {
  let ms = 0
  let counter = -1
  if (last !== null) ({ ms, counter } = partsOf(last))
  return {
    tick() {
      const wallMs = Math.min(Math.max(Math.trunc(now()), 0), MAX_MS)
      if (wallMs > ms) {
        ms = wallMs
        counter = 0
      } else if (counter < MAX_COUNTER) counter += 1
      else {
        ms += 1
        counter = 0
      }
      return written(ms, counter, node)
    },
    follow(hlc) {
      const peer = partsOf(hlc)
      if (peer.ms > Math.max(now(), ms) + MAX_AHEAD_MS) return false
      if (peer.ms > ms || (peer.ms === ms && peer.counter > counter)) ({ ms, counter } = peer)
      return true
    },
    last: () => (counter < 0 ? null : written(ms, counter, node)),
  }
}

function written(ms: number, counter: number, node: string): string {
  return `${ms.toString(16).padStart(12, '0')}${counter.toString(16).padStart(4, '0')}-${node}`
}

function partsOf(hlc: string): { ms: number; counter: number; node: string } {
  if (!/^[0-9a-f]{16}-/.test(hlc)) throw new RangeError(`"${hlc}" is no reading of a hybrid clock`)
  return {
    ms: Number.parseInt(hlc.slice(0, 12), 16),
    counter: Number.parseInt(hlc.slice(12, 16), 16),
    node: hlc.slice(17),
  }
}
