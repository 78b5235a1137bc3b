import type { Clock } from '../kernel/clock.ts'

/** Pauses that end early when the broker stops. */
export interface Waits {
  /** True after `ms`, false at once when the broker is stopping. */
  wait(ms: number): Promise<boolean>
  /** Ends every pause now and all later ones at once. */
  end(): void
}

export function createWaits(clock: Clock): Waits {
  const waking = new Set<() => void>()
  let ended = false
  return {
    wait(ms) {
      if (ended) return Promise.resolve(false)
      return new Promise((resolve) => {
        const finish = (whole: boolean) => {
          waking.delete(wake)
          resolve(whole)
        }
        const cancel = clock.after(ms, () => finish(true))
        const wake = () => {
          cancel()
          finish(false)
        }
        waking.add(wake)
      })
    },
    end() {
      ended = true
      for (const wake of [...waking]) wake()
    },
  }
}
