import type { Emit, Skipped } from './record.ts'

/** Counts what is left out by kind, so that a file with a million records of a kind nobody keeps lists it once. */
export interface Tally {
  add(where: string, reason: string): void
  entries(): Skipped[]
  report(emit: Emit): void
}

const MAX_KINDS = 512

export function createTally(): Tally {
  const counts = new Map<string, { where: string; reason: string; count: number }>()
  return {
    add(where, reason) {
      const full = counts.size >= MAX_KINDS
      const short = where.slice(0, 128)
      const key =
        full && !counts.has(`${short}\n${reason}`) ? `further kinds\n${reason}` : `${short}\n${reason}`
      const known = counts.get(key)
      if (known) known.count++
      else counts.set(key, { where: key.slice(0, key.indexOf('\n')), reason, count: 1 })
    },
    entries: () => [...counts.values()].map((entry) => ({ kind: 'skipped', ...entry })),
    report(emit) {
      for (const entry of counts.values()) emit({ kind: 'skipped', ...entry })
    },
  }
}
