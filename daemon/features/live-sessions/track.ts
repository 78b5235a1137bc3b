/** One person as one camera follows them, known by name or not. */
import type { Keypoint } from '../../../models/pose/skeleton.ts'
import type { Box } from '../../../models/vision/boxes.ts'
import { createGait, type Gait } from '../../../models/vision/kpi/gait.ts'
import { type GroundPlan, type NoGround, placeOf } from '../../../models/vision/kpi/ground.ts'
import { createMotion, type MotionSample } from '../../../models/vision/kpi/motion.ts'
import type { KpiReason } from '../../domain/kpi.ts'
import type { PathSample } from '../../store/session-paths.ts'

export interface SeenPlayer {
  trackId: number
  box: Box
  keypoints: readonly Keypoint[]
}

export interface Picture {
  cameraId: string
  capturedAtMs: number
  width: number
  height: number
  people: readonly SeenPlayer[]
}

export interface LiveTrack {
  cameraId: string
  trackId: number
  personId: string | null
  firstAtMs: number
  lastAtMs: number
  /** Samples that are not on their way to the disk yet. */
  waiting: MotionSample[]
  /** Its last row on the disk, while that has room. */
  stored: readonly PathSample[]
  /** Where it was first; null without metres. */
  first: MotionSample | null
  /** Somebody said that it is nobody known. */
  isStranger: boolean
  /** How often there was no place, by reason. */
  reasons: Partial<Record<KpiReason, number>>
  /** Of the newest picture. */
  reason: KpiReason | null
  newest: MotionSample | null
  gait: Gait
  isChanged: boolean
  /** Takes what one picture shows; answers the slots that became known. */
  see(seen: SeenPlayer, picture: Picture, ground: GroundPlan | null, without: KpiReason): MotionSample[]
}

/** `without` a plan is told as the reason why there are no metres. */
export function createTrack(cameraId: string, trackId: number, atMs: number): LiveTrack {
  const motion = createMotion()
  const track: LiveTrack = {
    ...{ cameraId, trackId, personId: null, firstAtMs: atMs, lastAtMs: atMs },
    ...{ stored: [], first: null, isStranger: false },
    ...{ waiting: [], reasons: {}, reason: null, newest: null, gait: createGait(), isChanged: true },
    see({ box, keypoints }, { capturedAtMs, width, height }, ground, without) {
      track.lastAtMs = capturedAtMs
      track.isChanged = true
      track.gait.add(capturedAtMs, keypoints, box.h)
      const place = placeOf(ground, { box, keypoints, width, height })
      if ('reason' in place) {
        noteMissing(track, place.reason, without)
        return []
      }
      track.reason = null
      const samples = motion.add(capturedAtMs, place.ground)
      track.waiting.push(...samples)
      track.first ??= samples[0] ?? null
      track.newest = samples.at(-1) ?? track.newest
      return samples
    },
  }
  return track
}

function noteMissing(track: LiveTrack, missing: NoGround, without: KpiReason): void {
  const reason = missing === 'uncalibrated' ? without : missing
  track.reason = reason
  track.newest = null
  track.reasons[reason] = (track.reasons[reason] ?? 0) + 1
}
