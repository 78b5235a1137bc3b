/** The two drawings of a comparison: both courses over time, and one against the other. */
import type { JSX } from 'preact'
import type { Mean, Pair } from './relation.ts'

const HEIGHT = 200
const PAD = 8

export function Courses({
  a,
  b,
  width,
}: {
  a: readonly Mean[]
  b: readonly Mean[]
  width: number
}): JSX.Element {
  const [from, to] = rangeOf([...a, ...b].map(({ atMs }) => atMs))
  const line = (series: readonly Mean[]) => {
    const [low, high] = rangeOf(series.map(({ value }) => value))
    return series
      .map(({ atMs, value }, index) => {
        const x = at(atMs, from, to, PAD, width - PAD)
        const y = at(value, low, high, HEIGHT - PAD, PAD)
        return `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
      })
      .join('')
  }
  return (
    <svg width={width} height={HEIGHT} aria-hidden="true" focusable="false" class="courses">
      <path class="course-a" d={line(a)} />
      <path class="course-b" d={line(b)} />
    </svg>
  )
}

export function Scatter({ pairs, width }: { pairs: readonly Pair[]; width: number }): JSX.Element {
  const [lowA, highA] = rangeOf(pairs.map((pair) => pair.a))
  const [lowB, highB] = rangeOf(pairs.map((pair) => pair.b))
  return (
    <svg width={width} height={HEIGHT} aria-hidden="true" focusable="false" class="courses">
      {pairs.map(({ atMs, a, b }) => (
        <circle
          key={atMs}
          r="3"
          cx={at(a, lowA, highA, PAD, width - PAD)}
          cy={at(b, lowB, highB, HEIGHT - PAD, PAD)}
        />
      ))}
    </svg>
  )
}

/** The lowest and the highest value. */
export function rangeOf(values: readonly number[]): readonly [number, number] {
  return values.reduce<readonly [number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
}

/** What does not move stands in the middle. */
function at(value: number, low: number, high: number, from: number, to: number): number {
  return high > low ? from + ((value - low) / (high - low)) * (to - from) : (from + to) / 2
}
