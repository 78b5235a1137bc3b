import { readdirSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/** Behind the video decoders, whose pictures would be lost. */
const BEHIND = 10
const LOWEST = 19

/**
 * Puts the calling process behind whoever started it, so that models that never get enough hold up acknowledgements and answers
 * less. It counts within a session: where Linux shares processor time out by session, one beside that of whoever started it would
 * be its equal, and everything there that wakes up would wait for the models' turn to end. Where the system has no such
 * priorities, or refuses, nothing changes.
 */
export function standBack(): void {
  const priority = Math.min(LOWEST, getPriority() + BEHIND)
  try {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), priority)
  } catch {
    // Slower answers under full load are no reason not to look.
  }
}
