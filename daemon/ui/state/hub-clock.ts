/** The hub's clock as this device sees it: ages of readings must not depend on how well a phone keeps time. */
import { type ReadonlySignal, signal } from '@preact/signals'

export interface HubClock {
  /** The hub's time now. */
  nowMs(): number
  /** The hub's time, once a second while somebody looks. */
  tick: ReadonlySignal<number>
  /** An answer of the hub said what time it was there. */
  heard(hubMs: number): void
  /** Starts or pauses the ticking. */
  run(visible: boolean): void
}

export interface HubClockDeps {
  nowMs: () => number
  setInterval: (run: () => void, ms: number) => number
  clearInterval: (id: number) => void
}

/** Answers arrive late by the time they travelled, so the largest offset heard lately is the nearest to the truth. */
const OFFSETS_KEPT = 8
/** Differences below this are travel time, and correcting for them only makes ages jitter. */
const TRUSTED_MS = 400

export function createHubClock({ nowMs, setInterval, clearInterval }: HubClockDeps): HubClock {
  const offsets: number[] = []
  let offsetMs = 0
  let timer: number | null = null
  const tick = signal(nowMs())
  const clock: HubClock = {
    nowMs: () => nowMs() + offsetMs,
    tick,
    heard(hubMs) {
      if (!Number.isFinite(hubMs)) return
      offsets.push(hubMs - nowMs())
      if (offsets.length > OFFSETS_KEPT) offsets.shift()
      const nearest = Math.max(...offsets)
      offsetMs = Math.abs(nearest) < TRUSTED_MS ? 0 : nearest
    },
    run(visible) {
      if (timer !== null) clearInterval(timer)
      timer = visible ? setInterval(() => (tick.value = clock.nowMs()), 1000) : null
      tick.value = clock.nowMs()
    },
  }
  return clock
}
