/** Bits of an H.264 or H.265 header, most significant first, with emulation prevention bytes taken out. Reading past the end gives zeros. */
export interface Bits {
  take(count: number): number
  skip(count: number): void
  /** Exp-Golomb code of H.264 section 9.1. */
  unsigned(): number
  signed(): number
  /** Whether more was read than there is. */
  exhausted(): boolean
}

/** No header that we read is longer; what follows it in a slice is not looked at. */
const MAX_BYTES = 1024

export function bitsOf(nal: Uint8Array): Bits {
  const bytes = withoutEmulation(nal.subarray(0, MAX_BYTES))
  let at = 0
  const bit = (): number => {
    const value = ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1
    at++
    return value
  }
  const take = (count: number): number => {
    let value = 0
    for (let index = 0; index < count; index++) value = value * 2 + bit()
    return value
  }
  const unsigned = (): number => {
    let zeros = 0
    while (zeros < 32 && bit() === 0) zeros++
    return 2 ** zeros - 1 + take(zeros)
  }
  return {
    take,
    skip(count) {
      at += count
    },
    unsigned,
    signed() {
      const code = unsigned()
      return code % 2 === 0 ? -code / 2 : (code + 1) / 2
    },
    exhausted: () => at > bytes.length * 8,
  }
}

function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length)
  let length = 0
  let zeros = 0
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0
      continue
    }
    zeros = byte === 0 ? zeros + 1 : 0
    out[length++] = byte
  }
  return out.subarray(0, length)
}
