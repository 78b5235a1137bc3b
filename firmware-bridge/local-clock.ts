/** The wall clock of a place, given by the caller: decoders are pure and own no table of time zones. */
export interface LocalClock {
  /** Instant of a wall time such as `2026-03-14T07:15:30`; the first of two that look alike; null when the text is no time. */
  instantOf(wallTime: string): number | null
  /** The local calendar day of an instant, `YYYY-MM-DD`. */
  dayOf(atMs: number): string
}
