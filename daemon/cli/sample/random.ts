/** Chance that comes out the same for the same seed and key, whatever else was drawn before. */
export interface Random {
  /** 0 to 1. */
  next(): number
  /** Of a normal distribution with mean 0 and deviation 1. */
  normal(): number
  between(low: number, high: number): number
  chance(share: number): boolean
}

/** mulberry32 on a hash (FNV-1a) of the seed and the key. */
export function createRandom(seed: number, key: string): Random {
  let state = hash(`${seed} ${key}`)
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    between: (low, high) => low + (high - low) * next(),
    chance: (share) => next() < share,
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}
