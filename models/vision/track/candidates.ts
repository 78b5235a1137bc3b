/** What it costs to say that a box is a track, and which tracks are the same person twice. */
import { iou } from '../boxes.ts'
import { blendAppearance } from './appearance.ts'
import type { Candidate } from './matching.ts'
import type { DetectedBox, Seen, Track } from './tracks.ts'

/** A tracked and a lost track closer than this are one person (byte_tracker.py, remove_duplicate_stracks). */
const DUPLICATE_DISTANCE = 0.15
/** The reference counts a box's edge pixels as part of it. */
const EDGE_PX = 1

/** Null when the two do not overlap, which no limit allows. */
export type Cost = (track: Track, box: DetectedBox) => number | null

/** Every pair that overlaps, with its cost. */
export function candidates(pool: readonly Track[], seen: readonly Seen[], cost: Cost): Candidate[] {
  const found: Candidate[] = []
  pool.forEach((track, row) => {
    seen.forEach(({ box }, col) => {
      const value = cost(track, box)
      if (value !== null) found.push({ row, col, cost: value })
    })
  })
  return found
}

/** First matches trust confident boxes more: the overlap is multiplied by the score. */
export function scoredCost(track: Track, box: DetectedBox): number | null {
  const overlap = iou(track.box, box, EDGE_PX)
  if (overlap === 0) return null
  return blendAppearance(1 - overlap, 1 - overlap * box.score, track.embedding, box.embedding)
}

/** Second matches take any box, because a low score often means a half-hidden person. */
export function plainCost(track: Track, box: DetectedBox): number | null {
  const overlap = iou(track.box, box, EDGE_PX)
  return overlap === 0 ? null : 1 - overlap
}

/** Of a tracked and a lost track in the same place the one that has lived longer stays. */
export function duplicates(tracks: readonly Track[]): Set<Track> {
  const doubles = new Set<Track>()
  const lost = tracks.filter(({ state }) => state === 'lost')
  for (const track of tracks) {
    if (track.state === 'lost') continue
    for (const other of lost) {
      if (1 - iou(track.box, other.box, EDGE_PX) >= DUPLICATE_DISTANCE) continue
      const older = track.lastFrame - track.startFrame > other.lastFrame - other.startFrame
      doubles.add(older ? other : track)
    }
  }
  return doubles
}
