/** How a metric is counted: values become integers of 1/scale, histogram bins are `binWidth` of those wide. */
export interface Quantum {
  scale: number
  /** Width of a histogram bin in 1/scale of the unit; bins are centred on multiples of it. */
  binWidth: number
  /** Two samples further apart have a hole between them that nothing is known about. */
  maxGapMs: number
}

/**
 * Everything a roll-up keeps about one stretch of one series, in scaled integers, because only integers merge to the same
 * result in any grouping. A statistic that would leave 2^53 is null (not kept) instead of rounded; whether it is null depends
 * on the samples alone, never on how they were grouped. `sum` is exact up to nine million samples of the largest metric.
 */
export interface Bucket {
  n: number
  sum: number
  sumSq: number | null
  min: number
  /** First instant of the minimum. */
  minAt: number
  max: number
  maxAt: number
  first: number
  firstAt: number
  last: number
  lastAt: number
  /** Time between neighbouring samples no further apart than `maxGapMs`. */
  coveredMs: number
  /** Integral over the covered time, each value holding until the next; null beyond max|v|·coveredMs = 2^53. */
  sumVDt: number | null
  /** Neighbouring pairs inside the gap and their squared differences: RMSSD for beat intervals. */
  nDiff: number
  sumSqDiff: number | null
  /** Sparse histogram: bin number → samples. */
  bins: Map<number, number>
}

/** The integer that stands for a value in the roll-ups of its metric. */
export function quantise(value: number, scale: number): number {
  return Math.round(value * scale) + 0
}

export function emptyBucket(): Bucket {
  return {
    n: 0,
    sum: 0,
    sumSq: 0,
    min: 0,
    minAt: 0,
    max: 0,
    maxAt: 0,
    first: 0,
    firstAt: 0,
    last: 0,
    lastAt: 0,
    coveredMs: 0,
    sumVDt: 0,
    nDiff: 0,
    sumSqDiff: 0,
    bins: new Map(),
  }
}

export function copyBucket(bucket: Bucket): Bucket {
  return { ...bucket, bins: new Map(bucket.bins) }
}

/**
 * A bucket that grows on its own but counts in the histogram of the first: a copy of that is what a commit would mostly do.
 * Whoever throws the copy away takes back with `uncount` what was added to it.
 */
export function growingCopy(bucket: Bucket): Bucket {
  return {
    n: bucket.n,
    sum: bucket.sum,
    sumSq: bucket.sumSq,
    min: bucket.min,
    minAt: bucket.minAt,
    max: bucket.max,
    maxAt: bucket.maxAt,
    first: bucket.first,
    firstAt: bucket.firstAt,
    last: bucket.last,
    lastAt: bucket.lastAt,
    coveredMs: bucket.coveredMs,
    sumVDt: bucket.sumVDt,
    nDiff: bucket.nDiff,
    sumSqDiff: bucket.sumSqDiff,
    bins: bucket.bins,
  }
}

/** The histogram bin that a scaled value counts in. */
export function binOf(scaled: number, { binWidth }: Pick<Quantum, 'binWidth'>): number {
  return Math.floor((scaled + Math.floor(binWidth / 2)) / binWidth)
}

/** Takes one sample out of a bin again. */
export function uncount(bins: Map<number, number>, bin: number): void {
  const count = bins.get(bin) ?? 0
  if (count > 1) bins.set(bin, count - 1)
  else bins.delete(bin)
}

/** Takes the next sample of the series into the bucket. Throws RangeError unless it is later than the last one. */
export function addSample(bucket: Bucket, atMs: number, scaled: number, quantum: Quantum): void {
  if (bucket.n === 0) {
    bucket.min = bucket.max = bucket.first = scaled
    bucket.minAt = bucket.maxAt = bucket.firstAt = atMs
  } else {
    if (atMs <= bucket.lastAt) throw new RangeError('samples of a bucket must come in ascending order')
    addStep(bucket, bucket.last, bucket.lastAt, scaled, atMs, quantum.maxGapMs)
    if (scaled < bucket.min) {
      bucket.min = scaled
      bucket.minAt = atMs
    }
    if (scaled > bucket.max) {
      bucket.max = scaled
      bucket.maxAt = atMs
    }
  }
  bucket.n += 1
  bucket.sum += scaled
  bucket.sumSq = exactSum(bucket.sumSq, scaled * scaled)
  bucket.last = scaled
  bucket.lastAt = atMs
  const bin = binOf(scaled, quantum)
  bucket.bins.set(bin, (bucket.bins.get(bin) ?? 0) + 1)
  dropUnboundedIntegral(bucket)
}

