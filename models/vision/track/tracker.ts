/** ByteTrack: gives the boxes of a stream lasting identities (Zhang et al. 2022, ECCV, "Associating Every Detection Box"). */
import type { Box } from '../boxes.ts'
import { at } from '../numeric/dense.ts'
import { type Cost, candidates, duplicates, plainCost, scoredCost } from './candidates.ts'
import { matchBelow } from './matching.ts'
import { boxOfMotion, holdHeight, predictMotion } from './motion.ts'
import { type DetectedBox, follow, found, type Seen, type Track } from './tracks.ts'

/** Where a confirmed track is in this frame: the filtered box in pixels. */
export type { DetectedBox } from './tracks.ts'

export interface TrackedBox extends Box {
  trackId: number
  score: number
  /** Index of the detection in the boxes given, so that what hangs on it (keypoints, a crop) finds its person. */
  boxIndex: number
}

export interface TrackerUpdate {
  /** By ascending track id. */
  tracks: TrackedBox[]
  /** Tracks reported before that will never come back. */
  ended: number[]
}

export interface TrackerOptions {
  /** Nominal rate of the frames given; a gap counts as the frames that are missing. */
  frameRateHz: number
  /** Boxes above this are matched first. */
  trackThreshold: number
  /** Boxes at or below this are noise. */
  lowThreshold: number
  /** A box needs this much to found a track. */
  newTrackThreshold: number
  /** Largest cost (1 - overlap × score) of a first match, (1 - overlap) of a second, (1 - overlap × score) of a young track. */
  matchLimit: number
  secondMatchLimit: number
  unconfirmedMatchLimit: number
  /** Whether a box founds a track that is reported at once; false: it has to be seen a second time. */
  confirmAtOnce: boolean
  /** How long a track out of sight is remembered. */
  bufferMs: number
  /** Identity of the first track; later ones count up. */
  firstTrackId: number
}

/**
 * Values of the reference implementation's MOT configuration (track_thresh .6, det_thresh +.1, match_thresh .9, 30 frames
 * of buffer at 30 frames a second, the rest fixed in byte_tracker.py).
 */
export const BYTETRACK: TrackerOptions = {
  frameRateHz: 30,
  trackThreshold: 0.6,
  lowThreshold: 0.1,
  newTrackThreshold: 0.7,
  matchLimit: 0.9,
  secondMatchLimit: 0.5,
  unconfirmedMatchLimit: 0.7,
  confirmAtOnce: false,
  bufferMs: 1000,
  firstTrackId: 1,
}

/** More boxes than these in a frame is noise: the best scores stay, the rest is counted. */
const MAX_BOXES = 500
/** More lost tracks than these: the ones lost longest are ended early and counted. */
const MAX_LOST = 1_000

export interface Tracker {
  /** Takes the boxes of one frame. `atMs` is the frame's time; one not later than the frame before counts as the next frame. */
  update(boxes: readonly DetectedBox[], atMs: number): TrackerUpdate
  /** What the limits cost so far: boxes left out (without area, or beyond the limit) and tracks ended early. */
  counters(): { ignoredBoxes: number; evictedTracks: number }
}

