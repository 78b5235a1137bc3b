/** Places where a test ends the program on purpose, to show that what it promises holds at exactly that line. */

export interface Failpoints {
  /** Passes, or ends the process (or throws, in tests) when this is the place and the turn. */
  hit(name: string): void
}

export const NO_FAILPOINTS: Failpoints = { hit: () => {} }

/**
 * From `name:nth`, as HF_FAILPOINT carries it in development and tests: the nth time (1 when left out) that place is passed, `end`
 * is called. Throws RangeError when the text is none.
 */
export function failpointsFrom(text: string | undefined, end: (name: string) => void): Failpoints {
  if (text === undefined || text === '') return NO_FAILPOINTS
  const parts = /^([a-z.-]+)(?::(\d{1,6}))?$/.exec(text)
  if (!parts?.[1]) throw new RangeError(`HF_FAILPOINT must look like name:2, not "${text}"`)
  const [, wanted, nth = '1'] = parts
  let left = Number(nth)
  return {
    hit(name) {
      if (name !== wanted) return
      left -= 1
      if (left === 0) end(name)
    },
  }
}
