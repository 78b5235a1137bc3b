/** One line of the table: what was measured, beside what, and what it should be. */
export interface Row {
  name: string
  /** The hub's own figure, with its unit. */
  hub: string
  /** What it is compared with in the same run, and that one's figure. */
  beside: string
  /** Hub divided by the other (or the other way round where less is better: `better` says which is good). */
  ratio: number | null
  /** The figure that is judged, where it is not the ratio. */
  figure?: number
  target: string
  /** Null where there is no target. */
  met: boolean | null
}

/** Thrown by a bench that cannot run on this machine; the table says why and goes on. */
export class Skipped extends Error {}

/** The middle of the values, the mean of the middle two for an even count; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return (low + high) / 2
}

/** Value at or below which the share `q` of the values lies; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

/** Median of the ratios of neighbouring measurements: what slows the machine for a while slows both of a pair. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, index) => value / (theirs[index] ?? Number.NaN)))
}

/** What each configuration answered, in the order of the rounds. */
type Results<Configurations extends Readonly<Record<string, () => Promise<unknown>>>> = {
  [Name in keyof Configurations]: Awaited<ReturnType<Configurations[Name]>>[]
}

/** Runs every configuration `rounds` times in turn, so that a busy moment of the machine meets all of them alike. */
export async function interleaved<Configurations extends Readonly<Record<string, () => Promise<unknown>>>>(
  rounds: number,
  configurations: Configurations,
): Promise<Results<Configurations>> {
  const results = Object.fromEntries(Object.keys(configurations).map((name) => [name, [] as unknown[]]))
  for (let round = 0; round < rounds; round++) {
    const inOrder = Object.entries(configurations)
    for (const [name, run] of round % 2 === 0 ? inOrder : inOrder.reverse()) results[name]?.push(await run())
  }
  // Built key by key from the configurations, which the compiler cannot follow.
  return results as Results<Configurations>
}
