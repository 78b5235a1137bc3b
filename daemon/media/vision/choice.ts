/** Decides with which models a camera is looked at, from what is installed and what this box was seen to sustain. */
import { type InstalledModel, pickDetector, poseModels } from '../../../models/catalogue.ts'
import type { LookPlan } from '../../../models/follow/follower.ts'
import type { DetectorFiles } from '../../../models/jobs.ts'

/** One way to look, best first in a ladder. */
export interface Rung extends LookPlan {
  landmarks: InstalledModel | null
  /** What to call the version of each model: the hash where its authors gave none. */
  versions: ReadonlyMap<string, string>
}

/** What the box was measured to need. */
export interface Costs {
  /** Milliseconds of one run of a model (a whole search, for the detector); null before it ever ran. */
  of(model: string): number | null
  /** People in the picture lately. */
  people: number
  /** Cameras that share one inference thread. */
  cameras: number
}

export interface Choice {
  /** The rung to use now; null when there is no detector at all. */
  current(): Rung | null
  /** Looks at the costs; true when the rung changed. Call it every second or so. */
  weigh(costs: Costs, nowMs: number): boolean
  /** Takes another set of installed models. */
  install(models: readonly InstalledModel[]): void
  /** In words: what is used, and why. */
  note(): string
}

/** Below this many frames a second for `SLOW_MS` the next rung down is taken … */
const TOO_SLOW_FPS = 8
const SLOW_MS = 4000
/** … and the one above when it promises this many for `ROOM_MS`. A rung that was too slow is left alone for `BURNT_MS`. */
const ROOM_FPS = 13
const ROOM_MS = 15_000
const BURNT_MS = 120_000
/** Up to this size a detector is tried at once; larger ones have to be earned. */
const START_BYTES = 8 * 1024 * 1024
const BETTER_PACK =
  'Only the bundled detector is installed: it finds people less surely when there are several. homefield models pull training brings the better pack.'

/** Every way to look with these models, best first. */
export function ladderOf(models: readonly InstalledModel[]): Rung[] {
  const detectors = detectorsOf(models)
  const rungs: Rung[] = []
  const versions = new Map(models.map(({ name, version, sha256 }) => [name, version ?? sha256.slice(0, 12)]))
  for (const { detector, cadences } of detectors) {
    const looksAgain = detector.family === 'yolox'
    // What BlazePose's search finds is judged and carried by its own landmark model.
    const poses = poseModels(models).filter(({ family }) => looksAgain || family === 'blazepose-landmarks')
    const [full = null, lite = full] = [poses[0], poses.at(-1)]
    const [often, seldom, rarely] = cadences
    rungs.push({ detector, landmarks: full, detectEvery: often, looksAgain, versions })
    rungs.push({ detector, landmarks: full, detectEvery: seldom, looksAgain, versions })
    if (lite !== full) rungs.push({ detector, landmarks: lite, detectEvery: seldom, looksAgain, versions })
    rungs.push({ detector, landmarks: lite, detectEvery: rarely, looksAgain, versions })
  }
  return rungs
}

/** Detectors worth using, best first, each with how often it looks: every n-th frame. */
function detectorsOf(models: readonly InstalledModel[]) {
  const yolox = models.filter(({ family }) => family === 'yolox')
  const best = yolox.toSorted((a, b) => weight(b) - weight(a))
  if (best.length > 0)
    return best.map((file) => ({
      detector: { family: 'yolox', file } satisfies DetectorFiles,
      cadences: [2, 3, 6] as const,
    }))
  const detector = pickDetector(models)
  return detector === null ? [] : [{ detector, cadences: [4, 8, 16] as const }]
}

/** What a run costs, relative to others: the weights, at each place of the input. */
function weight({ bytes, input }: InstalledModel | DetectorFiles['file']): number {
  return bytes * (input.shape[2] ?? 1) * (input.shape[3] ?? 1)
}

export function createChoice(models: readonly InstalledModel[]): Choice {
  let ladder = ladderOf(models)
  let at = startOf(ladder)
  let why = 'to begin with'
  let slowSinceMs: number | null = null
  let roomSinceMs: number | null = null
  const burntUntilMs = new Map<Rung, number>()

  function move(to: number, reason: string): boolean {
    at = to
    why = reason
    slowSinceMs = null
    roomSinceMs = null
    return true
  }

  return {
    current: () => ladder[at] ?? null,
    install(fresh) {
      const next = ladderOf(fresh)
      if (sameLadder(next, ladder)) return
      ladder = next
      burntUntilMs.clear()
      move(startOf(ladder), 'other models were installed')
    },
    weigh(costs, nowMs) {
      const current = ladder[at]
      if (current === undefined) return false
      const fps = framesPerSecond(current, costs, current)
      slowSinceMs = fps !== null && fps < TOO_SLOW_FPS ? (slowSinceMs ?? nowMs) : null
      if (slowSinceMs !== null && nowMs - slowSinceMs >= SLOW_MS && at + 1 < ladder.length) {
        burntUntilMs.set(current, nowMs + BURNT_MS)
        return move(at + 1, `more than that gave ${fps?.toFixed(0)} frames a second here`)
      }
      const above = ladder[at - 1]
      const promised = above === undefined ? null : framesPerSecond(above, costs, current)
      const isOpen = above !== undefined && (burntUntilMs.get(above) ?? 0) <= nowMs
      roomSinceMs = isOpen && promised !== null && promised > ROOM_FPS ? (roomSinceMs ?? nowMs) : null
      if (roomSinceMs !== null && nowMs - roomSinceMs >= ROOM_MS)
        return move(at - 1, `this box has room for it`)
      return false
    },
    note() {
      const rung = ladder[at]
      if (rung === undefined) return 'No detector is installed: homefield models list says what is missing.'
      const { detector, landmarks, detectEvery } = rung
      const said = `${detector.file.name} every ${detectEvery} frames, ${landmarks?.name ?? 'no pose model'}: ${why}.`
      return detector.family === 'yolox' ? said : `${said} ${BETTER_PACK}`
    },
  }
}

function startOf(ladder: readonly Rung[]): number {
  const light = ladder.findIndex(
    ({ detector, detectEvery }) =>
      (detector.family !== 'yolox' || detector.file.bytes <= START_BYTES) && detectEvery > 2,
  )
  return Math.max(0, light)
}

function sameLadder(a: readonly Rung[], b: readonly Rung[]): boolean {
  const names = (ladder: readonly Rung[]) =>
    ladder.map(({ detector, landmarks }) => `${detector.file.path} ${landmarks?.path}`).join()
  return names(a) === names(b)
}

/** Frames a second that a rung gives on this box; models that never ran are guessed from `known` by their size. */
function framesPerSecond(rung: Rung, costs: Costs, known: Rung): number | null {
  const detect = costOf(rung.detector.file, costs, known.detector.file)
  const pose = rung.landmarks === null ? 0 : costOf(rung.landmarks, costs, known.landmarks ?? rung.landmarks)
  if (detect === null || (pose === null && costs.people > 0)) return null
  const perFrame = detect / rung.detectEvery + (pose ?? 0) * costs.people
  return 1000 / Math.max(perFrame * Math.max(1, costs.cameras), 0.1)
}

function costOf(model: DetectorFiles['file'], costs: Costs, known: DetectorFiles['file']): number | null {
  const measured = costs.of(model.name)
  if (measured !== null) return measured
  const reference = costs.of(known.name)
  return reference === null ? null : (reference * weight(model)) / weight(known)
}
