/** The names and addresses that the household CA may ever vouch for: its own home, nothing on the internet. */
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

export const DOMAINS = ['local', 'localhost', 'home.arpa'] as const

export const SUBNETS = [
  { address: '127.0.0.0', prefix: 8 },
  { address: '10.0.0.0', prefix: 8 },
  { address: '172.16.0.0', prefix: 12 },
  { address: '192.168.0.0', prefix: 16 },
  { address: '169.254.0.0', prefix: 16 },
  { address: '::1', prefix: 128 },
  { address: 'fe80::', prefix: 10 },
  { address: 'fc00::', prefix: 7 },
] as const

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/** Lower case without a trailing dot; null when the text is no host name. */
export function normalName(text: string): string | null {
  const name = text.trim().toLowerCase().replace(/\.$/, '')
  return HOST_NAME.test(name) && isIP(name) === 0 ? name : null
}

export function isLocalName(name: string): boolean {
  return DOMAINS.some((domain) => name === domain || name.endsWith(`.${domain}`))
}

export function isLocalAddress(address: string): boolean {
  const local = new BlockList()
  for (const net of SUBNETS) local.addSubnet(net.address, net.prefix, isIPv4(net.address) ? 'ipv4' : 'ipv6')
  return local.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** The one way to write an address; null when the text is none. A zone (`fe80::1%eth0`) is dropped: certificates have none. */
export function normalAddress(text: string): string | null {
  const address = text.trim().replace(/%.*$/, '')
  if (isIP(address) === 0) return null
  return new SocketAddress({ address, family: isIPv4(address) ? 'ipv4' : 'ipv6' }).address
}
