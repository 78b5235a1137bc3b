/** MOT Challenge text, one box a line: frame, id, left, top, width, height, confidence, …; ids and frames count from 1. */
import type { Box } from '../boxes.ts'
import { UnreadableInput } from '../unreadable.ts'

const MAX_FRAME = 1_000_000
const MAX_ROWS = 5_000_000

export interface MotBox extends Box {
  /** -1 in a file of detections. */
  id: number
  /** Score of a detection; 0 marks a ground-truth row to ignore. 1 when the line has none. */
  confidence: number
}

/** Boxes by frame: index 0 is frame 1; frames without boxes are empty. */
export type MotFrames = MotBox[][]

/** Throws UnreadableInput naming the line that is not a MOT row. */
export function parseMot(text: string): MotFrames {
  const frames: MotFrames = []
  let rows = 0
  let lineNumber = 0
  for (const line of text.split('\n')) {
    lineNumber++
    if (line.trim() === '') continue
    if (++rows > MAX_ROWS) throw new UnreadableInput(`More than ${MAX_ROWS} boxes in one MOT file.`)
    const { frame, box } = parseRow(line, lineNumber)
    while (frames.length < frame) frames.push([])
    frames[frame - 1]?.push(box)
  }
  return frames
}

function parseRow(line: string, lineNumber: number): { frame: number; box: MotBox } {
  const fields = line.trim().split(line.includes(',') ? ',' : /\s+/)
  const [
    frame = Number.NaN,
    id = Number.NaN,
    x = Number.NaN,
    y = Number.NaN,
    w = Number.NaN,
    h = Number.NaN,
  ] = fields.slice(0, 6).map((field) => (field.trim() === '' ? Number.NaN : Number(field)))
  const confidence = fields[6] === undefined ? 1 : Number(fields[6])
  const values = [id, x, y, w, h, confidence]
  if (!Number.isInteger(frame) || frame < 1 || frame > MAX_FRAME || !values.every(Number.isFinite))
    throw new UnreadableInput(
      `Line ${lineNumber} is not a MOT row (frame from 1 to ${MAX_FRAME}, id, left, top, width, height[, confidence]).`,
    )
  if (w < 0 || h < 0) throw new UnreadableInput(`Line ${lineNumber} has a box of negative size.`)
  return { frame, box: { id, x, y, w, h, confidence } }
}

/** Result rows as the benchmarks read them: pixels and scores with two decimals. */
export function formatMot(frames: readonly (readonly MotBox[])[]): string {
  const rows = frames.flatMap((boxes, index) =>
    boxes.map(({ id, x, y, w, h, confidence }) => {
      const numbers = [x, y, w, h, confidence].map((value) => value.toFixed(2))
      return `${index + 1},${id},${numbers.join(',')},-1,-1,-1\n`
    }),
  )
  return rows.join('')
}
