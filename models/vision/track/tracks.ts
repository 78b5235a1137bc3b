/** One track: where its box is, how sure that is, and since when. */
import type { Box } from '../boxes.ts'
import { rememberAppearance } from './appearance.ts'
import { boxOfMotion, type Motion, startMotion, updateMotion } from './motion.ts'

/** A detection in pixels; the `embedding` of a re-identification network has unit length. */
export interface DetectedBox extends Box {
  /** 0 to 1. */
  score: number
  embedding?: Float32Array
}

/** A detection with its place in the list that was given. */
export interface Seen {
  box: DetectedBox
  index: number
}

export interface Track {
  id: number
  /** Unconfirmed until seen a second time; lost while nothing matches it. */
  state: 'unconfirmed' | 'tracked' | 'lost'
  motion: Motion
  box: Box
  score: number
  boxIndex: number
  embedding: Float32Array | undefined
  startFrame: number
  lastFrame: number
}

/** A track founded by a box; those of the first frame need no confirmation, nor does any when the detector is that sure. */
export function found(id: number, { box, index }: Seen, frame: number, isSure = false): Track {
  const motion = startMotion(box)
  return {
    id,
    state: frame === 1 || isSure ? 'tracked' : 'unconfirmed',
    motion,
    box: boxOfMotion(motion),
    score: box.score,
    boxIndex: index,
    embedding: box.embedding,
    startFrame: frame,
    lastFrame: frame,
  }
}

/** The track is where this box is. */
export function follow(track: Track, { box, index }: Seen, frame: number): void {
  updateMotion(track.motion, box)
  track.state = 'tracked'
  track.box = boxOfMotion(track.motion)
  track.score = box.score
  track.boxIndex = index
  track.embedding = rememberAppearance(track.embedding, box.embedding)
  track.lastFrame = frame
}
