/** All tracking metrics of one sequence, by TrackEval's definitions and without preprocessing. */
import { type ClearMetrics, clearMetrics } from './clear.ts'
import { type HotaMetrics, hotaMetrics } from './hota.ts'
import { type IdentityMetrics, identityMetrics } from './identity.ts'
import { compare } from './sequence.ts'
import type { MotFrames } from './text.ts'

/** Shares in percent, the rest counts. */
export type MotMetrics = HotaMetrics & ClearMetrics & IdentityMetrics

/** Throws UnreadableInput when an id stands twice in a frame of either file. */
export function motMetrics(truth: MotFrames, result: MotFrames): MotMetrics {
  const comparison = compare(truth, result)
  return { ...hotaMetrics(comparison), ...clearMetrics(comparison), ...identityMetrics(comparison) }
}
