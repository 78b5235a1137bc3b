/** How alike two people look, when a re-identification network says so; tracking works without it. */

// BoT-SORT (Aharon et al. 2022), section 3.3 and its reference code.
/** Looks count only between boxes at least this close (1 - overlap). */
const NEAR_DISTANCE = 0.5
/** Looks further apart than this say nothing. */
const ALIKE_DISTANCE = 0.25
/** Share of the old look that a track keeps when it is seen again. */
const MEMORY = 0.9

/** Cost of a pair from its overlap distance and the unit-length embeddings of both sides; absent embeddings change nothing. */
export function blendAppearance(
  overlapDistance: number,
  cost: number,
  track: Float32Array | undefined,
  box: Float32Array | undefined,
): number {
  if (!track || !box || overlapDistance > NEAR_DISTANCE) return cost
  const distance = (1 - cosine(track, box)) / 2
  return distance > ALIKE_DISTANCE ? cost : Math.min(cost, distance)
}

/** The look of a track after it was matched to a box that looks like `seen`. */
export function rememberAppearance(
  before: Float32Array | undefined,
  seen: Float32Array | undefined,
): Float32Array | undefined {
  if (!seen || !before || before.length !== seen.length) return seen ?? before
  const mixed = before.map((value, index) => MEMORY * value + (1 - MEMORY) * (seen[index] ?? 0))
  const length = Math.hypot(...mixed)
  return length > 0 ? mixed.map((value) => value / length) : seen
}

function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
