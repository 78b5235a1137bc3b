/** Tells distress that many people share from the bad hours that each of them has by chance. */

/** Evidence of fewer people than this is nobody's community: one or two odd hours never move the score. */
const LEAST_PEOPLE = 3
/** What is no rarer than this is ordinary and is not counted. */
const ALPHA_MAX = 0.2
const HALVINGS = 50
const SCORE_MAX = 2000

/**
 * Berk–Jones scan over significance levels, the non-parametric scan statistic for one fixed set of people:
 *
 *   F = max over α ≤ 0.2 of N · KL(N_α / N, α),   KL(x, α) = x ln(x/α) + (1 − x) ln((1 − x)/(1 − α)),
 *
 * with N people and N_α of them at p ≤ α, where N_α / N > α and N_α ≥ 3; 0 where there is no such α.
 * Sources: Berk & Jones, Z. Wahrscheinlichkeitstheorie 47 (1979) 47–59; McFowland, Speakman & Neill, "Fast Generalized Subset
 * Scan", J. Mach. Learn. Res. 14 (2013) 1533–1561.
 */
export function scanScore(pValues: readonly number[]): number {
  const people = pValues.length
  const sorted = pValues.toSorted((a, b) => a - b)
  let score = 0
  for (let count = LEAST_PEOPLE; count <= people; count += 1) {
    const level = sorted[count - 1] ?? 1
    if (level > ALPHA_MAX) break
    if (count > people * level) score = Math.max(score, people * divergence(count / people, level))
  }
  return score
}

/**
 * The p-value of a trailing hour that may be looked at every minute. `rarest` is the smallest of the hour, where p says how many
 * ordinary clock hours hold such a minute. A trailing hour lies within two clock hours, and the smaller of two independent uniform
 * values m has the distribution 1 − (1 − m)²: whatever the minute of looking, the result is no smaller than one uniform value of
 * those two hours.
 */
export function trailingP(rarest: number): number {
  return 1 - (1 - rarest) ** 2
}

/**
 * Chance that N independent uniform p-values score at least `score`: one minus the chance that the empirical distribution stays
 * below the boundary on which F equals the score (the recursion of Noé, Ann. Math. Stat. 43 (1972) 58–64, for one side).
 */
export function exceedance(people: number, score: number): number {
  const logFactorial = logFactorials(people)
  let reached = [1]
  let from = 0
  for (let count = LEAST_PEOPLE; count <= people; count += 1) {
    const to = boundary(people, count, score)
    reached = moved(reached, { people, share: (to - from) / (1 - from), most: count - 1, logFactorial })
    from = to
    if (to === ALPHA_MAX) break
  }
  return 1 - reached.reduce((sum, chance) => sum + chance, 0)
}

/** The score that N ordinary people reach in one of `1 / chance` independent hours. */
export function criticalScore(people: number, chance: number): number {
  let low = 0
  let high = SCORE_MAX
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2
    if (exceedance(people, middle) > chance) low = middle
    else high = middle
  }
  return high
}

/** The largest level at which so many people make the score; 0 where they never do. */
function boundary(people: number, count: number, score: number): number {
  const share = count / people
  const reaches = (level: number) => level < share && people * divergence(share, level) >= score
  if (reaches(ALPHA_MAX)) return ALPHA_MAX
  let low = 0
  let high = Math.min(ALPHA_MAX, share)
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2
    if (reaches(middle)) low = middle
    else high = middle
  }
  return low
}

interface Step {
  people: number
  /** Chance of each person who is not counted yet. */
  share: number
  most: number
  logFactorial: readonly number[]
}

/** Chances of each count after the next stretch of levels, up to `most`. */
function moved(reached: readonly number[], { people, share, most, logFactorial }: Step): number[] {
  const next = Array.from({ length: most + 1 }, () => 0)
  for (const [had, chance] of reached.entries()) {
    const left = people - had
    for (let more = 0; had + more <= most && more <= left; more += 1) {
      next[had + more] = (next[had + more] ?? 0) + chance * binomial(left, more, share, logFactorial)
    }
  }
  return next
}

function binomial(of: number, count: number, chance: number, logFactorial: readonly number[]): number {
  if (chance <= 0) return count === 0 ? 1 : 0
  if (chance >= 1) return count === of ? 1 : 0
  const ways = (logFactorial[of] ?? 0) - (logFactorial[count] ?? 0) - (logFactorial[of - count] ?? 0)
  return Math.exp(ways + count * Math.log(chance) + (of - count) * Math.log1p(-chance))
}

function logFactorials(upTo: number): number[] {
  const found = [0]
  for (let one = 1; one <= upTo; one += 1) found.push((found[one - 1] ?? 0) + Math.log(one))
  return found
}

function divergence(share: number, level: number): number {
  const rest = share >= 1 ? 0 : (1 - share) * Math.log((1 - share) / (1 - level))
  return (share <= 0 ? 0 : share * Math.log(share / Math.max(level, 1e-300))) + rest
}
