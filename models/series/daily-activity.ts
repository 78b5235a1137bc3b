/** Minutes of movement of at least moderate effort. */

/** Steps a minute from which walking is moderate and vigorous for adults (Tudor-Locke 2018, BJSM 52:776). */
export const STEPS_PER_MINUTE = { moderate: 100, vigorous: 130 } as const

export interface ActiveMinutes {
  moderate: number
  vigorous: number
  /** Minutes with a step count; the others are unknown, not still. */
  knownMinutes: number
}

/** Active minutes from steps of each minute, NaN where unknown; null when no minute is known. Children step faster: the counts are adult ones. */
export function activeMinutes(stepsByMinute: Float64Array): ActiveMinutes | null {
  const known = stepsByMinute.filter(Number.isFinite)
  if (known.length === 0) return null
  const vigorous = known.filter((steps) => steps >= STEPS_PER_MINUTE.vigorous).length
  const moderate = known.filter((steps) => steps >= STEPS_PER_MINUTE.moderate).length - vigorous
  return { moderate, vigorous, knownMinutes: known.length }
}
