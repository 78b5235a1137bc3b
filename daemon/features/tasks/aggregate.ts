/** The nightly look over everybody's last days, so that the morning's first screen finds them added up. */
import { localDay } from '../../domain/zone.ts'

export interface AggregateDeps {
  now: () => number
  people: () => readonly string[]
  zoneOf: (personId: string) => string
  /** Adds days up; what is known already costs nothing. */
  rows: (personId: string, dates: readonly string[]) => Promise<readonly unknown[]>
  /** How many days back from today; a week unless told. */
  lastDays?: number
}

/** Values that a phone sends late change at most the days before. */
const DAYS = 7
const DAY_MS = 86_400_000

/** Resolves with how many people and days there were; ends early when it is told to. */
export async function aggregateDays(
  { now, people, zoneOf, rows, lastDays = DAYS }: AggregateDeps,
  { signal, progress }: { signal: AbortSignal; progress: (fraction: number) => void },
): Promise<{ people: number; days: number }> {
  const everybody = people()
  let days = 0
  for (const [index, personId] of everybody.entries()) {
    if (signal.aborted) break
    const today = Date.parse(`${localDay(now(), zoneOf(personId))}T00:00:00Z`)
    const dates = Array.from({ length: lastDays }, (_, at) =>
      new Date(today - (lastDays - 1 - at) * DAY_MS).toISOString().slice(0, 10),
    )
    days += (await rows(personId, dates)).length
    progress((index + 1) / everybody.length)
  }
  return { people: everybody.length, days }
}
