import { ADULT_GPS, type GpsSettings } from './gps.ts'

/** Adult thresholds times this until the player's own best second is known; no published standard exists for the young. */
const SHARE_OF_ADULT: readonly { underAge: number; share: number }[] = [
  { underAge: 11, share: 0.72 },
  { underAge: 12, share: 0.75 },
  { underAge: 13, share: 0.8 },
  { underAge: 14, share: 0.85 },
  { underAge: 15, share: 0.9 },
  { underAge: 16, share: 0.95 },
]
const HIGH_SPEED_SHARE = 0.6
const SPRINT_SHARE = 0.8

/**
 * Thresholds for a young player: 60 % and 80 % of the best mean second of their own, or a share of the adult ones by age group while
 * that is unknown. Fixed adult thresholds hide every sprint of a twelve-year-old (Goto 2015 recommends individual zones).
 */
export function youthThresholds(age: number, bestSecondMps: number | null, adult = ADULT_GPS): GpsSettings {
  if (bestSecondMps !== null && bestSecondMps > 0) {
    return {
      ...adult,
      highSpeedMps: HIGH_SPEED_SHARE * bestSecondMps,
      sprintMps: SPRINT_SHARE * bestSecondMps,
    }
  }
  const share = SHARE_OF_ADULT.find(({ underAge }) => age < underAge)?.share ?? 1
  return { ...adult, highSpeedMps: share * adult.highSpeedMps, sprintMps: share * adult.sprintMps }
}
