/** How many connections may stand, in all, from one address, and before they have said who they are. */
import type { Duplex } from 'node:stream'
import { createSenderCount } from '../kernel/sender.ts'

export interface Doorkeeper {
  /** Counts a connection until it closes; false when it must be turned away. Asking again for a known one is free. */
  admit(stream: Duplex, remote: string): boolean
  /** The client behind the connection has shown its key. */
  known(stream: Duplex): void
  readonly open: number
}

export interface DoorkeeperDeps {
  maxConnections: number
  /** From one address; one network of IPv6 (/64) counts as one. This machine itself is not limited. */
  maxPerAddress: number
  /** Connections without a CONNACK; beyond it the oldest of them is ended, so that a flood keeps nobody out. */
  maxHalfOpen: number
  onHalfOpenEnded(): void
}

export function createDoorkeeper(deps: DoorkeeperDeps): Doorkeeper {
  const open = new Set<Duplex>()
  const halfOpen = new Set<Duplex>()
  const senders = createSenderCount(deps.maxPerAddress)

  function enter(stream: Duplex, leave: () => void): void {
    open.add(stream)
    halfOpen.add(stream)
    stream.once('close', () => {
      open.delete(stream)
      halfOpen.delete(stream)
      leave()
    })
    const [oldest] = halfOpen
    if (halfOpen.size <= deps.maxHalfOpen || !oldest) return
    halfOpen.delete(oldest)
    deps.onHalfOpenEnded()
    oldest.destroy()
  }

  return {
    admit(stream, remote) {
      if (open.has(stream)) return true
      if (open.size >= deps.maxConnections) return false
      const leave = senders.enter(remote)
      if (leave) enter(stream, leave)
      return leave !== null
    },
    known: (stream) => void halfOpen.delete(stream),
    get open() {
      return open.size
    },
  }
}
