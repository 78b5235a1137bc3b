/** Columns of numbers and texts as few bytes, every double bit-exact: what a reader gets is what was written, or an error. */

/** Bytes that no writer of ours wrote, or that changed since. */
export class DamagedColumns extends Error {
  constructor(why: string) {
    super(`Packed values are damaged: ${why}.`)
    this.name = 'DamagedColumns'
  }
}

/** Grows as it is written to. */
export interface ColumnWriter {
  /** One whole number from 0 to 2^53. */
  count(value: number): void
  numbers(values: readonly number[]): void
  /** Numbers of which some are missing. */
  optional(values: readonly (number | null)[]): void
  /** Well-formed texts, each distinct one once. */
  texts(values: readonly (string | null)[]): void
  blob(bytes: Uint8Array): void
  bytes(): Uint8Array
}

export interface ColumnReader {
  count(most: number): number
  numbers(length: number): number[]
  optional(length: number): (number | null)[]
  texts(length: number): (string | null)[]
  blob(): Uint8Array
  /** Throws when something follows. */
  end(): void
}

/** All the same; integers of 1/scale; or whatever bits they have. */
const SAME = 0
const SCALED = 1
const BITS = 2
const SCALES = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
/** Below this, sums and differences of three are exact. */
const WHOLE_BELOW = 2 ** 49
/** Beyond this share of values off the scale the bits are shorter. */
const EXCEPTIONS_SHARE = 1 / 8
const DOUBLE = 8
/** Values at which the prediction of a column is tried. */
const MOST_ASKED = 4096

