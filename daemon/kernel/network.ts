import { hostname, networkInterfaces } from 'node:os'

/** What others on the network may call this machine. */
export interface NetworkIdentity {
  names: string[]
  /** IPv4 first; link-local IPv6 last, with its zone. */
  addresses: string[]
  /** Addresses and names that reach this machine from elsewhere on the network, best first. */
  reachable: string[]
}

/** Reads the machine's names and addresses as they are now; `more` are names from the settings. */
export function networkIdentity(more: readonly string[]): NetworkIdentity {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const rank = ({ family, address }: { family: string; address: string }) =>
    family === 'IPv4' ? 0 : address.startsWith('fe80') ? 2 : 1
  const sorted = [...found].sort((a, b) => rank(a) - rank(b))
  const machine = hostname().toLowerCase()
  const dotLocal = `${machine.split('.')[0] ?? machine}.local`
  const names = [...new Set(['localhost', machine, dotLocal, 'homefield.local', ...more])]
  const outside = sorted.filter((one) => !one.internal && rank(one) < 2).map(({ address }) => address)
  return {
    names,
    addresses: [...new Set(sorted.map(({ address }) => address))],
    reachable: [...outside.filter((address) => !address.includes(':')), dotLocal, ...more],
  }
}
