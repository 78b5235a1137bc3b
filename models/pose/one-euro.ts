/** The One-Euro filter (Casiez, Roussel, Vogel 2012): smooth when a joint rests, quick when it moves. */

export interface OneEuroParameters {
  /** Cut-off while nothing moves; lower is smoother. */
  minCutoffHz: number
  /** How much the cut-off rises with speed, per body length a second; higher lags less. */
  beta: number
  /** Cut-off of the speed itself. */
  derivativeCutoffHz: number
}

/** MediaPipe's values for body landmarks (pose_landmark_filtering), with speed in body regions a second. */
export const POSE_SMOOTHING: OneEuroParameters = { minCutoffHz: 0.05, beta: 80, derivativeCutoffHz: 1 }

export interface OneEuro {
  /** The smoothed value; `scale` is the length that speed is measured in. An instant not after the last one changes nothing. */
  smooth(value: number, atMs: number, scale: number): number
}

export function createOneEuro({ minCutoffHz, beta, derivativeCutoffHz }: OneEuroParameters): OneEuro {
  let last: { value: number; raw: number; speed: number; atMs: number } | null = null
  return {
    smooth(raw, atMs, scale) {
      if (last === null) {
        last = { value: raw, raw, speed: 0, atMs }
        return raw
      }
      const seconds = (atMs - last.atMs) / 1000
      if (!(seconds > 0)) return last.value
      const speed = mix(last.speed, (raw - last.raw) / scale / seconds, derivativeCutoffHz, seconds)
      const value = mix(last.value, raw, minCutoffHz + beta * Math.abs(speed), seconds)
      last = { value, raw, speed, atMs }
      return value
    },
  }
}

/** A first-order low pass: how much of the new value counts after this time. */
function mix(before: number, now: number, cutoffHz: number, seconds: number): number {
  const weight = 1 / (1 + 1 / (2 * Math.PI * cutoffHz * seconds))
  return before + weight * (now - before)
}
