/** Who counts as one sender on the network, and how many connections one of them may hold. */
import { isIPv6 } from 'node:net'

const LOOPBACK = 'loopback'

/**
 * An IPv4 address, or the /64 of an IPv6 one, of which one host has every address; this machine is `loopback`, and so are its
 * programs on the control socket, which have no address.
 */
export function senderOf(remote: string | undefined): string {
  if (remote === undefined) return LOOPBACK
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

export interface SenderCount {
  /** Counts one more connection; the returned function counts it out again. Null when its sender holds as many as it may. */
  enter(remote: string): (() => void) | null
}

/** Counts standing connections of each sender against `max`; this machine itself is not limited. */
export function createSenderCount(max: number): SenderCount {
  const standing = new Map<string, number>()
  return {
    enter(remote) {
      const sender = senderOf(remote)
      const held = standing.get(sender) ?? 0
      if (sender !== LOOPBACK && held >= max) return null
      standing.set(sender, held + 1)
      return () => {
        const left = (standing.get(sender) ?? 1) - 1
        if (left > 0) standing.set(sender, left)
        else standing.delete(sender)
      }
    },
  }
}
