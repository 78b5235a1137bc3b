/** From which speed on a player's running is fast, by age and by what they have shown. */
import { ADULT_GPS, type GpsSettings } from '../../../models/series/gps.ts'
import { youthThresholds } from '../../../models/series/gps-youth.ts'
import type { Thresholds } from '../../domain/kpi.ts'

export interface PlayerThresholds {
  settings: Omit<GpsSettings, 'hz'>
  shown: Thresholds
}

/** Under this age the published thresholds of adults do not fit. */
const ADULT_AGE = 18

/** `age` null: unknown, taken as adult, and said so. `bestSecondMps` null: not known from an ended session yet. */
export function thresholdsFor(age: number | null, bestSecondMps: number | null): PlayerThresholds {
  const isYoung = age !== null && age < ADULT_AGE
  const scaled = isYoung ? youthThresholds(age, bestSecondMps) : ADULT_GPS
  const share = scaled.highSpeedMps / ADULT_GPS.highSpeedMps
  // The zones between end where fast running begins, so that zones and thresholds are about the same speeds.
  const [rest = 0, still = 0, walk = 0, jog = 0, , , top = 0] = ADULT_GPS.zonesMps
  const zonesMps = isYoung
    ? [rest, still, walk * share, jog * share, scaled.highSpeedMps, scaled.sprintMps, top]
    : ADULT_GPS.zonesMps
  const basis = !isYoung || share === 1 ? 'adult' : bestSecondMps !== null ? 'own_best_second' : 'age_group'
  return {
    settings: { ...scaled, zonesMps },
    shown: {
      basis,
      age,
      high_speed: Math.round(scaled.highSpeedMps * 100) / 100,
      sprint: Math.round(scaled.sprintMps * 100) / 100,
      acceleration: scaled.accelerationMps2,
    },
  }
}
