/** Speed from video jitters with the position; it passes through this before any threshold is applied. */

/** Cut-off for speed from video, Hz: a stride lasts 0.25 s and more, a change of pace over half a second. */
export const VIDEO_SPEED_CUTOFF_HZ = 1

/** Takes samples in order and answers the smoothed ones; NaN answers NaN and starts afresh after it. */
export type Filter = (sample: number) => number

/**
 * Butterworth low pass of second order, causal so that a live session and a file give the same numbers (bilinear transform with
 * pre-warping). It starts settled on its first sample. Lags by about 0.22 s at 1 Hz. Throws RangeError unless the cut-off lies below half the rate.
 */
export function createLowPass(cutoffHz: number, hz: number): Filter {
  if (!(cutoffHz > 0 && cutoffHz < hz / 2))
    throw new RangeError(`a low pass of ${cutoffHz} Hz needs more than ${2 * cutoffHz} samples a second`)
  const warped = Math.tan((Math.PI * cutoffHz) / hz)
  const norm = 1 / (1 + Math.SQRT2 * warped + warped * warped)
  const gain = warped * warped * norm
  const back1 = 2 * (warped * warped - 1) * norm
  const back2 = (1 - Math.SQRT2 * warped + warped * warped) * norm
  let state: { in1: number; in2: number; out1: number; out2: number } | null = null
  return (sample) => {
    if (!Number.isFinite(sample)) {
      state = null
      return Number.NaN
    }
    const { in1, in2, out1, out2 } = state ?? { in1: sample, in2: sample, out1: sample, out2: sample }
    const out = gain * (sample + 2 * in1 + in2) - back1 * out1 - back2 * out2
    state = { in1: sample, in2: in1, out1: out, out2: out1 }
    return out
  }
}
