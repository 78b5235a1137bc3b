/** The KPIs of one player as the API gives them: every number with its thresholds, every missing number with its reason. */
import { type AngleSummary, type GaitSummary, kneeAsymmetry } from '../../../models/vision/kpi/gait.ts'
import { MOTION } from '../../../models/vision/kpi/motion.ts'
import type { PaceKpis } from '../../../models/vision/kpi/pace.ts'
import type { KpiReason, Kpis } from '../../domain/kpi.ts'
import type { PlayerThresholds } from './thresholds.ts'

export interface KpiInput {
  pace: PaceKpis
  gait: GaitSummary
  /** Of the newest pose; null when nobody looks any more. */
  now: { angles: { name: string; degrees: number | null }[]; cadence: number | null } | null
  thresholds: PlayerThresholds
  /** Why there were no places, when there were none. */
  reason: KpiReason | null
}

/** The filter's delay, from its cut-off. */
const DELAY_S = 0.22
/** A shorter look says nothing about a speed. */
const LEAST_S = 2

export function kpisOf({ pace, gait, now, thresholds, reason }: KpiInput): Kpis {
  const missing: KpiReason | null =
    pace.seenS >= LEAST_S ? null : pace.seenS > 0 ? 'too_short' : (reason ?? 'not_seen')
  const metres = <Value>(value: Value): Value | null => (missing === null ? value : null)
  return {
    speed: {
      max_speed: metres(rounded(pace.maxSpeedMps, 100)),
      best_second: metres(rounded(pace.bestSecondMps, 100)),
      avg_speed: metres(rounded(pace.averageMps, 100)),
      current_speed: now === null ? null : metres(rounded(pace.currentMps, 100)),
      high_speed_efforts: metres(pace.highSpeedEfforts),
      sprints: metres(pace.sprints),
      thresholds: thresholds.shown,
      filter: { cutoff_hz: MOTION.cutoffHz, rate_hz: MOTION.hz, delay_s: DELAY_S },
      reason: missing,
    },
    distance: {
      total: metres(rounded(pace.distanceM, 10)),
      high_speed: metres(rounded(pace.highSpeedDistanceM, 10)),
      sprint: metres(rounded(pace.sprintDistanceM, 10)),
      zones: metres(zonesOf(pace, thresholds.settings.zonesMps)),
      reason: missing,
    },
    physical: {
      accelerations: metres(pace.accelerations),
      decelerations: metres(pace.decelerations),
      seen_s: pace.seenS,
      missed_s: pace.missedS,
      reason: missing,
    },
    technical: { touches: null, passes: null, reason: 'ball_not_tracked', movement: movementOf(gait, now) },
  }
}

function zonesOf(pace: PaceKpis, borders: readonly number[]) {
  return pace.zoneDistanceM.map((distance, zone) => ({
    from: rounded(borders[zone] ?? 0, 100) ?? 0,
    to: zone === pace.zoneDistanceM.length - 1 ? null : rounded(borders[zone + 1] ?? null, 100),
    distance: rounded(distance, 10) ?? 0,
    seconds: (pace.zoneSamples[zone] ?? 0) / MOTION.hz,
  }))
}

function movementOf(gait: GaitSummary, now: KpiInput['now']): Kpis['technical']['movement'] {
  const asymmetry = kneeAsymmetry(gait)
  const mean = gait.cadence.samples > 0 ? gait.cadence.sum / gait.cadence.samples : null
  const noPose = gait.poses === 0
  return {
    poses: gait.poses,
    cadence: now?.cadence ?? null,
    cadence_mean: rounded(mean, 1),
    cadence_reason: mean !== null ? null : noPose ? 'no_pose' : 'nothing_regular',
    joint_angles: (Object.entries(gait.angles) as [string, AngleSummary][]).map(([name, angle]) => ({
      name,
      kind: '2d-projection',
      now: rounded(now?.angles.find((one) => one.name === name)?.degrees ?? null, 1),
      min: rounded(angle.min, 1),
      mean: rounded(angle.sum / angle.samples, 1),
      max: rounded(angle.max, 1),
    })),
    knee_asymmetry_percent: rounded(asymmetry.percent, 10),
    asymmetry_reason: asymmetry.reason,
    reason: noPose ? 'no_pose' : null,
  }
}

/** To a multiple of 1 / `parts`. */
function rounded(value: number | null, parts: number): number | null {
  return value === null ? null : Math.round(value * parts) / parts
}
