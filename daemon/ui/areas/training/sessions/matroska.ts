/** Finds the pictures of a recording that browsers do not play: JPEGs in Matroska, as the hub keeps those of phones. */

export interface Still {
  /** Since the beginning of the file. */
  atMs: number
  jpeg: Uint8Array
}

const SEGMENT = 0x18538067
const CLUSTER = 0x1f43b675
const CLUSTER_TIME = 0xe7
const SIMPLE_BLOCK = 0xa3
const BLOCK_GROUP = 0xa0
const BLOCK = 0xa1
const INFO = 0x1549a966
const TIME_SCALE = 0x2ad7b1
/** What holds others; its own size may be unknown, because the file was written without going back. */
const HOLDERS: ReadonlySet<number> = new Set([SEGMENT, CLUSTER, BLOCK_GROUP, INFO])
const NS_PER_MS = 1_000_000
/** Time and flags behind the number of the track. */
const BLOCK_HEAD_BYTES = 3

/** In the order of time; empty for a file that holds something else. What is cut off at the end is left out. */
export function jpegsIn(file: Uint8Array): Still[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const stills: Still[] = []
  let [at, clusterTime, scaleNs] = [0, 0, NS_PER_MS]
  while (at < file.length) {
    const id = numberAt(file, at, true)
    const size = id && numberAt(file, at + id.bytes, false)
    if (!id || !size) break
    const from = at + id.bytes + size.bytes
    if (HOLDERS.has(id.value)) {
      at = from
      continue
    }
    const to = from + size.value
    if (to > file.length) break
    if (id.value === CLUSTER_TIME) clusterTime = unsigned(file, from, to)
    if (id.value === TIME_SCALE) scaleNs = unsigned(file, from, to)
    if (id.value === SIMPLE_BLOCK || id.value === BLOCK) {
      const track = numberAt(file, from, false)
      const begin = from + (track?.bytes ?? 1)
      const data = file.subarray(begin + BLOCK_HEAD_BYTES, to)
      if (data[0] === 0xff && data[1] === 0xd8)
        stills.push({ atMs: ((clusterTime + view.getInt16(begin)) * scaleNs) / NS_PER_MS, jpeg: data })
    }
    at = to
  }
  return stills
}

/** A number of 1 to 8 bytes, whose leading zeros say how many; an id keeps the mark behind them. */
function numberAt(file: Uint8Array, at: number, isId: boolean): { value: number; bytes: number } | null {
  const first = file[at]
  if (first === undefined || first === 0) return null
  const bytes = Math.clz32(first) - 23
  if (at + bytes > file.length) return null
  const value = isId ? first : first & (0xff >> bytes)
  return { value: unsigned(file, at + 1, at + bytes, value), bytes }
}

function unsigned(file: Uint8Array, from: number, to: number, start = 0): number {
  let value = start
  for (let at = from; at < to; at += 1) value = value * 256 + (file[at] ?? 0)
  return value
}
