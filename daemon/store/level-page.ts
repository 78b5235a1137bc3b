import { median } from '../../models/series/rollup.ts'
import { metricByKey } from '../domain/metric.ts'
import type { LevelPoint } from '../domain/observation.ts'
import type { PlacedBucket } from './rollup-rows.ts'
import type { Page } from './store.ts'

/**
 * Buckets as the API shows them. Rival devices are ranked, not averaged: of the buckets with one start the device with the
 * lowest rank speaks, among equals the one with most samples.
 */
export function levelPage(
  buckets: readonly PlacedBucket[],
  window: { metric: number; fromMs: number; toMs: number; limit: number },
  rankOf: (device: number) => number,
): Page<LevelPoint> {
  const best = new Map<number, PlacedBucket>()
  for (const bucket of buckets) {
    if (bucket.startMs < window.fromMs || bucket.startMs >= window.toMs) continue
    const rival = best.get(bucket.startMs)
    if (!rival || precedes(bucket, rival, rankOf)) best.set(bucket.startMs, bucket)
  }
  const ascending = [...best.values()].sort((a, b) => a.startMs - b.startMs)
  return {
    points: ascending.slice(0, window.limit).map((bucket) => pointOf(bucket, window.metric)),
    nextFromMs: ascending[window.limit]?.startMs ?? null,
  }
}

function precedes(a: PlacedBucket, b: PlacedBucket, rankOf: (device: number) => number): boolean {
  return (rankOf(a.device) - rankOf(b.device) || b.bucket.n - a.bucket.n || a.device - b.device) < 0
}

function pointOf({ startMs, bucket }: PlacedBucket, metric: number): LevelPoint {
  const { scale, binWidth } = metricByKey(metric)
  return {
    atMs: startMs,
    count: bucket.n,
    min: bucket.min / scale,
    max: bucket.max / scale,
    mean: bucket.sum / bucket.n / scale,
    p50: median(bucket, binWidth) / scale,
  }
}
