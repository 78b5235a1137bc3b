import { existsSync } from 'node:fs'
import type { Clock } from './clock.ts'

/** `unset`: the machine's clock stands where it cannot be. `guessed`: it may be right. `set`: the machine knows the time. */
export type ClockState = 'unset' | 'guessed' | 'set'

export interface ClockJump {
  /** The time after it. */
  atMs: number
  byMs: number
}

/**
 * The machine's clock, judged. A small box boots in 1970, or where it was switched off: then time goes on from the newest instant that can be
 * true, so that order holds, until the machine learns the time.
 */
export interface TrustedClock extends Clock {
  state(): ClockState
  /** The newest twenty, oldest first. A box that slept shows as well: its timers stood still. */
  jumps(): readonly ClockJump[]
  /** No true clock stands before this instant. */
  notBefore(ms: number): void
  /** What no instant may lie beyond: nothing is known to be the future while the clock is unset. */
  latestMs(): number
  /** Which stretch of uncertain time this is; null while nothing will have to be dated anew. Changes with every jump. */
  stretch(): number | null
  /** Told when a stretch ended by a jump: what was dated in it has to move by so much. */
  onLearnt(listener: (learnt: { stretch: number; byMs: number }) => void): () => void
  stop(): void
}

export interface TrustedClockDeps {
  clock: Clock
  /** When this program was built. */
  builtAtMs: number
  /** Whether the machine's own time service is content; null where it says nothing. */
  synchronised?: () => boolean | null
}

/** The machine on which the program was built may have been in another zone, and a little wrong. */
const BUILD_TOLERANCE_MS = 86_400_000
const LOOK_EVERY_MS = 1000
const JUMP_MS = 2000
const JUMPS_KEPT = 20
const FAR_MS = 400 * 86_400_000

export function createTrustedClock({
  clock,
  builtAtMs,
  synchronised = () => null,
}: TrustedClockDeps): TrustedClock {
  let floorMs = builtAtMs - BUILD_TOLERANCE_MS
  let lastMs = Number.NEGATIVE_INFINITY
  /** How far our time is ahead of the timers; what changes it is a jump. */
  let offsetMs: number | null = null
  let guess: { baseMs: number; atMonotonic: number } | null = null
  let current = 0
  /** Something may have been dated in the current stretch that has to move when it ends. */
  let asked = false
  let synced = synchronised()
  const known: ClockJump[] = []
  const listeners = new Set<(learnt: { stretch: number; byMs: number }) => void>()

  function read(): number {
    const wall = clock.now()
    if (wall >= floorMs || synced === true) {
      guess = null
      return wall
    }
    guess ??= { baseMs: Math.max(floorMs, lastMs), atMonotonic: clock.monotonic() }
    return Math.floor(guess.baseMs + clock.monotonic() - guess.atMonotonic)
  }

  function isUncertain(): boolean {
    return guess !== null || synced === false
  }

  function now(): number {
    const ms = read()
    lastMs = ms
    const offset = ms - clock.monotonic()
    const byMs = offsetMs === null ? 0 : Math.round(offset - offsetMs)
    offsetMs = offset
    if (Math.abs(byMs) >= JUMP_MS) jumped({ atMs: ms, byMs })
    return ms
  }

  function jumped(jump: ClockJump): void {
    known.push(jump)
    if (known.length > JUMPS_KEPT) known.shift()
    const ended = current
    current += 1
    if (asked) for (const listener of listeners) listener({ stretch: ended, byMs: jump.byMs })
    asked = false
  }

  now()
  const stop = clock.every(LOOK_EVERY_MS, () => {
    synced = synchronised()
    now()
  })
  return {
    now,
    monotonic: clock.monotonic,
    after: clock.after,
    every: clock.every,
    state() {
      now()
      if (guess !== null) return 'unset'
      return synced === true ? 'set' : 'guessed'
    },
    jumps: () => [...known],
    notBefore(ms) {
      const wall = clock.now()
      // So far ahead only a clock that was wrong then can have been: the one that may be right now is believed.
      if (wall >= floorMs && ms - wall > FAR_MS) return
      floorMs = Math.max(floorMs, ms)
      guess = null
      // Nothing was dated yet: this is no jump.
      offsetMs = null
      now()
    },
    latestMs() {
      const ms = now()
      return guess === null ? ms : Number.MAX_SAFE_INTEGER
    },
    stretch() {
      now()
      if (!isUncertain()) return null
      asked = true
      return current
    },
    onLearnt(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stop,
  }
}

const SERVICE = '/run/systemd/timesync'

/** systemd's own word; other time services leave none that a program without rights can read. */
export function timeService(): boolean | null {
  return existsSync(SERVICE) ? existsSync(`${SERVICE}/synchronized`) : null
}
