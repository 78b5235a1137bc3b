import { isIP } from 'node:net'

/** What of a request says where it came from, header names in lower case. */
export interface Provenance {
  method: string
  upgrade: boolean
  host: string | undefined
  origin: string | undefined
  secFetchSite: string | undefined
  /** Address this connection arrived at: what a request by address may name. */
  localAddress: string | undefined
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * The bare host of a Host header or an authority: lower case, no port, no brackets, no trailing dot, IPv4-mapped IPv6
 * unwrapped. Null when it is not one host.
 */
export function bareHost(authority: string | undefined): string | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@?#\s]+))(?::\d{1,5})?$/.exec(authority ?? '')
  const host = (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '')
  if (!host) return null
  return unmapped(host)
}

/**
 * Whether the hub answers to this Host. A page of a foreign site that points its own name at the hub's address (DNS
 * rebinding) arrives with that foreign name, so only names known to be ours pass. `own` holds bare hosts.
 */
export function hostIsOurs(
  host: string | undefined,
  own: ReadonlySet<string>,
  localAddress: string | undefined,
): boolean {
  const bare = bareHost(host)
  if (bare === null) return false
  if (bare === 'localhost' || own.has(bare)) return true
  if (isIP(bare) === 0) return false
  return isLoopback(bare) || (localAddress !== undefined && bare === unmapped(localAddress.toLowerCase()))
}

/** Whether a page of this hub, over whichever scheme and port, is behind a request. */
export function isOwnPage(
  origin: string | undefined,
  own: ReadonlySet<string>,
  localAddress: string | undefined,
): origin is string {
  const authority = /^https?:\/\/([^/]+)$/.exec(origin ?? '')?.[1]
  return authority !== undefined && hostIsOurs(authority, own, localAddress)
}

/** Whether an address is this machine talking to itself. */
export function isLoopback(address: string): boolean {
  const bare = unmapped(address)
  return bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

/** Whether the request's Origin is one that the owner allowed to call from another site. */
export function isAllowedOrigin(origin: string | undefined, allowed: readonly string[]): boolean {
  return origin !== undefined && allowed.includes(origin)
}

/**
 * Whether a page of another site is behind a request that changes something or opens a channel. Browsers send Origin or
 * Sec-Fetch-Site with those; a request with neither comes from a program, which no site can steer.
 */
export function isCrossSite(from: Provenance, allowed: readonly string[]): boolean {
  if (SAFE_METHODS.has(from.method) && !from.upgrade) return false
  if (from.origin !== undefined) return !isAllowedOrigin(from.origin, allowed) && !isSameOrigin(from)
  return from.secFetchSite === 'cross-site' || from.secFetchSite === 'same-site'
}

function isSameOrigin(from: Provenance): boolean {
  const match = /^https:\/\/(.+)$/.exec(from.origin ?? '')
  const named = match?.[1]?.toLowerCase()
  return named !== undefined && withPort(named) === withPort(from.host?.toLowerCase() ?? '')
}

function withPort(authority: string): string {
  const port = /:(\d{1,5})$/.exec(authority)?.[1] ?? '443'
  return `${bareHost(authority) ?? ''}:${port}`
}

function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
