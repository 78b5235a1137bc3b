import { readFileSync } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'

const READ_EVERY_MS = 1000

/** What the kernel counted as written by this thread, looked up at most once a second; null where it does not count. */
export function createDiskCount(clock: Pick<Clock, 'monotonic'>): () => number | null {
  let readMs = Number.NEGATIVE_INFINITY
  let bytes: number | null = null
  return () => {
    if (clock.monotonic() - readMs < READ_EVERY_MS) return bytes
    readMs = clock.monotonic()
    bytes = counted()
    return bytes
  }
}

function counted(): number | null {
  try {
    const found = /^wchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'latin1'))?.[1]
    return found === undefined ? null : Number(found)
  } catch {
    return null
  }
}