/** One tracker per stream and class of object; equal input gives equal identities. */
export function createTracker(options: Partial<TrackerOptions> = {}): Tracker {
  const settings: TrackerOptions = { ...BYTETRACK, ...options }
  const bufferFrames = Math.trunc((settings.bufferMs * settings.frameRateHz) / 1000)
  const counters = { ignoredBoxes: 0, evictedTracks: 0 }
  let nextId = settings.firstTrackId
  let tracks: Track[] = []
  let frame = 0
  let lastAtMs = 0

  function advance(atMs: number): number {
    const elapsed = Math.round(((atMs - lastAtMs) * settings.frameRateHz) / 1000)
    const steps = frame === 0 || !(elapsed > 1) ? 1 : elapsed
    lastAtMs = atMs
    frame += steps
    return steps
  }

  /** Unconfirmed tracks wait where they were, as in the reference. */
  function predict(steps: number): void {
    for (const track of tracks) {
      if (track.state === 'unconfirmed') continue
      if (track.state === 'lost') holdHeight(track.motion)
      for (let step = 0; step < steps; step++) predictMotion(track.motion)
      track.box = boxOfMotion(track.motion)
    }
  }

  /** Follows every match and returns the tracks and boxes left over. */
  function associate(pool: readonly Track[], seen: readonly Seen[], cost: Cost, limit: number) {
    const colOfRow = matchBelow(pool.length, seen.length, candidates(pool, seen, cost), limit)
    const taken = new Set<number>()
    const unmatched = pool.filter((track, row) => {
      const match = seen[at(colOfRow, row)]
      if (!match) return true
      taken.add(at(colOfRow, row))
      follow(track, match, frame)
      return false
    })
    return { unmatched, rest: seen.filter((_, col) => !taken.has(col)) }
  }

  /** Keeps `tracks` for which `stays` holds and names the confirmed ones that leave. */
  function keep(stays: (track: Track) => boolean, ended: number[]): void {
    tracks = tracks.filter((track) => {
      if (stays(track)) return true
      if (track.state !== 'unconfirmed') ended.push(track.id)
      return false
    })
  }

  function evict(ended: number[]): void {
    const lost = tracks.filter(({ state }) => state === 'lost').sort((a, b) => a.lastFrame - b.lastFrame)
    const evicted = new Set(lost.slice(0, Math.max(0, lost.length - MAX_LOST)))
    if (evicted.size === 0) return
    counters.evictedTracks += evicted.size
    keep((track) => !evicted.has(track), ended)
  }

  return {
    counters: () => ({ ...counters }),
    update(boxes, atMs) {
      const ended: number[] = []
      const steps = advance(atMs)
      keep(({ lastFrame }) => frame - lastFrame <= bufferFrames + 1, ended)
      predict(steps)
      const seen = usable(boxes)
      counters.ignoredBoxes += boxes.length - seen.length
      const high = seen.filter(({ box }) => box.score > settings.trackThreshold)
      const low = seen.filter(
        ({ box }) => box.score <= settings.trackThreshold && box.score > settings.lowThreshold,
      )
      const young = tracks.filter(({ state }) => state === 'unconfirmed')
      const pool = tracks.filter(({ state }) => state !== 'unconfirmed')
      const first = associate(pool, high, scoredCost, settings.matchLimit)
      const inSight = first.unmatched.filter(({ state }) => state === 'tracked')
      const second = associate(inSight, low, plainCost, settings.secondMatchLimit)
      for (const track of second.unmatched) track.state = 'lost'
      const third = associate(young, first.rest, scoredCost, settings.unconfirmedMatchLimit)
      const refuted = new Set(third.unmatched)
      keep((track) => !refuted.has(track), ended)
      const founders = third.rest.filter(({ box }) => box.score >= settings.newTrackThreshold)
      tracks.push(...founders.map((seen) => found(nextId++, seen, frame, settings.confirmAtOnce)))
      const doubles = duplicates(tracks)
      keep((track) => !doubles.has(track), ended)
      evict(ended)
      return { tracks: reported(tracks), ended }
    },
  }
}

/** Boxes with area and a finite place, the best MAX_BOXES of them. */
function usable(boxes: readonly DetectedBox[]): Seen[] {
  const seen: Seen[] = []
  boxes.forEach((box, index) => {
    if (box.w > 0 && box.h > 0 && Number.isFinite(box.x + box.y + box.w + box.h)) seen.push({ box, index })
  })
  if (seen.length <= MAX_BOXES) return seen
  return seen.sort((a, b) => b.box.score - a.box.score || a.index - b.index).slice(0, MAX_BOXES)
}

function reported(tracks: readonly Track[]): TrackedBox[] {
  return tracks
    .filter(({ state }) => state === 'tracked')
    .map(({ id, box, score, boxIndex }) => ({ trackId: id, ...box, score, boxIndex }))
    .sort((a, b) => a.trackId - b.trackId)
}
