/** Where something moves in front of a camera that stands still: each picture's brightness on a coarse grid, against what is usual there. */
import type { Frame, Region } from './frame.ts'

/** Cells of the grid across and down, whatever the picture's size. */
export const GRID = { across: 64, down: 36 } as const
/** Pixels looked at in a cell, along each axis: enough to be steady, few enough to cost nothing. */
const PROBES = 4
/** A cell this many brightness steps away from what is usual has something in it; video noise of a cell's mean stays below. */
const MOVED = 9
/** How fast what stands still becomes usual: the newest picture's part of the mean. */
const NEWEST = 0.05

/** What each cell usually looks like; null before the first picture. */
export type Background = Float32Array | null

export interface Motion {
  /** 1 where something moves, row by row. */
  moving: Uint8Array
  background: Float32Array
}

/** Mean brightness (0 to 255) of every cell, row by row. */
export function brightness(frame: Frame): Float32Array {
  const cells = new Float32Array(GRID.across * GRID.down)
  const place = (cell: number, probe: number, cells: number, length: number) =>
    Math.min(length - 1, Math.floor(((cell + (probe + 0.5) / PROBES) * length) / cells))
  for (let row = 0; row < GRID.down; row++)
    for (let column = 0; column < GRID.across; column++) {
      let sum = 0
      for (let probe = 0; probe < PROBES * PROBES; probe++) {
        const y = place(row, Math.floor(probe / PROBES), GRID.down, frame.height)
        const x = place(column, probe % PROBES, GRID.across, frame.width)
        sum += brightnessAt(frame, y * frame.width + x)
      }
      cells[row * GRID.across + column] = sum / PROBES ** 2
    }
  return cells
}

/** Green is most of what we see as brightness. */
function brightnessAt({ format, data }: Frame, pixel: number): number {
  return (format === 'rgb24' ? data[pixel * 3 + 1] : data[pixel]) ?? 0
}

/**
 * Which cells differ from what is usual, and what is usual from now on. Before anything is known everything moves. A change of the
 * light, which moves most of the picture by the same amount, is taken out first.
 */
export function motionOf(background: Background, cells: Float32Array): Motion {
  if (background === null || background.length !== cells.length)
    return { moving: new Uint8Array(cells.length).fill(1), background: Float32Array.from(cells) }
  const changes = cells.map((value, at) => value - (background[at] ?? 0))
  const light = changes.toSorted()[changes.length >> 1] ?? 0
  return {
    moving: Uint8Array.from(changes, (change) => (Math.abs(change - light) > MOVED ? 1 : 0)),
    background: background.map((usual, at) => usual + NEWEST * (changes[at] ?? 0)),
  }
}

/** How many moving cells lie in an upright square of the picture. */
export function movingIn(
  moving: Uint8Array,
  square: Region,
  { width, height }: Pick<Frame, 'width' | 'height'>,
): number {
  const cell = (at: number, length: number, cells: number) => (at / length) * cells
  const half = square.size / 2
  const left = Math.max(0, Math.floor(cell(square.cx - half, width, GRID.across)))
  const right = Math.min(GRID.across, Math.ceil(cell(square.cx + half, width, GRID.across)))
  const top = Math.max(0, Math.floor(cell(square.cy - half, height, GRID.down)))
  const bottom = Math.min(GRID.down, Math.ceil(cell(square.cy + half, height, GRID.down)))
  let count = 0
  for (let row = top; row < bottom; row++)
    for (let column = left; column < right; column++) count += moving[row * GRID.across + column] ?? 0
  return count
}
