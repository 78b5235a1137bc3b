/** What the models saw in one picture, out of the live event that tells it. */
import type { LiveEvent } from '../../../net/socket.ts'

/** Pixels of the picture that was looked at. */
export interface Joint {
  x: number
  y: number
  score: number
}

export interface Box {
  x: number
  y: number
  w: number
  h: number
}

export interface Seen {
  trackId: number
  box: Box
}

export interface SeenPerson extends Seen {
  joints: readonly Joint[]
}

export interface Overlay {
  cameraId: string
  capturedAtMs: number
  width: number
  height: number
  people: readonly SeenPerson[]
  ball: Seen | null
}

/** Boxes older than this say nothing about the picture that is on screen. */
export const OVERLAY_MS = 1_000
/** Joints that the model is less sure of are not drawn. */
export const SURE = 0.3

const NOSE = 0
const EYES = [1, 2] as const
const EARS = [3, 4] as const
const SHOULDERS = [5, 6] as const
const HIPS = [11, 12] as const
/** Pairs of COCO's 17 joints that a skeleton connects. */
export const BONES: readonly (readonly [number, number])[] = [
  [...SHOULDERS],
  ...[7, 8].map((elbow): [number, number] => [elbow - 2, elbow]),
  ...[9, 10].map((wrist): [number, number] => [wrist - 2, wrist]),
  [SHOULDERS[0], HIPS[0]],
  [SHOULDERS[1], HIPS[1]],
  [...HIPS],
  ...[13, 14].map((knee): [number, number] => [knee - 2, knee]),
  ...[15, 16].map((ankle): [number, number] => [ankle - 2, ankle]),
  ...EYES.map((eye): [number, number] => [NOSE, eye]),
  ...EARS.map((ear): [number, number] => [ear - 2, ear]),
]
const HEAD = [NOSE, ...EYES, ...EARS]

/** Null for an event that does not hold together: nothing is drawn rather than something wrong. */
export function overlayOf({ type, data, joints }: LiveEvent): Overlay | null {
  if (type !== 'pose' || !isRecord(data)) return null
  const capturedAtMs = Date.parse(String(data['captured_at']))
  const [width, height] = [Number(data['width']), Number(data['height'])]
  if (!Number.isFinite(capturedAtMs) || !(width > 0) || !(height > 0)) return null
  const people = peopleOf(data['people'], joints ?? new Float32Array())
  return (
    people && {
      cameraId: String(data['camera_id']),
      capturedAtMs,
      width,
      height,
      people,
      ball: seenOf(data['ball']),
    }
  )
}

function peopleOf(told: unknown, numbers: Float32Array): SeenPerson[] | null {
  if (!Array.isArray(told)) return null
  const people: SeenPerson[] = []
  let at = 0
  for (const one of told) {
    const seen = seenOf(one)
    const count = isRecord(one) ? Number(one['keypoints']) : Number.NaN
    if (!seen || !Number.isInteger(count) || count < 0 || (at + count) * 3 > numbers.length) return null
    const from = at
    const joints = Array.from({ length: count }, (_, index) => jointAt(numbers, from + index))
    people.push({ ...seen, joints })
    at += count
  }
  return people
}

function jointAt(numbers: Float32Array, at: number): Joint {
  return { x: numbers[at * 3] ?? 0, y: numbers[at * 3 + 1] ?? 0, score: numbers[at * 3 + 2] ?? 0 }
}

function seenOf(told: unknown): Seen | null {
  if (!isRecord(told) || !Array.isArray(told['box'])) return null
  const [x, y, w, h] = told['box'].map(Number)
  const trackId = Number(told['track_id'])
  if (x === undefined || y === undefined || w === undefined || h === undefined) return null
  return [x, y, w, h, trackId].every(Number.isFinite) ? { trackId, box: { x, y, w, h } } : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Where a face is: round the joints of the head, else the upper part of the box. Generous, because people move on. */
export function faceOf({ box, joints }: SeenPerson): Box {
  const sure = HEAD.map((index) => joints[index]).filter(
    (joint) => joint !== undefined && joint.score >= SURE,
  )
  const [xs, ys] = [sure.map((joint) => joint?.x ?? 0), sure.map((joint) => joint?.y ?? 0)]
  if (sure.length < 2) {
    const size = Math.min(box.w, box.h * 0.3)
    return { x: box.x + (box.w - size) / 2, y: box.y - size * 0.1, w: size, h: size * 1.1 }
  }
  const spread = Math.max(...xs) - Math.min(...xs)
  const size = Math.max(spread * 2.2, box.h * 0.16)
  const middle = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return { x: middle(xs) - size / 2, y: middle(ys) - size * 0.6, w: size, h: size * 1.2 }
}
