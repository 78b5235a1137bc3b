/** Limits by age that are tables, not formulas: heading in football, pitches in baseball. */

export interface HeadingLimit {
  /** Minutes of heading practice a week; null where the guideline sets no limit. */
  weekMinutes: number | null
  weekHeaders: number | null
}

/** US Soccer 2015: none up to U11, from U12 to U13 30 minutes and 20 headers a week (the guideline says 15 to 20). */
export function headingLimit(age: number): HeadingLimit {
  if (age < 11) return { weekMinutes: 0, weekHeaders: 0 }
  if (age < 13) return { weekMinutes: 30, weekHeaders: 20 }
  return { weekMinutes: null, weekHeaders: null }
}

interface PitchBand {
  fromAge: number
  toAge: number
  perDay: number
  /** Pitches up to which 0, 1, 2 and 3 days of rest are due; above the last, 4. */
  restAt: readonly [number, number, number, number]
}

/** Pitch Smart (MLB and USA Baseball, table of 2018). */
export const PITCH_BANDS: readonly PitchBand[] = [
  { fromAge: 7, toAge: 8, perDay: 50, restAt: [20, 35, 50, 65] },
  { fromAge: 9, toAge: 10, perDay: 75, restAt: [20, 35, 50, 65] },
  { fromAge: 11, toAge: 12, perDay: 85, restAt: [20, 35, 50, 65] },
  { fromAge: 13, toAge: 14, perDay: 95, restAt: [20, 35, 50, 65] },
  { fromAge: 15, toAge: 16, perDay: 95, restAt: [30, 45, 60, 75] },
  { fromAge: 17, toAge: 18, perDay: 105, restAt: [30, 45, 60, 75] },
]

/** What one day of pitching asks for; null for an age that the table does not know. */
export function pitchDay(
  age: number,
  pitches: number,
): { allowed: number; over: boolean; restDays: number } | null {
  const band = PITCH_BANDS.find(({ fromAge, toAge }) => age >= fromAge && age < toAge + 1)
  if (!band) return null
  const restDays = band.restAt.filter((limit) => pitches > limit).length
  return { allowed: band.perDay, over: pitches > band.perDay, restDays }
}
