/** Fills short gaps in a sampled curve. */
import { at } from '../numeric/dense.ts'

/** Fewer known samples do not carry a cubic spline. */
const FEWEST = 5

/**
 * Replaces NaN between known samples by the not-a-knot cubic spline through all of them (what SciPy's interp1d calls cubic, and
 * Pose2Sim uses). Gaps longer than `maxGap` samples and those at either end stay NaN: nothing is known there.
 */
export function fillGaps(samples: Float64Array, maxGap: number): Float64Array {
  const known = [...samples.keys()].filter((index) => !Number.isNaN(at(samples, index)))
  if (known.length < FEWEST) return samples.slice()
  const filled = samples.slice()
  let bends: Float64Array | null = null
  for (let piece = 0; piece + 1 < known.length; piece++) {
    const from = at(known, piece)
    const to = at(known, piece + 1)
    if (to - from === 1 || to - from - 1 > maxGap) continue
    bends ??= secondDerivatives(samples, known)
    for (let index = from + 1; index < to; index++)
      filled[index] = splineAt(samples, from, to, at(bends, piece), at(bends, piece + 1), index)
  }
  return filled
}

function splineAt(
  samples: Float64Array,
  from: number,
  to: number,
  bendFrom: number,
  bendTo: number,
  index: number,
): number {
  const step = to - from
  const before = (to - index) / step
  const after = (index - from) / step
  return (
    before * at(samples, from) +
    after * at(samples, to) +
    (((before ** 3 - before) * bendFrom + (after ** 3 - after) * bendTo) * step * step) / 6
  )
}

/** Second derivatives at the knots; the not-a-knot ends are eliminated, which leaves a tridiagonal system. */
function secondDerivatives(samples: Float64Array, known: readonly number[]): Float64Array {
  const n = known.length
  const step = (i: number) => at(known, i + 1) - at(known, i)
  const slope = (i: number) => (at(samples, at(known, i + 1)) - at(samples, at(known, i))) / step(i)
  const lower = new Float64Array(n)
  const main = new Float64Array(n)
  const upper = new Float64Array(n)
  const bends = new Float64Array(n)
  for (let i = 1; i < n - 1; i++) {
    lower[i] = step(i - 1)
    main[i] = 2 * (step(i - 1) + step(i))
    upper[i] = step(i)
    bends[i] = 6 * (slope(i) - slope(i - 1))
  }
  const [h0, h1] = [step(0), step(1)]
  const [g1, g0] = [step(n - 3), step(n - 2)]
  main[1] = at(main, 1) + (h0 * (h0 + h1)) / h1
  upper[1] = h1 - (h0 * h0) / h1
  main[n - 2] = at(main, n - 2) + (g0 * (g0 + g1)) / g1
  lower[n - 2] = g1 - (g0 * g0) / g1
  for (let i = 2; i < n - 1; i++) {
    const factor = at(lower, i) / at(main, i - 1)
    main[i] = at(main, i) - factor * at(upper, i - 1)
    bends[i] = at(bends, i) - factor * at(bends, i - 1)
  }
  for (let i = n - 2; i >= 1; i--)
    bends[i] = (at(bends, i) - (i < n - 2 ? at(upper, i) * at(bends, i + 1) : 0)) / at(main, i)
  bends[0] = ((h0 + h1) * at(bends, 1) - h0 * at(bends, 2)) / h1
  bends[n - 1] = ((g0 + g1) * at(bends, n - 2) - g0 * at(bends, n - 3)) / g1
  return bends
}
