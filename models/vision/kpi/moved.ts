/** Whether a camera still looks where it looked when it was calibrated, from small grey pictures; people who move do not count. */
import type { Box } from '../boxes.ts'

/** A grey picture, rows packed. */
export interface Luma {
  width: number
  height: number
  data: Uint8Array
}

/** The size at which pictures are compared. */
export const LUMA_WIDTH = 160

export type View = 'same' | 'moved' | 'unclear'

export interface Comparison {
  view: View
  /** Middle of how far the still parts of the picture shifted, in pixels of the small picture; null when nothing could be matched. */
  shiftPx: number | null
  /** Parts of the picture with enough structure, and those of them found again. */
  blocks: number
  found: number
}

const BLOCK = 16
const REACH = 6
/** Grey levels by which a part must vary to be told from its neighbours. */
const LEAST_SD = 6
/** Correlation from which a part counts as found. */
const FOUND = 0.75
/** A part has moved from this shift on; half a per cent of the picture's width. */
const MOVED_PX = 0.8
/** So many parts say something about the whole. */
const FEWEST_BLOCKS = 6
/** Of the parts found, so many have moved when the camera has. */
const MOST = 0.6
/** When fewer parts than this share are found anywhere near, the camera looks elsewhere, or fog came. */
const LOST = 0.2

interface Block {
  x: number
  y: number
}

/** Compares parts of `now` with `then`. `people` (in pixels of the small picture) are left out. Pictures must be of one size. */
export function compareViews(then: Luma, now: Luma, people: readonly Box[] = []): Comparison {
  if (then.width !== now.width || then.height !== now.height)
    return { view: 'moved', shiftPx: null, blocks: 0, found: 0 }
  const blocks = texturedBlocks(then).filter((block) => !people.some((box) => touches(block, box)))
  const shifts = blocks.map((block) => shiftOf(block, then, now)).filter((shift) => shift !== null)
  const shiftPx = middleOf(shifts)
  const counted = { shiftPx, blocks: blocks.length, found: shifts.length }
  if (blocks.length < FEWEST_BLOCKS) return { ...counted, view: 'unclear' }
  if (shifts.length < FEWEST_BLOCKS || shifts.length < LOST * blocks.length) {
    // A dark or foggy picture has no parts of its own; one that has them shows another place.
    const own = texturedBlocks(now).length
    return { ...counted, view: own >= blocks.length / 2 ? 'moved' : 'unclear' }
  }
  const moved = shifts.filter((shift) => shift >= MOVED_PX).length
  return { ...counted, view: moved >= MOST * shifts.length ? 'moved' : 'same' }
}

/** Makes a small grey picture of a large one by the mean of each cell. */
export function shrink(large: Luma, width = LUMA_WIDTH): Luma {
  const height = Math.max(1, Math.round((large.height * width) / large.width))
  const data = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    const top = Math.floor((y * large.height) / height)
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * large.height) / height))
    for (let x = 0; x < width; x++) {
      const left = Math.floor((x * large.width) / width)
      const right = Math.max(left + 1, Math.floor(((x + 1) * large.width) / width))
      let sum = 0
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) sum += large.data[row * large.width + column] ?? 0
      data[y * width + x] = Math.round(sum / ((bottom - top) * (right - left)))
    }
  }
  return { width, height, data }
}

function texturedBlocks(luma: Luma): Block[] {
  const blocks: Block[] = []
  for (let y = REACH; y + BLOCK + REACH <= luma.height; y += BLOCK)
    for (let x = REACH; x + BLOCK + REACH <= luma.width; x += BLOCK)
      if (isCorner(luma, x, y)) blocks.push({ x, y })
  return blocks
}

/** Structure in both directions: along a line alone, a shift cannot be seen. */
function isCorner({ data, width }: Luma, x: number, y: number): boolean {
  let xx = 0
  let yy = 0
  let xy = 0
  for (let row = y; row < y + BLOCK; row++)
    for (let column = x; column < x + BLOCK; column++) {
      const at = row * width + column
      const dx = ((data[at + 1] ?? 0) - (data[at - 1] ?? 0)) / 2
      const dy = ((data[at + width] ?? 0) - (data[at - width] ?? 0)) / 2
      xx += dx * dx
      yy += dy * dy
      xy += dx * dy
    }
  const area = BLOCK * BLOCK
  const least = (xx + yy) / 2 - Math.hypot((xx - yy) / 2, xy)
  return least / area > (LEAST_SD / 2) ** 2 / 4
}

/** How far a part lies from where it was, to a fraction of a pixel; null when it is not found. */
function shiftOf({ x, y }: Block, then: Luma, now: Luma): number | null {
  const part = partOf(then, x, y)
  if (part === null) return null
  const side = 2 * REACH + 1
  const scores = new Float64Array(side * side)
  let best = 0
  for (let at = 0; at < scores.length; at++) {
    const dx = (at % side) - REACH
    const dy = Math.floor(at / side) - REACH
    const other = partOf(now, x + dx, y + dy)
    scores[at] = other === null ? 0 : correlation(part, other)
    if ((scores[at] ?? 0) > (scores[best] ?? 0)) best = at
  }
  if ((scores[best] ?? 0) < FOUND) return null
  const column = best % side
  const row = Math.floor(best / side)
  const fineX = column === 0 || column === side - 1 ? 0 : vertex(scores, best, 1)
  const fineY = row === 0 || row === side - 1 ? 0 : vertex(scores, best, side)
  return Math.hypot(column - REACH + fineX, row - REACH + fineY)
}

/** Where the parabola through three neighbours is highest, within half a step. */
function vertex(scores: Float64Array, at: number, step: number): number {
  const [left, middle, right] = [scores[at - step] ?? 0, scores[at] ?? 0, scores[at + step] ?? 0]
  const bend = left - 2 * middle + right
  return bend < 0 ? Math.max(-0.5, Math.min(0.5, (left - right) / (2 * bend))) : 0
}

interface Part {
  values: Float64Array
  length: number
}

/** A part without its mean, so that clouds change nothing; null when it is flat. */
function partOf({ data, width }: Luma, x: number, y: number): Part | null {
  const values = new Float64Array(BLOCK * BLOCK)
  let sum = 0
  for (let row = 0; row < BLOCK; row++)
    for (let column = 0; column < BLOCK; column++) {
      const value = data[(y + row) * width + x + column] ?? 0
      values[row * BLOCK + column] = value
      sum += value
    }
  const mean = sum / values.length
  let squares = 0
  for (let at = 0; at < values.length; at++) {
    const value = (values[at] ?? 0) - mean
    values[at] = value
    squares += value * value
  }
  const length = Math.sqrt(squares)
  return length < 1 ? null : { values, length }
}

function correlation(one: Part, other: Part): number {
  let sum = 0
  for (let at = 0; at < one.values.length; at++) sum += (one.values[at] ?? 0) * (other.values[at] ?? 0)
  return sum / (one.length * other.length)
}

function touches({ x, y }: Block, box: Box): boolean {
  return box.x < x + BLOCK && box.x + box.w > x && box.y < y + BLOCK && box.y + box.h > y
}

function middleOf(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
}

export interface Watcher {
  /** Takes what one look found; true from the moment on that the camera counts as moved. */
  look(comparison: Comparison): boolean
}

/** A camera has moved when so many looks in a row say so: a ball on the lens is gone by then. */
export const LOOKS = 3

export function createWatcher(): Watcher {
  let inRow = 0
  return {
    look({ view }) {
      if (view === 'unclear') return inRow >= LOOKS
      inRow = view === 'moved' ? inRow + 1 : 0
      return inRow >= LOOKS
    },
  }
}