/**
 * Adds a later stretch of the same series to `bucket`, as if its samples had been added one by one; the seam between the two
 * counts like any other pair. Throws RangeError when the stretches overlap.
 */
export function mergeInto(bucket: Bucket, later: Bucket, maxGapMs: number): void {
  if (later.n === 0) return
  if (bucket.n === 0) {
    Object.assign(bucket, copyBucket(later))
    return
  }
  if (later.firstAt <= bucket.lastAt) throw new RangeError('only a later stretch can be merged into a bucket')
  addStep(bucket, bucket.last, bucket.lastAt, later.first, later.firstAt, maxGapMs)
  bucket.n += later.n
  bucket.sum += later.sum
  bucket.sumSq = exactSum(bucket.sumSq, later.sumSq)
  if (later.min < bucket.min) {
    bucket.min = later.min
    bucket.minAt = later.minAt
  }
  if (later.max > bucket.max) {
    bucket.max = later.max
    bucket.maxAt = later.maxAt
  }
  bucket.last = later.last
  bucket.lastAt = later.lastAt
  bucket.coveredMs += later.coveredMs
  bucket.sumVDt = bucket.sumVDt === null || later.sumVDt === null ? null : bucket.sumVDt + later.sumVDt
  bucket.nDiff += later.nDiff
  bucket.sumSqDiff = exactSum(bucket.sumSqDiff, later.sumSqDiff)
  for (const [bin, count] of later.bins) bucket.bins.set(bin, (bucket.bins.get(bin) ?? 0) + count)
  dropUnboundedIntegral(bucket)
}

/** The bucket of several stretches given in ascending order. */
export function mergeAll(parts: Iterable<Bucket>, maxGapMs: number): Bucket {
  const merged = emptyBucket()
  for (const part of parts) mergeInto(merged, part, maxGapMs)
  return merged
}

/**
 * Median in 1/scale of the unit: each sample counts as the centre of its bin, kept inside the observed range, so it is exact
 * for values that are multiples of the bin width. An even count gives the mean of the two middle samples.
 */
export function median(bucket: Pick<Bucket, 'n' | 'min' | 'max' | 'bins'>, binWidth: number): number {
  const bins = [...bucket.bins].sort((a, b) => a[0] - b[0])
  const low = valueAtRank(bins, Math.floor((bucket.n - 1) / 2), binWidth)
  const high = valueAtRank(bins, Math.floor(bucket.n / 2), binWidth)
  return (clamp(low, bucket.min, bucket.max) + clamp(high, bucket.min, bucket.max)) / 2
}

function addStep(
  bucket: Bucket,
  from: number,
  fromMs: number,
  to: number,
  toMs: number,
  maxGapMs: number,
): void {
  const stepMs = toMs - fromMs
  if (stepMs > maxGapMs) return
  bucket.coveredMs += stepMs
  if (bucket.sumVDt !== null) bucket.sumVDt += from * stepMs
  bucket.nDiff += 1
  bucket.sumSqDiff = exactSum(bucket.sumSqDiff, (to - from) ** 2)
}

/** Signed parts may cancel, so the integral is judged by its bound, which only ever grows, and not by its value. */
function dropUnboundedIntegral(bucket: Bucket): void {
  const largest = Math.max(Math.abs(bucket.min), Math.abs(bucket.max))
  if (largest * bucket.coveredMs > Number.MAX_SAFE_INTEGER) bucket.sumVDt = null
}

/** Sum of terms that are never negative: once beyond 2^53 in one grouping, it is in every grouping. */
function exactSum(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return null
  const sum = a + b
  return sum > Number.MAX_SAFE_INTEGER ? null : sum
}

function valueAtRank(bins: readonly (readonly [number, number])[], rank: number, binWidth: number): number {
  let seen = 0
  for (const [bin, count] of bins) {
    seen += count
    if (seen > rank) return bin * binWidth
  }
  return Number.NaN
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
