import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/** As far as video decoders are put back. */
const BEHIND = 5
const LOWEST = 19

/**
 * Puts the calling thread behind the rest of its process, so that models that never get enough leave acknowledgements and answers
 * where they were. Linux gives each thread a priority of its own; elsewhere, and where it is refused, nothing changes.
 */
export function standBack(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    if (Number.isInteger(thread)) setPriority(thread, Math.min(LOWEST, getPriority() + BEHIND))
  } catch {
    // Slower answers under full load are no reason not to look.
  }
}
