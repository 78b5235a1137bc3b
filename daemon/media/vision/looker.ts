/** One camera's share of vision: holds its newest picture while the models look, and keeps who was seen. */
import type { InstalledModel } from '../../../models/catalogue.ts'
import { createFollower, type Followed, type Follower } from '../../../models/follow/follower.ts'
import type { Inference } from '../../../models/inference.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { FrameRing, HeldFrame } from '../frames.ts'
import { type Choice, createChoice, type Rung } from './choice.ts'
import type { UsedModel, VisionResult, VisionState } from './result.ts'
import { createPace, type Timings } from './statistics.ts'

export interface Looker {
  /** Whether there is a picture to look at now. */
  isReady(): boolean
  lastTurn(): number
  /** Looks at the newest picture; never rejects. */
  look(inference: Pick<Inference, 'run'>, turn: number): Promise<void>
  install(models: readonly InstalledModel[]): void
  weigh(camerasOnThread: number): void
  state(): VisionState
  close(): void
}

export interface LookerDeps {
  cameraId: string
  ring: FrameRing
  timings: Timings
  firstTrackId: number
  clock: Clock
  log: Log
  mostFps: number
  onResult: (result: VisionResult) => void
}

/** After this many failures in a row the camera is tried only every `REST_MS`. */
const MOST_FAILURES = 3
const REST_MS = 5000
/** Weight of the newest picture in the mean number of people. */
const NEWEST = 0.1
/** Pictures may come this much earlier than the rate allows, so that a camera of that very rate is not halved. */
const EARLY = 0.8

export function createLooker({ ring, clock, log, timings, ...deps }: LookerDeps): Looker {
  const pace = createPace()
  const counts = { analysed: 0, skipped: 0, failed: 0 }
  const following = { run: null as Inference['run'] | null }
  const follower: Follower = createFollower({
    run: (job) => {
      if (following.run === null) throw new Error('no inference process is looking')
      return following.run(job)
    },
    frameRateHz: deps.mostFps,
    firstTrackId: deps.firstTrackId,
  })
  let choice: Choice | null = null
  let lastSeq = 0
  let turn = 0
  let isLooking = false
  let closed = false
  let people = 0
  let meanPeople = 0
  let failuresInRow = 0
  let problem: string | null = null
  let notBeforeMs = Number.NEGATIVE_INFINITY

  async function analyse(frame: HeldFrame, rung: Rung): Promise<void> {
    const { width, height, data } = frame
    const followed = await follower.step({ format: 'i420', width, height, data }, frame.capturedAtMs, rung)
    if (closed) return
    measure(followed, rung)
    const result = resultOf(deps.cameraId, frame, followed, rung, clock.now())
    pace.add(clock.monotonic(), result.analysedAtMs - result.capturedAtMs)
    people = result.people.length
    meanPeople += NEWEST * (people - meanPeople)
    counts.analysed++
    failuresInRow = 0
    problem = null
    deps.onResult(result)
  }

  function measure({ took }: Followed, { detector, landmarks }: Rung): void {
    if (took.detect && counts.analysed > 0) timings.add(detector.file.name, took.detect.total)
    if (took.pose && took.pose.poses > 0 && landmarks)
      timings.add(landmarks.name, took.pose.total / took.pose.poses)
  }

  function failed(cause: unknown): void {
    counts.failed++
    failuresInRow++
    problem = messageOf(cause)
    if (failuresInRow === 1) log.warn({ reason: problem }, 'a picture could not be analysed')
    if (failuresInRow >= MOST_FAILURES) notBeforeMs = clock.monotonic() + REST_MS
  }

  return {
    isReady() {
      if (isLooking || closed || choice?.current() == null) return false
      return ring.stats().published > lastSeq && clock.monotonic() >= notBeforeMs
    },
    lastTurn: () => turn,
    async look(inference, now) {
      const rung = choice?.current()
      const frame = ring.newest()
      turn = now
      if (frame === null || rung == null) {
        frame?.release()
        return
      }
      isLooking = true
      counts.skipped += Math.max(0, frame.seq - lastSeq - 1)
      lastSeq = frame.seq
      notBeforeMs = clock.monotonic() + (EARLY * 1000) / deps.mostFps
      following.run = (job) => inference.run(job)
      try {
        await analyse(frame, rung)
      } catch (cause) {
        failed(cause)
      } finally {
        frame.release()
        isLooking = false
      }
    },
    install(models) {
      if (choice === null) choice = createChoice(models)
      else choice.install(models)
    },
    weigh(camerasOnThread) {
      const costs = { of: timings.of, people: meanPeople, cameras: camerasOnThread }
      if (choice?.weigh(costs, clock.monotonic())) log.info({ note: choice.note() }, 'other models look now')
    },
    state() {
      const rung = choice?.current() ?? null
      const isStarting = counts.analysed === 0 && failuresInRow < MOST_FAILURES && rung !== null
      const hasFailed = failuresInRow >= MOST_FAILURES || (choice !== null && rung === null)
      return {
        state: hasFailed ? 'failed' : isStarting || rung === null ? 'starting' : 'running',
        detector: rung === null ? null : named(rung.detector.file, rung),
        pose: rung?.landmarks ? named(rung.landmarks, rung) : null,
        fps: pace.fps(clock.monotonic()),
        ageMsP50: pace.age(0.5),
        ageMsP99: pace.age(0.99),
        people,
        note:
          hasFailed && problem !== null ? problem : (choice?.note() ?? 'The models are being looked for.'),
        ...counts,
      }
    },
    close() {
      closed = true
    },
  }
}

function resultOf(
  cameraId: string,
  { seq, capturedAtMs, width, height }: HeldFrame,
  { people, ball }: Followed,
  rung: Rung,
  analysedAtMs: number,
): VisionResult {
  return {
    cameraId,
    frameSeq: seq,
    capturedAtMs,
    analysedAtMs,
    width,
    height,
    people,
    ball,
    models: {
      detector: named(rung.detector.file, rung),
      pose: rung.landmarks && named(rung.landmarks, rung),
    },
  }
}

function named({ name }: { name: string }, { versions }: Rung): UsedModel {
  return { name, version: versions.get(name) ?? '' }
}
