/** Whether the hub is in touch, in the three words that a person needs: live, starting, lost since. */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import type { SocketState } from '../net/socket.ts'

export type LinkState = { kind: 'starting' } | { kind: 'live' } | { kind: 'lost'; sinceMs: number }

export interface Link {
  state: ReadonlySignal<LinkState>
  socket(state: SocketState): void
  reachable(reachable: boolean): void
}

/** A reconnect within this time is nobody's business. */
const GRACE_MS = 2_500

export interface LinkDeps {
  nowMs: () => number
  later: (run: () => void, ms: number) => void
}

export function createLink({ nowMs, later }: LinkDeps): Link {
  const open = signal<boolean | null>(null)
  const answers = signal(true)
  const brokenAtMs = signal<number | null>(null)
  const shown = signal(false)

  return {
    state: computed(() => {
      if (brokenAtMs.value !== null && shown.value) return { kind: 'lost', sinceMs: brokenAtMs.value }
      return open.value === true || brokenAtMs.value !== null ? { kind: 'live' } : { kind: 'starting' }
    }),
    socket(state) {
      if (state.kind === 'idle') {
        open.value = null
        mend()
      } else if (state.kind === 'open') {
        open.value = true
        if (answers.peek()) mend()
      } else if (state.kind !== 'connecting') {
        open.value = false
        fault()
      }
    },
    reachable(reachable) {
      answers.value = reachable
      if (!reachable) fault()
      else if (open.peek() !== false) mend()
    },
  }

  function fault(): void {
    if (brokenAtMs.peek() !== null) return
    const mine = nowMs()
    brokenAtMs.value = mine
    later(() => {
      if (brokenAtMs.peek() === mine) shown.value = true
    }, GRACE_MS)
  }

  function mend(): void {
    brokenAtMs.value = null
    shown.value = false
  }
}
