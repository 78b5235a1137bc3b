/** Reads the bit fields of an H.264 or HEVC parameter set, without its emulation prevention bytes. */
export interface Bits {
  take(count: number): number
  skip(count: number): void
  flag(): boolean
  /** Exp-Golomb, unsigned. */
  ue(): number
  se(): number
}

const MAX_EXP_GOLOMB_ZEROS = 31

/** Reading past the end throws a RangeError. */
export function createBits(nal: Uint8Array): Bits {
  const bytes = withoutEmulationPrevention(nal)
  let at = 0
  const bits: Bits = {
    take(count) {
      if (at + count > bytes.length * 8) throw new RangeError('the parameter set ends early')
      let value = 0
      for (let i = 0; i < count; i++, at++)
        value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
      return value
    },
    skip(count) {
      at += count
    },
    flag: () => bits.take(1) === 1,
    ue() {
      let zeros = 0
      while (!bits.flag()) {
        if (++zeros > MAX_EXP_GOLOMB_ZEROS) throw new RangeError('a number is too long')
      }
      return 2 ** zeros - 1 + bits.take(zeros)
    },
    se() {
      const value = bits.ue()
      return value % 2 === 1 ? (value + 1) / 2 : -value / 2
    },
  }
  return bits
}

function withoutEmulationPrevention(nal: Uint8Array): number[] {
  const bytes: number[] = []
  for (let i = 0; i < nal.length; i++) {
    if (nal[i] === 3 && nal[i - 1] === 0 && nal[i - 2] === 0) continue
    bytes.push(nal[i] ?? 0)
  }
  return bytes
}
