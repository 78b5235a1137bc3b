/**
 * About ten seconds of one track as two small blobs: boxes, and joints. Times are whole milliseconds, places are multiples of 1/8
 * pixel, scores of boxes of 1/63 and of joints of 1/15; each column is coded by its differences and the whole is deflated.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type ColumnReader, createColumnReader, createColumnWriter, DamagedChunk } from './columns.ts'

export interface StoredBox {
  x: number
  y: number
  w: number
  h: number
}

export interface StoredJoint {
  x: number
  y: number
  score: number
}

/** Where somebody was in one picture, in its pixels; `joints` null when the body was not found in it. */
export interface TrackSample {
  atMs: number
  box: StoredBox
  score: number
  joints: readonly StoredJoint[] | null
}

export interface PackedChunk {
  fromMs: number
  toMs: number
  boxes: Uint8Array
  /** Null when no picture of the stretch had a body. */
  joints: Uint8Array | null
}

export const PLACES_PER_PX = 8
export const JOINTS = 17
const BOX_SCORES = 63
const JOINT_SCORES = 15
/** A place further away than this is no pixel of any camera. */
const MOST_PX = 65_536
const MOST_SAMPLES = 4096
/** Unpacked bytes that a blob may have: more was not written here. */
const MOST_BYTES = 2 * 1024 * 1024
/** Low effort: the next levels cost twice the time for two per cent. */
const LEVEL = 6

/** Packs samples in order of time; not empty, at most 4096. */
export function packChunk(samples: readonly TrackSample[]): PackedChunk {
  const fromMs = samples[0]?.atMs ?? 0
  const boxes = createColumnWriter()
  boxes.count(samples.length)
  boxes.column(samples.map(({ atMs }) => atMs - fromMs))
  for (const side of ['x', 'y', 'w', 'h'] as const) boxes.column(samples.map(({ box }) => placed(box[side])))
  boxes.column(samples.map(({ score }) => stepped(score, BOX_SCORES)))
  return {
    fromMs,
    toMs: samples.at(-1)?.atMs ?? fromMs,
    boxes: deflated(boxes.bytes()),
    joints: packJoints(samples),
  }
}

function packJoints(samples: readonly TrackSample[]): Uint8Array | null {
  const seen = samples.map(({ joints }) => (joints?.length === JOINTS ? joints : null))
  const bodies = seen.filter((joints) => joints !== null)
  if (bodies.length === 0) return null
  const columns = createColumnWriter()
  columns.count(bodies.length)
  columns.column(seen.map((joints) => (joints === null ? 0 : 1)))
  for (let joint = 0; joint < JOINTS; joint++) {
    columns.column(bodies.map((joints) => placed(joints[joint]?.x ?? 0)))
    columns.column(bodies.map((joints) => placed(joints[joint]?.y ?? 0)))
  }
  for (let joint = 0; joint < JOINTS; joint++)
    columns.column(bodies.map((joints) => stepped(joints[joint]?.score ?? 0, JOINT_SCORES)))
  return deflated(columns.bytes())
}

/** The samples of a chunk; without `joints` theirs are null. Throws DamagedChunk. */
export function unpackChunk(fromMs: number, boxes: Uint8Array, joints: Uint8Array | null): TrackSample[] {
  const columns = createColumnReader(inflated(boxes))
  const count = columns.count(MOST_SAMPLES)
  const times = columns.column(count)
  const [x, y, w, h] = [0, 1, 2, 3].map(() => columns.column(count))
  const scores = columns.column(count)
  columns.end()
  const bodies = joints === null ? [] : unpackJoints(createColumnReader(inflated(joints)), count)
  const px = (column: readonly number[] | undefined, at: number) => (column?.[at] ?? 0) / PLACES_PER_PX
  return times.map((time, at) => ({
    atMs: fromMs + time,
    box: { x: px(x, at), y: px(y, at), w: px(w, at), h: px(h, at) },
    score: (scores[at] ?? 0) / BOX_SCORES,
    joints: bodies[at] ?? null,
  }))
}

function unpackJoints(columns: ColumnReader, samples: number): (StoredJoint[] | null)[] {
  const count = columns.count(samples)
  const seen = columns.column(samples)
  const places = Array.from({ length: JOINTS }, () => [columns.column(count), columns.column(count)])
  const scores = Array.from({ length: JOINTS }, () => columns.column(count))
  columns.end()
  let body = 0
  return seen.map((isSeen) => {
    if (isSeen === 0) return null
    const at = body++
    return places.map(([x, y], joint) => ({
      x: (x?.[at] ?? 0) / PLACES_PER_PX,
      y: (y?.[at] ?? 0) / PLACES_PER_PX,
      score: (scores[joint]?.[at] ?? 0) / JOINT_SCORES,
    }))
  })
}

function placed(px: number): number {
  return Math.round(Math.max(-MOST_PX, Math.min(px, MOST_PX)) * PLACES_PER_PX) || 0
}

function stepped(score: number, steps: number): number {
  return Math.round(Math.max(0, Math.min(score, 1)) * steps) || 0
}

function deflated(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { level: LEVEL })
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: MOST_BYTES })
  } catch (cause) {
    throw new DamagedChunk(cause instanceof Error ? cause.message : String(cause))
  }
}
