/** How many connections may stand, in all, from one address, and before they have said who they are. */
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'

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
  const open = new Map<Duplex, string>()
  const halfOpen = new Set<Duplex>()
  const perAddress = new Map<string, number>()

  function leave(stream: Duplex, address: string): void {
    open.delete(stream)
    halfOpen.delete(stream)
    const left = (perAddress.get(address) ?? 1) - 1
    if (left > 0) perAddress.set(address, left)
    else perAddress.delete(address)
  }

  function enter(stream: Duplex, address: string): void {
    open.set(stream, address)
    halfOpen.add(stream)
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1)
    stream.once('close', () => leave(stream, address))
    const [oldest] = halfOpen
    if (halfOpen.size <= deps.maxHalfOpen || !oldest) return
    halfOpen.delete(oldest)
    deps.onHalfOpenEnded()
    oldest.destroy()
  }

  return {
    admit(stream, remote) {
      if (open.has(stream)) return true
      const address = networkOf(remote)
      const full =
        open.size >= deps.maxConnections ||
        (address !== LOOPBACK && (perAddress.get(address) ?? 0) >= deps.maxPerAddress)
      if (full) return false
      enter(stream, address)
      return true
    },
    known: (stream) => void halfOpen.delete(stream),
    get open() {
      return open.size
    },
  }
}

const LOOPBACK = 'loopback'

/** What counts as one sender: an IPv4 address, or the /64 of an IPv6 one. */
export function networkOf(remote: string): string {
  const bare = remote.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (bare === '::1' || bare.startsWith('127.')) return LOOPBACK
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
