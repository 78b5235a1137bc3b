/** Which addresses an ONVIF answer may send us to: the sender's own, or one inside the house. */
import { BlockList, isIP } from 'node:net'

/** Loopback is not among them: no camera is on this box, but the hub is. */
const inside = new BlockList()
inside.addSubnet('10.0.0.0', 8)
inside.addSubnet('172.16.0.0', 12)
inside.addSubnet('192.168.0.0', 16)
inside.addSubnet('169.254.0.0', 16)
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addSubnet('fe80::', 10, 'ipv6')

export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

/** `trusted` is the host that answered. Names are refused: who answers for a name can change. */
export function mayVisit(url: URL, trusted: string): boolean {
  const host = hostOf(url)
  if (host === trusted) return true
  const family = isIP(host)
  return family !== 0 && inside.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
