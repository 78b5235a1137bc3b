/**
 * PCMCI: which series drives which, after how many steps, when everything is correlated with everything and with its own past
 * (Runge, Nowack, Kretschmer, Flaxman & Sejdinovic 2019, Science Advances 5:eaau4996). A link is a hypothesis, not a cause.
 */

import { createLaggedTests, type LaggedTests, type Node } from './pcmci-tests.ts'
import type { Table } from './statistics.ts'
import { falseDiscoveryRates } from './statistics-discovery.ts'
import { checkIn, type Watch } from './statistics-watch.ts'

/** Tried in turn for each target when no `pcAlpha` is given; Akaike's criterion picks one. */
const PC_ALPHAS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]

export interface PcmciOptions {
  /** First lag that is reported; 0 adds simultaneous links, which have no direction. */
  tauMin: number
  tauMax: number
  /** Significance under which a candidate stays a condition; null lets Akaike's criterion choose per target. */
  pcAlpha: number | null
}

/** Every matrix is indexed by `linkIndex`. Lags below `tauMin`, and a series on itself at lag 0, have value 0 and p 1. */
export interface PcmciResult {
  tauMin: number
  tauMax: number
  /** Conditions that were selected for each series, the strongest first. */
  parents: Node[][]
  /** Partial correlation of the momentary conditional independence test; NaN when it could not be computed. */
  value: Float64Array
  p: Float64Array
  /** False discovery rate among the lagged links; at lag 0 the p itself. */
  q: Float64Array
}

/** Place of the link from series i, lag steps ago, to series j. */
export function linkIndex(count: number, tauMax: number, i: number, j: number, lag: number): number {
  return (i * count + j) * (tauMax + 1) + lag
}

/** Throws RangeError when the lags leave no samples, Cancelled when the watch says so. */
export function pcmci(table: Table, options: PcmciOptions, watch: Watch = {}): PcmciResult {
  const { tauMin, tauMax } = options
  const tests = createLaggedTests(table.columns, tauMax)
  const count = table.columns.length
  const steps = count + count * count
  const parents = table.columns.map((_, target) => {
    checkIn(watch, target, steps)
    return selectParents(tests, target, count, options)
  })
  const value = new Float64Array(count * count * (tauMax + 1))
  const p = new Float64Array(value.length).fill(1)
  for (let pair = 0; pair < count * count; pair += 1) {
    checkIn(watch, count + pair, steps)
    const [i, j] = [Math.floor(pair / count), pair % count]
    for (let lag = tauMin; lag <= tauMax; lag += 1) {
      if (lag === 0 && i === j) continue
      const link = testLink(tests, parents, { variable: i, lag }, j)
      const at = linkIndex(count, tauMax, i, j, lag)
      value[at] = link.r
      p[at] = link.p
    }
  }
  takeWeakerDirection(value, p, count, options)
  checkIn(watch, steps, steps)
  return { tauMin, tauMax, parents, value, p, q: laggedDiscoveryRates(p, options) }
}

/** Momentary conditional independence: given the target's parents and the parents of the source at its own time. */
function testLink(tests: LaggedTests, parents: readonly Node[][], source: Node, target: number) {
  const conditions = (parents[target] ?? []).filter((node) => !isSame(node, source))
  for (const { variable, lag } of parents[source.variable] ?? []) {
    const shifted = { variable, lag: lag + source.lag }
    if (!conditions.some((node) => isSame(node, shifted))) conditions.push(shifted)
  }
  return tests.test(source, { variable: target, lag: 0 }, conditions)
}

function selectParents(tests: LaggedTests, target: number, count: number, options: PcmciOptions): Node[] {
  if (options.pcAlpha !== null) return selectAt(tests, target, count, options, options.pcAlpha)
  let best: { parents: Node[]; score: number } | null = null
  for (const alpha of PC_ALPHAS) {
    const parents = selectAt(tests, target, count, options, alpha)
    const score = tests.akaike({ variable: target, lag: 0 }, parents)
    if (!best || score < best.score) best = { parents, score }
  }
  return best?.parents ?? []
}

/**
 * Condition selection: candidates are tested given the q strongest others, q = 0, 1, 2 …, and leave once p exceeds alpha.
 * The order between rounds is that of the weakest correlation seen, and nothing leaves during a round, so the order of
 * columns does not matter (PC-stable: Colombo & Maathuis 2014, JMLR 15:3741).
 */
function selectAt(
  tests: LaggedTests,
  target: number,
  count: number,
  { tauMin, tauMax }: PcmciOptions,
  alpha: number,
): Node[] {
  let candidates = allPast(count, Math.max(1, tauMin), tauMax)
  for (let size = 0; size < candidates.length; size += 1) {
    const kept = candidates.flatMap((candidate) => {
      const others = candidates.filter((other) => other !== candidate).slice(0, size)
      const { r, p } = tests.test(candidate, { variable: target, lag: 0 }, others)
      return p <= alpha ? [{ ...candidate, weakest: Math.min(candidate.weakest, Math.abs(r)) }] : []
    })
    candidates = kept.sort((a, b) => b.weakest - a.weakest)
  }
  return candidates.map(({ variable, lag }) => ({ variable, lag }))
}

function allPast(count: number, from: number, to: number) {
  const nodes: (Node & { weakest: number })[] = []
  for (let variable = 0; variable < count; variable += 1) {
    for (let lag = from; lag <= to; lag += 1) nodes.push({ variable, lag, weakest: Number.POSITIVE_INFINITY })
  }
  return nodes
}

/** A simultaneous link has two tests and no direction: the one with the larger p speaks for both. */
function takeWeakerDirection(
  value: Float64Array,
  p: Float64Array,
  count: number,
  { tauMin, tauMax }: PcmciOptions,
): void {
  if (tauMin > 0) return
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 1; j < count; j += 1) {
      const there = linkIndex(count, tauMax, i, j, 0)
      const back = linkIndex(count, tauMax, j, i, 0)
      const [from, to] = (p[there] ?? 1) >= (p[back] ?? 1) ? [there, back] : [back, there]
      value[to] = value[from] ?? Number.NaN
      p[to] = p[from] ?? Number.NaN
    }
  }
}

function laggedDiscoveryRates(p: Float64Array, { tauMin, tauMax }: PcmciOptions): Float64Array {
  const isLagged = (index: number) => index % (tauMax + 1) >= Math.max(1, tauMin)
  const rates = falseDiscoveryRates(p.map((value, index) => (isLagged(index) ? value : Number.NaN)))
  return rates.map((rate, index) => (isLagged(index) ? rate : (p[index] ?? Number.NaN)))
}

function isSame(a: Node, b: Node): boolean {
  return a.variable === b.variable && a.lag === b.lag
}
