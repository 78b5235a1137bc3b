/** How many pictures a second were shown lately. */
export interface Rate {
  count(atMs: number): void
  /** Null until two pictures came within the window. */
  perSecond(nowMs: number): number | null
}

const WINDOW_MS = 3_000

export function createRate(): Rate {
  let times: number[] = []
  return {
    count(atMs) {
      times = [...times.filter((one) => one > atMs - WINDOW_MS), atMs]
    },
    perSecond(nowMs) {
      const lately = times.filter((one) => one > nowMs - WINDOW_MS)
      const [first] = lately
      const last = lately.at(-1)
      if (first === undefined || last === undefined || last <= first) return null
      return ((lately.length - 1) * 1000) / (last - first)
    },
  }
}
