/** Takes the tremble out of a sampled curve without shifting it in time. */
import { at } from './dense.ts'

/** Samples mirrored at each end, so that the filter has settled where the curve begins (SciPy's default for this order). */
const PADDING = 9

/**
 * Second-order Butterworth low-pass run forwards and backwards: fourth order, zero phase, what biomechanics calls a 6 Hz
 * Butterworth (Winter 2009, section 3.4.4; same edges as SciPy's filtfilt). `cutoffHz` must lie below half of `rateHz`. NaN splits
 * the curve; pieces of up to nine samples stay as they are.
 */
export function lowPass(samples: Float64Array, cutoffHz: number, rateHz: number): Float64Array {
  const smooth = samples.slice()
  const filter = coefficients(cutoffHz, rateHz)
  for (let start = 0; start < samples.length; ) {
    let end = start
    while (end < samples.length && !Number.isNaN(at(samples, end))) end++
    if (end - start > PADDING) smooth.set(bothWays(samples.subarray(start, end), filter), start)
    start = end + 1
  }
  return smooth
}

interface Biquad {
  b0: number
  b1: number
  b2: number
  a1: number
  a2: number
}

function coefficients(cutoffHz: number, rateHz: number): Biquad {
  const warped = Math.tan((Math.PI * cutoffHz) / rateHz)
  const square = warped * warped
  const norm = 1 + Math.SQRT2 * warped + square
  const b0 = square / norm
  return {
    b0,
    b1: 2 * b0,
    b2: b0,
    a1: (2 * (square - 1)) / norm,
    a2: (1 - Math.SQRT2 * warped + square) / norm,
  }
}

function bothWays(samples: Float64Array, filter: Biquad): Float64Array {
  const forwards = oneWay(padded(samples), filter).reverse()
  const both = oneWay(forwards, filter).reverse()
  return both.subarray(PADDING, PADDING + samples.length)
}

/** The ends turned by half a circle around the first and last sample. */
function padded(samples: Float64Array): Float64Array {
  const n = samples.length
  const wide = new Float64Array(n + 2 * PADDING)
  wide.set(samples, PADDING)
  for (let i = 1; i <= PADDING; i++) {
    wide[PADDING - i] = 2 * at(samples, 0) - at(samples, i)
    wide[PADDING + n - 1 + i] = 2 * at(samples, n - 1) - at(samples, n - 1 - i)
  }
  return wide
}

/** Starts in the state that the first sample would have led to. */
function oneWay(samples: Float64Array, { b0, b1, b2, a1, a2 }: Biquad): Float64Array {
  const first = at(samples, 0)
  let late = (b2 - a2) * first
  let soon = (b1 - a1) * first + late
  return samples.map((value) => {
    const out = b0 * value + soon
    soon = b1 * value - a1 * out + late
    late = b2 * value - a2 * out
    return out
  })
}
