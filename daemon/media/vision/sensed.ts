/** A phone that looks by itself: what it sends becomes results as if a model of the hub had seen them. */
import { bodyBox } from '../../../models/pose/extent.ts'
import type { Landmark } from '../../../models/pose/landmarks.ts'
import { cocoOf } from '../../../models/pose/skeleton.ts'
import { createTracker } from '../../../models/vision/track/tracker.ts'
import type { LandmarkBatch, LandmarkVerdict } from '../../domain/landmarks.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { createDeviceClock } from '../jpeg/device-clock.ts'
import type { UsedModel, VisionResult } from './result.ts'
import { createPace } from './statistics.ts'

export interface Sensed {
  /**
   * Takes what the phone on this connection saw. Throws CONFLICT once a later connection has taken over, VALIDATION_ERROR for
   * pictures that were taken after they were sent.
   */
  take(batch: LandmarkBatch, from: string): LandmarkVerdict
  /** Null while nobody sends. */
  state(): SensedState | null
  /** The phone is the camera no longer. */
  end(): void
}

export interface SensedState {
  sinceMs: number
  lastFrameAtMs: number
  width: number
  height: number
  people: number
  detector: UsedModel
  pose: UsedModel
  fps: number | null
  ageMsP50: number | null
  ageMsP99: number | null
}

export interface SensedDeps {
  cameraId: string
  clock: Clock
  /** First identity that was never given to anybody on this camera. */
  firstTrackId: () => number
  onResult: (result: VisionResult) => void
  /** Told when somebody begins to send or was not heard for `SILENT_MS`. */
  onChange: () => void
}

/** Nothing for this long: the phone is away. */
const SILENT_MS = 3000
const LOOK_MS = 500
/** What is older tells nobody anything about now. */
const OLDEST_MS = 5000
const MOST_HZ = 15
/** Pictures may come this much earlier than the rate allows, so that a phone of that very rate is not halved. */
const EARLY = 0.8
/** A phone's clock may have been read a moment before a picture's time was. */
const AHEAD_MS = 50
/** The phone's model finds one body surely; what it found is believed at once. */
const TRACKING = { trackThreshold: 0.3, newTrackThreshold: 0.3, confirmAtOnce: true, frameRateHz: MOST_HZ }
/** A half-hidden body is as much there as a whole one. */
const LEAST_SCORE = 0.5

export function createSensed({ cameraId, clock, ...deps }: SensedDeps): Sensed {
  let sending: ReturnType<typeof begin> | null = null
  let newestFrom = ''
  let frameSeq = 0

  function begin(from: string) {
    newestFrom = from
    return {
      tracker: createTracker({ ...TRACKING, firstTrackId: deps.firstTrackId() }),
      deviceClock: createDeviceClock(),
      pace: createPace(),
      sinceMs: clock.now(),
      heardMs: clock.monotonic(),
      lastMs: Number.NEGATIVE_INFINITY,
      people: 0,
      batch: null as LandmarkBatch | null,
      stop: clock.every(LOOK_MS, () => {
        if (sending && clock.monotonic() - sending.heardMs > SILENT_MS) end()
      }),
    }
  }

  function end(): void {
    if (!sending) return
    sending.stop()
    sending = null
    deps.onChange()
  }

  function see(one: ReturnType<typeof begin>, batch: LandmarkBatch, people: Landmark[][], atMs: number) {
    const boxes = people.map((landmarks) => ({ ...bodyBox(landmarks), score: scoreOf(landmarks) }))
    const { tracks } = one.tracker.update(boxes, atMs)
    const seen = tracks.map(({ trackId, boxIndex, score }) => {
      const landmarks = people[boxIndex] ?? []
      return { trackId, box: bodyBox(landmarks), score, keypoints: cocoOf(landmarks), landmarks }
    })
    const nowMs = clock.now()
    one.lastMs = atMs
    one.people = seen.length
    one.batch = batch
    one.pace.add(clock.monotonic(), nowMs - atMs)
    frameSeq += 1
    deps.onResult({
      ...{ cameraId, frameSeq, capturedAtMs: atMs, analysedAtMs: nowMs },
      ...{ width: batch.width, height: batch.height, models: batch.models, people: seen, ball: null },
    })
  }

  return {
    take(batch, from) {
      if (from < newestFrom)
        throw new HubError('CONFLICT', 'Another phone is this camera now. Begin again to take over.')
      if (batch.frames.some(({ at }) => at > batch.sent_at + AHEAD_MS))
        throw new HubError('VALIDATION_ERROR', 'frames: a picture was taken after it was sent.')
      const isNew = sending === null || from > newestFrom
      if (isNew) {
        sending?.stop()
        sending = begin(from)
      }
      const one = sending ?? begin(from)
      one.heardMs = clock.monotonic()
      const arrivedAtMs = clock.now()
      const sentMs = one.deviceClock.capturedAtMs(batch.sent_at, arrivedAtMs)
      const verdict: LandmarkVerdict = { taken: 0, outOfOrder: 0, tooOld: 0, tooFast: 0 }
      for (const { at, people } of batch.frames) {
        const atMs = Math.round(sentMs - Math.max(0, batch.sent_at - at))
        const why = refusal(atMs, one.lastMs, arrivedAtMs)
        verdict[why ?? 'taken'] += 1
        if (why === null) see(one, batch, people.map(landmarksOf), atMs)
      }
      if (isNew) deps.onChange()
      return verdict
    },
    state() {
      if (!sending?.batch) return null
      const { sinceMs, lastMs, people, batch, pace } = sending
      const { width, height, models } = batch
      return {
        ...{ sinceMs, lastFrameAtMs: lastMs, width, height, people, ...models },
        fps: pace.fps(clock.monotonic()),
        ageMsP50: pace.age(0.5),
        ageMsP99: pace.age(0.99),
      }
    },
    end,
  }
}

function refusal(
  atMs: number,
  lastMs: number,
  nowMs: number,
): Exclude<keyof LandmarkVerdict, 'taken'> | null {
  if (atMs <= lastMs) return 'outOfOrder'
  if (nowMs - atMs > OLDEST_MS) return 'tooOld'
  return atMs - lastMs < (EARLY * 1000) / MOST_HZ ? 'tooFast' : null
}

function landmarksOf(values: LandmarkBatch['frames'][number]['people'][number]): Landmark[] {
  return values.map(([x, y, z, score]) => ({ x, y, z, score }))
}

function scoreOf(landmarks: readonly Landmark[]): number {
  const sum = landmarks.reduce((total, { score }) => total + score, 0)
  return Math.max(LEAST_SCORE, sum / Math.max(1, landmarks.length))
}
