/** One message to a push service: only to hosts of the browsers' makers, only to public addresses, never redirected. */
import { request } from 'node:https'
import { BlockList, isIP } from 'node:net'

/** Chrome and most Android browsers, Firefox, Edge, Safari. Longer than any address that they give out is refused. */
export const PUSH_ENDPOINT =
  '^https://(fcm\\.googleapis\\.com|([a-z0-9-]+\\.)*push\\.services\\.mozilla\\.com|([a-z0-9-]+\\.)+notify\\.windows\\.com|([a-z0-9-]+\\.)*push\\.apple\\.com)/[!-~]{1,1000}$'

export interface PushMessage {
  endpoint: string
  headers: Readonly<Record<string, string | number>>
  body: Uint8Array
}

/** What the service said; rejects when it did not say anything. */
export type PushPost = (message: PushMessage) => Promise<{ status: number; retryAfterS: number | null }>

export interface PushPostDeps {
  /** Addresses of a name; rejects when there are none. */
  lookup: (host: string) => Promise<readonly string[]>
  now: () => number
  isPublic?: (address: string) => boolean
  /** Authorities beside those that Node knows. */
  ca?: string
  port?: number
}

const PATIENCE_MS = 10_000
const HTTPS_PORT = 443
const ENDPOINT = new RegExp(PUSH_ENDPOINT)

/**
 * The address that was checked is the one that is connected to, so a name that resolves into the house reaches nothing there;
 * the certificate must be the service's own.
 */
export function createPushPost(deps: PushPostDeps): PushPost {
  const { lookup, now, isPublic = isPublicAddress, port = HTTPS_PORT, ca } = deps
  return async ({ endpoint, headers, body }) => {
    if (!ENDPOINT.test(endpoint)) throw new Error('the address is of no push service')
    const { hostname, pathname, search } = new URL(endpoint)
    const found = await lookup(hostname)
    const address = found.find(isPublic)
    if (address === undefined) throw new Error(`${hostname} has no public address here`)
    return new Promise((resolve, reject) => {
      const asked = request({
        ...{
          host: address,
          servername: hostname,
          port,
          path: pathname + search,
          method: 'POST',
          agent: false,
        },
        headers: { ...headers, host: hostname },
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(ca !== undefined && { ca }),
      })
      asked.on('error', () => reject(new Error('the push service was not reached')))
      asked.on('response', (answer) => {
        const { statusCode: status = 0, headers: said } = answer
        // Nothing of the body counts.
        answer.destroy()
        resolve({ status, retryAfterS: secondsIn(said['retry-after'], now()) })
      })
      asked.end(body)
    })
  }
}

/** Seconds, or an HTTP date. */
function secondsIn(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null
}

/** IANA's special-purpose registries: nothing of a house, of this machine or of a carrier's inside. */
const INSIDE = listOf([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
])
/** Of IPv6 only what is routed in the world: 2000::/3 without tunnels, which hide another address. */
const GLOBAL_V6 = listOf([['2000::', 3]])
const TUNNELS = listOf([
  ['2001::', 23],
  ['2002::', 16],
])

export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !INSIDE.check(address, 'ipv4')
  return family === 6 && GLOBAL_V6.check(address, 'ipv6') && !TUNNELS.check(address, 'ipv6')
}

function listOf(nets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  return list
}
