/** The shape of an ambulatory glucose profile: bands and median over the hours of a day, open where nothing is known. */
import type { ProfileBin } from '../answers.ts'
import { bandBetween, lineThrough, type Scale } from '../scale.ts'

/** A stretch of the day without a hole. */
export interface ProfileShape {
  /** 5th to 95th percentile. */
  outer: string
  /** 25th to 75th percentile. */
  inner: string
  median: string
}

type Full = ProfileBin & { p5: number; p25: number; p50: number; p75: number; p95: number }

const BIN_MIN = 15

function isFull(bin: ProfileBin): bin is Full {
  return bin.p5 !== null && bin.p25 !== null && bin.p50 !== null && bin.p75 !== null && bin.p95 !== null
}

/** Bins drawn at their middles; `x` takes minutes of the day, `y` mg/dL. */
export function profileShapes(bins: readonly ProfileBin[], x: Scale, y: Scale): ProfileShape[] {
  return stretchesOf(bins).map((stretch) => {
    const at = (pick: 'p5' | 'p25' | 'p50' | 'p75' | 'p95') =>
      stretch.map((bin) => ({ x: x(bin.minute_of_day + BIN_MIN / 2), y: y(bin[pick]) }))
    return {
      outer: bandBetween(at('p95'), at('p5')),
      inner: bandBetween(at('p75'), at('p25')),
      median: lineThrough(at('p50')),
    }
  })
}

export function stretchesOf(bins: readonly ProfileBin[]): Full[][] {
  const found: Full[][] = []
  let before: Full | null = null
  for (const bin of bins) {
    if (!isFull(bin)) continue
    if (!before || bin.minute_of_day - before.minute_of_day > BIN_MIN) found.push([])
    found.at(-1)?.push(bin)
    before = bin
  }
  return found
}

export interface Stacked {
  name: 'veryHigh' | 'high' | 'inRange' | 'low' | 'veryLow'
  percent: number
  /** Of the bar's height, from the top. */
  from: number
  to: number
}

/** The five ranges on top of each other, highest first; they fill the bar whole, whatever was rounded. */
export function stackOf(shares: readonly (readonly [Stacked['name'], number])[]): Stacked[] {
  const total = shares.reduce((sum, [, percent]) => sum + percent, 0) || 1
  let reached = 0
  return shares.map(([name, percent]) => {
    const from = reached
    reached += percent / total
    return { name, percent, from, to: reached }
  })
}

/** Two lines of text need so much, so labels of thin layers move apart. */
const LABEL_PX = 40

/** Middles of the layers, pushed apart where their labels would lie over each other. */
export function labelPlaces(layers: readonly Stacked[], height: number): { layer: Stacked; y: number }[] {
  const wanted = layers.map(({ from, to }) => ((from + to) / 2) * height)
  const places: number[] = []
  for (const [index, y] of wanted.entries())
    places.push(Math.max(y, index === 0 ? LABEL_PX / 2 : (places[index - 1] ?? 0) + LABEL_PX))
  for (let index = places.length - 1, most = height - LABEL_PX / 2; index >= 0; index -= 1) {
    places[index] = Math.min(places[index] ?? 0, most)
    most = (places[index] ?? 0) - LABEL_PX
  }
  return layers.map((layer, index) => ({ layer, y: places[index] ?? 0 }))
}
