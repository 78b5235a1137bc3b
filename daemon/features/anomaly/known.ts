/** A person of whom enough is known to judge them. */
import type { AnomalyProfile } from '../../../models/series/anomaly.ts'
import type { VitalWatch } from './watch.ts'

export interface Known {
  watch: VitalWatch
  profile: AnomalyProfile
  learntAtMs: number
  /** Minutes with a heart rate that were learnt from. */
  learntMinutes: number
}

/** Three days from the first value on, and in them a day's worth of minutes with a heart rate. */
export const LEAST_MINUTES = 4320
export const LEAST_HEART_MINUTES = 1440
