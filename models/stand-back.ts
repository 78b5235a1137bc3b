import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/**
 * Behind the video decoders, whose pictures would be lost. Further back measures better still (where two cores are busy with other
 * things, acknowledgements waited four times as long beside models at 5 as beside models at 19), but there the models would stand still.
 */
const BEHIND = 10
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
