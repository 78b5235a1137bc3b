/**
 * First groups for the mixture: centres far apart (k-means++: Arthur & Vassilvitskii 2007, SODA 1027), then a few rounds of
 * k-means.
 */

const ROUNDS = 30

/** Group of each point, every group with at least one unless points coincide. */
export function seedGroups(at: Float64Array, d: number, k: number, random: () => number): Int32Array {
  const count = at.length / d
  const centres = spreadCentres(at, d, k, random)
  let labels = new Int32Array(count)
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = Int32Array.from(labels, (_, point) => nearestCentre(at, point, centres, d).group)
    const isSettled = round > 0 && next.every((group, point) => group === labels[point])
    labels = next
    if (isSettled) break
    moveCentres(at, d, labels, centres)
  }
  return labels
}

function spreadCentres(at: Float64Array, d: number, k: number, random: () => number): Float64Array[] {
  const count = at.length / d
  const pick = (point: number) => at.slice(point * d, (point + 1) * d)
  const centres = [pick(Math.floor(random() * count))]
  while (centres.length < k) {
    const squares = Float64Array.from(
      { length: count },
      (_, point) => nearestCentre(at, point, centres, d).square,
    )
    let left = random() * squares.reduce((sum, square) => sum + square, 0)
    const chosen = squares.findIndex((square) => {
      left -= square
      return left < 0
    })
    centres.push(pick(Math.max(0, chosen)))
  }
  return centres
}

function nearestCentre(at: Float64Array, point: number, centres: readonly Float64Array[], d: number) {
  let group = 0
  let square = Number.POSITIVE_INFINITY
  for (const [index, centre] of centres.entries()) {
    let sum = 0
    for (let a = 0; a < d; a += 1) sum += ((at[point * d + a] ?? 0) - (centre[a] ?? 0)) ** 2
    if (sum < square) {
      square = sum
      group = index
    }
  }
  return { group, square }
}

/** Each centre to the mean of its points; one without points stays. */
function moveCentres(at: Float64Array, d: number, labels: Int32Array, centres: Float64Array[]): void {
  for (const [group, centre] of centres.entries()) {
    const members = Array.from(labels.keys()).filter((point) => labels[point] === group)
    if (members.length === 0) continue
    for (let a = 0; a < d; a += 1)
      centre[a] = members.reduce((sum, point) => sum + (at[point * d + a] ?? 0), 0) / members.length
  }
}
