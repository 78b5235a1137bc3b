/** Tail probabilities of correlations, accurate far below 1e-11 because false discovery rates rank the tiniest ones. */

const MAX_TERMS = 10_000
const SMALLEST = 1e-300

/**
 * Two-sided p of a correlation `r` with `df` degrees of freedom, under no association: Student's t of r·sqrt(df/(1-r²))
 * (Fisher 1915, Biometrika 10:507). NaN when r is unknown or df is not positive.
 */
export function correlationP(r: number, df: number): number {
  if (Number.isNaN(r) || !(df > 0)) return Number.NaN
  return regularisedBeta((1 - r) * (1 + r), df / 2, 0.5)
}

/** Two-sided p of Student's t. */
export function studentP(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN
  return regularisedBeta(df / (df + t * t), df / 2, 0.5)
}

/** Regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22, evaluated after Lentz 1976). */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (!(x > 0)) return 0
  if (x >= 1) return 1
  // The fraction converges fast on this side of the mean only; the other side follows by symmetry (DLMF 8.17.4).
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a)
  const front = Math.exp(
    a * Math.log(x) + b * Math.log1p(-x) + lnGamma(a + b) - lnGamma(a) - lnGamma(b) - Math.log(a),
  )
  return front * betaFraction(x, a, b)
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m < MAX_TERMS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / awayFromZero(1 + even * d)
    c = awayFromZero(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / awayFromZero(1 + odd * d)
    c = awayFromZero(1 + odd / c)
    value *= d * c
    if (Math.abs(d * c - 1) < Number.EPSILON) break
  }
  return value
}

function awayFromZero(value: number): number {
  return Math.abs(value) < SMALLEST ? SMALLEST : value
}

const LANCZOS_G = 7
const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_59, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6,
  1.505_632_735_149_311_6e-7,
]

/** Natural logarithm of the gamma function (Lanczos 1964, SIAM J. Numer. Anal. 1:86; g = 7, nine terms). */
export function lnGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x)
  const z = x - 1
  const t = z + LANCZOS_G + 0.5
  const series = LANCZOS.reduce((sum, term, k) => (k === 0 ? term : sum + term / (z + k)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series)
}
