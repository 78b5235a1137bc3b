/** Columns of whole numbers as few bytes: predicted from the ones before, the surprise zigzagged into variable-length bytes. */

/** A column predicts either the last value again or that it goes on as before; it is written whichever way is shorter. */
const HOLDS = 0
const GOES_ON = 1

export class DamagedChunk extends Error {
  constructor(why: string) {
    super(`A stored stretch of movement is damaged: ${why}.`)
    this.name = 'DamagedChunk'
  }
}

/** Grows as it is written to. */
export interface ColumnWriter {
  /** One number of its own, not negative. */
  count(value: number): void
  /** A column; its length is for the reader to know. Values lie within ±2^30. */
  column(values: readonly number[]): void
  bytes(): Uint8Array
}

export function createColumnWriter(): ColumnWriter {
  const out: number[] = []
  const put = (value: number): void => {
    let rest = value
    while (rest >= 0x80) {
      out.push((rest & 0x7f) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    out.push(rest)
  }
  return {
    count: put,
    column(values) {
      const held = surprises(values, HOLDS)
      const gone = surprises(values, GOES_ON)
      const goesOn = bytesOf(gone) < bytesOf(held)
      put(goesOn ? GOES_ON : HOLDS)
      for (const value of goesOn ? gone : held) put(value)
    },
    bytes: () => Uint8Array.from(out),
  }
}

export interface ColumnReader {
  count(most: number): number
  column(length: number): number[]
  end(): void
}

/** Throws DamagedChunk for bytes that no writer wrote. */
export function createColumnReader(bytes: Uint8Array): ColumnReader {
  let at = 0
  const take = (): number => {
    let value = 0
    for (let scale = 1; scale <= 0x80 ** 4; scale *= 0x80) {
      const byte = bytes[at++]
      if (byte === undefined) throw new DamagedChunk('it ends early')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new DamagedChunk('a number is too long')
  }
  return {
    count(most) {
      const value = take()
      if (value > most) throw new DamagedChunk(`${value} is more than ${most}`)
      return value
    },
    column(length) {
      const way = take()
      const values: number[] = []
      for (let index = 0; index < length; index++) {
        const surprise = take()
        values.push(predicted(values, index, way) + (surprise % 2 === 0 ? surprise / 2 : -(surprise + 1) / 2))
      }
      return values
    },
    end() {
      if (at !== bytes.length) throw new DamagedChunk('something follows its end')
    },
  }
}

function predicted(values: readonly number[], index: number, way: number): number {
  const last = values[index - 1] ?? 0
  if (way === HOLDS || index < 2) return last
  return 2 * last - (values[index - 2] ?? 0)
}

function surprises(values: readonly number[], way: number): number[] {
  return values.map((value, index) => {
    const surprise = value - predicted(values, index, way)
    return surprise >= 0 ? 2 * surprise : -2 * surprise - 1
  })
}

/** What the surprises come to after compression: small ones cost a few bits, and each doubling one more. */
function bytesOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + Math.log2(1 + value), 0)
}