export function createColumnWriter(): ColumnWriter {
  let bytes = new Uint8Array(256)
  let view = new DataView(bytes.buffer)
  let at = 0

  function room(more: number): void {
    if (at + more <= bytes.length) return
    const grown = new Uint8Array(Math.max(bytes.length * 2, at + more))
    grown.set(bytes)
    bytes = grown
    view = new DataView(bytes.buffer)
  }

  function count(value: number): void {
    room(8)
    let rest = value
    while (rest >= 0x80) {
      bytes[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    bytes[at++] = rest
  }

  function double(value: number): void {
    room(DOUBLE)
    view.setFloat64(at, value, true)
    at += DOUBLE
  }

  function blob(added: Uint8Array): void {
    count(added.length)
    room(added.length)
    bytes.set(added, at)
    at += added.length
  }

  function scaled(values: readonly number[], scale: number, exceptions: readonly number[]): void {
    count(SCALED)
    count(SCALES.indexOf(scale))
    count(exceptions.length)
    let before = 0
    for (const index of exceptions) {
      count(index - before)
      double(values[index] ?? 0)
      before = index
    }
    const isException = new Set(exceptions)
    const whole = new Array<number>(values.length)
    values.forEach((value, index) => {
      whole[index] = isException.has(index) ? (whole[index - 1] ?? 0) : Math.round(value * scale)
    })
    const order = bestOrder(whole)
    count(order)
    whole.forEach((value, index) => {
      count(zigzag(value - predicted(whole, index, order)))
    })
  }

  /** The first bytes of all, then the second ones: neighbours share theirs, which the compression behind this sees. */
  function bits(values: readonly number[]): void {
    count(BITS)
    room(values.length * DOUBLE)
    const from = at
    values.forEach((value, index) => {
      scratch.setFloat64(0, value)
      for (let plane = 0; plane < DOUBLE; plane++)
        bytes[from + plane * values.length + index] = scratch.getUint8(plane)
    })
    at = from + values.length * DOUBLE
  }

  function numbers(values: readonly number[]): void {
    const [first = 0] = values
    if (values.every((value) => Object.is(value, first))) {
      count(SAME)
      double(first)
      return
    }
    const best = bestScale(values)
    if (best === null) bits(values)
    else scaled(values, best.scale, best.exceptions)
  }

  return {
    count,
    numbers,
    optional(values) {
      numbers(values.map((value) => (value === null ? 0 : 1)))
      numbers(values.filter((value) => value !== null))
    },
    texts(values) {
      const places = new Map<string, number>()
      const column = values.map((text) => {
        if (text === null) return 0
        const known = places.get(text)
        if (known !== undefined) return known
        places.set(text, places.size + 1)
        return places.size
      })
      count(places.size)
      for (const text of places.keys()) blob(encoder.encode(text))
      numbers(column)
    },
    blob,
    bytes: () => bytes.subarray(0, at),
  }
}

export function createColumnReader(bytes: Uint8Array): ColumnReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  function take(): number {
    const first = bytes[at]
    if (first !== undefined && first < 0x80) {
      at += 1
      return first
    }
    let value = 0
    for (let scale = 1; scale <= 0x80 ** 7; scale *= 0x80) {
      const byte = bytes[at++]
      if (byte === undefined) throw new DamagedColumns('they end early')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new DamagedColumns('a number is too long')
  }

  function count(most: number): number {
    const value = take()
    if (value > most) throw new DamagedColumns(`${value} is more than ${most}`)
    return value
  }

  function requireBytes(length: number): void {
    if (length > bytes.length - at) throw new DamagedColumns('they end early')
  }

  function double(): number {
    requireBytes(DOUBLE)
    at += DOUBLE
    return view.getFloat64(at - DOUBLE, true)
  }

  function blob(): Uint8Array {
    const length = take()
    requireBytes(length)
    at += length
    return bytes.subarray(at - length, at)
  }

  function scaled(length: number): number[] {
    const scale = SCALES[count(SCALES.length - 1)] ?? 1
    const exceptions: [number, number][] = []
    let index = 0
    for (let left = count(length); left > 0; left--) {
      index += count(length)
      exceptions.push([index, double()])
    }
    if (index > length) throw new DamagedColumns('an exception lies outside')
    const order = count(2)
    requireBytes(length)
    const whole: number[] = []
    let [last, before] = [0, 0]
    for (let row = 0; row < length; row++) {
      // As `predicted` says, without asking the column for what is at hand.
      const expected = order === 0 || row === 0 ? 0 : order === 1 || row === 1 ? last : 2 * last - before
      before = last
      last = unzigzag(take()) + expected
      whole.push(last)
    }
    const values = scale === 1 ? whole : whole.map((value) => value / scale)
    for (const [row, value] of exceptions) values[row] = value
    return values
  }

  function bits(length: number): number[] {
    requireBytes(length * DOUBLE)
    const from = at
    at += length * DOUBLE
    return Array.from({ length }, (_, index) => {
      for (let plane = 0; plane < DOUBLE; plane++)
        scratch.setUint8(plane, bytes[from + plane * length + index] ?? 0)
      return scratch.getFloat64(0)
    })
  }

  function numbers(length: number): number[] {
    const way = count(BITS)
    if (way === SAME) return new Array<number>(length).fill(double())
    return way === SCALED ? scaled(length) : bits(length)
  }

  return {
    count,
    numbers,
    optional(length) {
      const present = numbers(length)
      const values = numbers(present.reduce((sum, one) => sum + (one === 1 ? 1 : 0), 0))
      let next = 0
      return present.map((one) => (one === 1 ? (values[next++] ?? 0) : null))
    },
    texts(length) {
      const known: string[] = []
      for (let left = count(length); left > 0; left--) known.push(textOf(blob()))
      return numbers(length).map((place) => {
        const text = place === 0 ? null : known[place - 1]
        if (text === undefined) throw new DamagedColumns('a text is missing')
        return text
      })
    },
    blob,
    end() {
      if (at !== bytes.length) throw new DamagedColumns('something follows their end')
    },
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const scratch = new DataView(new ArrayBuffer(DOUBLE))

/** The coarsest scale of which all values are whole multiples, else the one with fewest exceptions; null when there are too many. */
function bestScale(values: readonly number[]): { scale: number; exceptions: number[] } | null {
  let best: { scale: number; exceptions: number[] } | null = null
  let most = Math.floor(values.length * EXCEPTIONS_SHARE)
  for (const scale of SCALES) {
    const exceptions: number[] = []
    for (let index = 0; index < values.length && exceptions.length <= most; index++)
      if (!isWhole(values[index] ?? 0, scale)) exceptions.push(index)
    if (exceptions.length > most) continue
    best = { scale, exceptions }
    if (exceptions.length === 0) return best
    most = exceptions.length - 1
  }
  return best
}

function isWhole(value: number, scale: number): boolean {
  const whole = Math.round(value * scale)
  return Math.abs(whole) < WHOLE_BELOW && whole / scale === value && !Object.is(value, -0)
}

/** 0 predicts nothing, 1 the last value again, 2 that it goes on as before. */
function predicted(values: readonly number[], index: number, order: number): number {
  if (order === 0 || index === 0) return 0
  const last = values[index - 1] ?? 0
  return order === 1 || index === 1 ? last : 2 * last - (values[index - 2] ?? 0)
}

/** What surprises come to after compression: small ones cost a few bits, and each doubling one more. */
function bestOrder(values: readonly number[]): number {
  // Of a long column some thousand values say it as well, and the choice costs bytes only, never a value.
  const stride = Math.max(1, Math.floor(values.length / MOST_ASKED))
  const costs = [0, 1, 2].map((order) => {
    let cost = 0
    for (let index = 0; index < values.length; index += stride)
      cost += Math.log2(1 + zigzag((values[index] ?? 0) - predicted(values, index, order)))
    return cost
  })
  return costs.indexOf(Math.min(...costs))
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new DamagedColumns('a text is not UTF-8')
  }
}

function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
