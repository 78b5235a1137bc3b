import type { AccessUnit, Times } from './source.ts'

/** Enough for 4 s of the fastest cameras. */
const REMEMBERED = 128
const WINDOW_MS = 4_000

/** Measures what a stream really gives, from its last seconds. */
export interface Meter {
  unit(unit: AccessUnit): void
  picture(times: Times): void
  /** Nulls before two pictures, or two keyframes, came; a JPEG stream has no keyframe interval. */
  measured(online: boolean): { fps: number | null; keyframeIntervalS: number | null }
}

export function createMeter(): Meter {
  let arrivals: number[] = []
  let lastKeyframeMs: number | null = null
  let keyframeIntervalS: number | null = null

  function fps(): number | null {
    const last = arrivals.at(-1)
    if (last === undefined) return null
    const recent = arrivals.filter((atMs) => last - atMs <= WINDOW_MS)
    const used = recent.length >= 2 ? recent : arrivals.slice(-2)
    const spanMs = last - (used[0] ?? last)
    return spanMs > 0 ? Math.round(((used.length - 1) / spanMs) * 100_000) / 100 : null
  }

  return {
    unit({ keyframe, codec, capturedAtMs }) {
      if (!keyframe || codec === 'jpeg') return
      if (lastKeyframeMs !== null && capturedAtMs > lastKeyframeMs) {
        keyframeIntervalS = (capturedAtMs - lastKeyframeMs) / 1000
      }
      lastKeyframeMs = capturedAtMs
    },
    picture({ arrivedAtMs }) {
      arrivals = [...arrivals.slice(1 - REMEMBERED), arrivedAtMs]
    },
    measured: (online) => ({ fps: online ? fps() : null, keyframeIntervalS }),
  }
}
