/** Where the hub may go to fetch pictures: the house, not the hub itself, and the wide world only when the owner says so. */
import { BlockList, isIP } from 'node:net'
import { HubError } from '../../kernel/errors.ts'

export interface ReachDeps {
  /** Addresses of a name, as the machine resolves it; rejects when there are none. */
  lookup: (host: string) => Promise<readonly string[]>
  /** The machine's own addresses, and the ports that the hub listens on. */
  own: () => { addresses: readonly string[]; ports: readonly number[] }
  /** `cameras.allowPublic`. */
  allowPublic: boolean
}

export interface Reach {
  /** An address of this host that may be connected to. Throws NOT_FOUND (no such name) or FORBIDDEN (with the reason). */
  admit(url: string): Promise<string>
}

const DEFAULT_PORT: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'rtsp:': 554,
  'rtsps:': 322,
}

const PRIVATE = listOf(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['100.64.0.0', 10],
  ['::1', 128],
  ['fc00::', 7],
)
/** Link-local (where clouds keep their keys), unspecified, multicast, reserved. */
const NOBODY = listOf(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
)
const LOOPBACK = listOf(['127.0.0.0', 8], ['::1', 128])

/** Checks the address itself, not the name: whoever connects must connect to what `admit` answers. */
export function createReach({ lookup, own, allowPublic }: ReachDeps): Reach {
  function refusal(address: string, port: number): string | null {
    if (isIn(NOBODY, address)) return 'is no address of a camera'
    const { addresses, ports } = own()
    if (ports.includes(port) && (isIn(LOOPBACK, address) || addresses.includes(address)))
      return 'is this hub itself'
    if (allowPublic || isIn(PRIVATE, address)) return null
    return 'lies outside of this network. The owner can allow that: cameras.allowPublic'
  }

  return {
    async admit(url) {
      const { hostname, port, protocol } = new URL(url)
      const host = hostname.replace(/^\[|\]$/g, '')
      const found = isIP(host) > 0 ? [host] : await lookup(host).catch(() => [])
      if (found.length === 0) {
        throw new HubError(
          'NOT_FOUND',
          `No machine here is called ${host}. Check the name, or use its address.`,
        )
      }
      const portNumber = port === '' ? (DEFAULT_PORT[protocol] ?? 0) : Number(port)
      const reasons = found.map(bare).map((address) => ({ address, reason: refusal(address, portNumber) }))
      const admitted = reasons.find(({ reason }) => reason === null)
      if (admitted) return admitted.address
      throw new HubError('FORBIDDEN', `The hub does not go there: ${host} ${reasons[0]?.reason ?? ''}.`)
    },
  }
}

/** IPv4 written as IPv6 is IPv4 for whoever connects, so it is for the check. */
function bare(address: string): string {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (dotted !== undefined) return dotted
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address)
  if (!hex) return address
  const bits = Number.parseInt(hex[1] ?? '', 16) * 65_536 + Number.parseInt(hex[2] ?? '', 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

function listOf(...nets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  return list
}
