/**
 * Packed stretches of one series: single values, or minutes. Columns with predictions (columns.ts), compressed, with a checksum over what
 * was compressed, so that a changed byte is an error and never another value. Pure: bytes in, rows out.
 */
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  type ColumnReader,
  type ColumnWriter,
  createColumnReader,
  createColumnWriter,
  DamagedColumns,
} from './columns.ts'
import type { Bucket } from './rollup.ts'
import { decodeBins, encodeBins } from './rollup-bins.ts'

/** One value as a chunk holds it. */
export interface ChunkRow {
  atMs: number
  value: number
  source: string
  quality: number | null
  revision: number
  /** JSON of further facts. */
  extra: string | null
}

/** A minute as a chunk holds it. */
export interface ChunkMinute {
  startMs: number
  bucket: Bucket
}

/** A day at eleven values a second; more does not fit one chunk. */
export const CHUNK_ROWS = 1_000_000
/** What an honest chunk never comes to: a bound for bytes from elsewhere. */
const MOST_BYTES = 64 * 1024 ** 2
const KIND = { rows: 1, minutes: 2 } as const
const HEAD_BYTES = 5
const LEVEL = 6
/** Up to so many rows are packed in one step. */
const STEP_ROWS = 2000
/** Compressed in one step; what is found again later in the body is lost between two pieces. */
const PIECE_BYTES = 64 * 1024

/** Packs rows in their order; every number comes back bit by bit. Throws RangeError above CHUNK_ROWS rows. */
export function packRows(rows: readonly ChunkRow[]): Uint8Array {
  return atOnce(packingRows(rows))
}

/** The same in short steps, for a thread that others wait for: a column or a piece of the compression each. */
export function* packingRows(rows: readonly ChunkRow[]): Generator<void, Uint8Array> {
  const out = begun(rows.length)
  const long = rows.length > STEP_ROWS
  out.numbers(rows.map(({ atMs }) => atMs))
  if (long) yield
  out.numbers(rows.map(({ value }) => value))
  if (long) yield
  out.texts(rows.map(({ source }) => source))
  if (long) yield
  out.optional(rows.map(({ quality }) => quality))
  if (long) yield
  out.numbers(rows.map(({ revision }) => revision))
  if (long) yield
  out.texts(rows.map(({ extra }) => extra))
  if (long) yield
  return yield* sealing(KIND.rows, out)
}

/** Throws DamagedColumns for anything but the unchanged bytes of `packRows`. */
export function unpackRows(chunk: Uint8Array): ChunkRow[] {
  const { length, columns } = opened(KIND.rows, chunk)
  const at = columns.numbers(length)
  const value = columns.numbers(length)
  const source = columns.texts(length)
  const quality = columns.optional(length)
  const revision = columns.numbers(length)
  const extra = columns.texts(length)
  columns.end()
  return at.map((atMs, row) => ({
    atMs,
    value: value[row] ?? 0,
    source: source[row] ?? '',
    quality: quality[row] ?? null,
    revision: revision[row] ?? 0,
    extra: extra[row] ?? null,
  }))
}

/** The instants of a bucket lie near its start and pack as what they are later. */
const INSTANTS = ['minAt', 'maxAt', 'firstAt', 'lastAt'] as const
const NUMBERS = ['n', 'sum', 'min', 'max', 'first', 'last', 'coveredMs', 'nDiff'] as const
const OPTIONAL = ['sumSq', 'sumVDt', 'sumSqDiff'] as const

export function packMinutes(minutes: readonly ChunkMinute[]): Uint8Array {
  const out = begun(minutes.length)
  out.numbers(minutes.map(({ startMs }) => startMs))
  for (const name of NUMBERS) out.numbers(minutes.map(({ bucket }) => bucket[name]))
  for (const name of INSTANTS) out.numbers(minutes.map(({ startMs, bucket }) => bucket[name] - startMs))
  for (const name of OPTIONAL) out.optional(minutes.map(({ bucket }) => bucket[name]))
  for (const { bucket } of minutes) out.blob(encodeBins(bucket.bins))
  return atOnce(sealing(KIND.minutes, out))
}

