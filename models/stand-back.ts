import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/** Behind the video decoders, whose pictures would be lost. Counts among processes that the system does not group by session. */
const BEHIND = 10
const LOWEST = 19
/**
 * Linux shares processor time out to sessions first and to the threads of each only then, so models beside the hub's own threads
 * spend the hub's share however low their priority is. This is the place of a session of their own among the others: two thirds
 * of a usual one. At a third, models stood almost still where other programs were busy as well.
 */
const SESSION_BEHIND = 2

/** Places of the session in proc(5)'s stat, counted after the name of the program. */
const SESSION_AT = 3

/**
 * Puts the calling process behind whoever started it, so that models that never get enough hold up acknowledgements and answers
 * less. It should lead a session of its own. Where the system has no such priorities, or refuses, nothing changes.
 */
export function standBack(): void {
  const priority = Math.min(LOWEST, getPriority() + BEHIND)
  attempt(() => {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), priority)
  })
  attempt(() => {
    if (leadsItsSession()) writeFileSync('/proc/self/autogroup', `${SESSION_BEHIND}`)
  })
}

function leadsItsSession(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[SESSION_AT]) === process.pid
}

function attempt(change: () => void): void {
  try {
    change()
  } catch {
    // Slower answers under full load are no reason not to look.
  }
}
