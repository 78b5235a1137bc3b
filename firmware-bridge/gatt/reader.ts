/** Walks over the little-endian fields of a characteristic value. */
export interface Reader {
  readonly left: number
  u8(): number
  u16(): number
  i16(): number
  u24(): number
  u32(): number
  /** IEEE 11073 16-bit float; null for NaN, NRes, the infinities and the reserved value. */
  sfloat(): number | null
  /** IEEE 11073 32-bit float; null for its five special values. */
  float(): number | null
  /** The 7-byte date-time as wall-clock text; null when year, month or day are marked unknown. */
  dateTime(): string | null
  skip(bytes: number): void
}

/** Thrown inside a decoder when a field is missing its bytes; `decodeGatt` turns it into the error value `truncated`. */
export class Truncated extends Error {}

/** Thrown inside a decoder when a field holds what its definition forbids; becomes the error value `range`. */
export class OutOfDefinition extends Error {}

const SFLOAT_SPECIALS: ReadonlySet<number> = new Set([0x07ff, 0x0800, 0x07fe, 0x0802, 0x0801])
const FLOAT_SPECIALS: ReadonlySet<number> = new Set([0x7fffff, 0x800000, 0x7ffffe, 0x800002, 0x800001])

export function createReader(bytes: Uint8Array): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (width: number): number => {
    if (at + width > bytes.byteLength)
      throw new Truncated(`${at + width} bytes needed, ${bytes.byteLength} there`)
    at += width
    return at - width
  }
  const u24 = () => {
    const from = take(3)
    return view.getUint16(from, true) + view.getUint8(from + 2) * 0x10000
  }
  return {
    get left() {
      return bytes.byteLength - at
    },
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    i16: () => view.getInt16(take(2), true),
    u24,
    u32: () => view.getUint32(take(4), true),
    sfloat: () => sfloat(view.getUint16(take(2), true)),
    float: () => {
      const mantissa = u24()
      return float(mantissa, view.getInt8(take(1)))
    },
    dateTime: () => dateTime(view, take(7)),
    skip: (width) => void take(width),
  }
}

function sfloat(bits: number): number | null {
  if (SFLOAT_SPECIALS.has(bits)) return null
  return scaled(signed(bits & 0x0fff, 12), signed(bits >> 12, 4))
}

function float(mantissa: number, exponent: number): number | null {
  return FLOAT_SPECIALS.has(mantissa) ? null : scaled(signed(mantissa, 24), exponent)
}

function signed(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value
}

/** Through decimal text, because 725 × 10^-1 must be 72.5 and not 72.50000000000001. */
function scaled(mantissa: number, exponent: number): number {
  return Number(`${mantissa}e${exponent}`)
}

function dateTime(view: DataView, at: number): string | null {
  const year = view.getUint16(at, true)
  const [month, day, hour, minute, second] = [2, 3, 4, 5, 6].map((field) => view.getUint8(at + field))
  if (year === 0 || month === 0 || day === 0) return null
  const two = (value: number | undefined) => String(value).padStart(2, '0')
  const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`
  const parsed = Date.parse(`${text}Z`)
  if (Number.isNaN(parsed) || new Date(parsed).toISOString().slice(0, 19) !== text) {
    throw new OutOfDefinition(`${text} is no date and time`)
  }
  return text
}