/** Throws DamagedColumns for anything but the unchanged bytes of `packMinutes`. */
export function unpackMinutes(chunk: Uint8Array): ChunkMinute[] {
  const { length, columns } = opened(KIND.minutes, chunk)
  const starts = columns.numbers(length)
  const numbers = NUMBERS.map(() => columns.numbers(length))
  const instants = INSTANTS.map(() => columns.numbers(length))
  const optional = OPTIONAL.map(() => columns.optional(length))
  const minutes = starts.map((startMs, row): ChunkMinute => {
    const [n, sum, min, max, first, last, coveredMs, nDiff] = numbers.map((column) => column[row] ?? 0)
    const [minAt, maxAt, firstAt, lastAt] = instants.map((column) => (column[row] ?? 0) + startMs)
    const [sumSq, sumVDt, sumSqDiff] = optional.map((column) => column[row] ?? null)
    return {
      startMs,
      bucket: {
        ...{ n: n ?? 0, sum: sum ?? 0, sumSq: sumSq ?? null },
        ...{ min: min ?? 0, minAt: minAt ?? 0, max: max ?? 0, maxAt: maxAt ?? 0 },
        ...{ first: first ?? 0, firstAt: firstAt ?? 0, last: last ?? 0, lastAt: lastAt ?? 0 },
        ...{
          coveredMs: coveredMs ?? 0,
          sumVDt: sumVDt ?? null,
          nDiff: nDiff ?? 0,
          sumSqDiff: sumSqDiff ?? null,
        },
        bins: binsOf(columns.blob()),
      },
    }
  })
  columns.end()
  return minutes
}

function binsOf(bytes: Uint8Array): Map<number, number> {
  try {
    return decodeBins(bytes)
  } catch {
    throw new DamagedColumns('a histogram ends early')
  }
}

function begun(length: number): ColumnWriter {
  if (length > CHUNK_ROWS) throw new RangeError(`${length} rows do not fit one chunk of ${CHUNK_ROWS}`)
  const out = createColumnWriter()
  out.count(length)
  return out
}

function atOnce<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Pieces of one stream: all but the last end on a whole byte without ending it. */
function* compressing(body: Uint8Array): Generator<void, Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let at = 0; at === 0 || at < body.length; at += PIECE_BYTES) {
    if (at > 0) yield
    const finishFlush = at + PIECE_BYTES < body.length ? constants.Z_SYNC_FLUSH : constants.Z_FINISH
    pieces.push(deflateRawSync(body.subarray(at, at + PIECE_BYTES), { level: LEVEL, finishFlush }))
  }
  return Buffer.concat(pieces)
}

function* sealing(kind: number, columns: ColumnWriter): Generator<void, Uint8Array> {
  const body = columns.bytes()
  const packed = yield* compressing(body)
  const chunk = new Uint8Array(HEAD_BYTES + packed.length)
  chunk[0] = kind
  new DataView(chunk.buffer).setUint32(1, crc32(body, kind), true)
  chunk.set(packed, HEAD_BYTES)
  return chunk
}

function opened(kind: number, chunk: Uint8Array): { length: number; columns: ColumnReader } {
  if (chunk.length < HEAD_BYTES || chunk[0] !== kind) throw new DamagedColumns('they are of another kind')
  const told = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength).getUint32(1, true)
  const body = inflated(chunk.subarray(HEAD_BYTES))
  if (crc32(body, kind) !== told) throw new DamagedColumns('the checksum is another')
  const columns = createColumnReader(body)
  return { length: columns.count(CHUNK_ROWS), columns }
}

function inflated(packed: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: MOST_BYTES })
  } catch (cause) {
    throw new DamagedColumns(cause instanceof Error ? cause.message : String(cause))
  }
}
