/** How V8 keeps the heap while the program loads itself, which leaves it with more garbage than it will make in a day at rest. */
import { setFlagsFromString } from 'node:v8'

/**
 * The young generation stays at its first size, and the old one grows in small steps: the pages that loading would take are
 * never given back. Answers the way to let both grow again as the load wants it.
 */
export function loadSparingly(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--optimize-for-size')
  return () => {
    setFlagsFromString('--no-optimize-for-size')
    setFlagsFromString('--semi-space-growth-factor=2')
  }
}
