/** Devices that were heard through a gateway and that nobody has decided about: the newest, in memory only. */
import { createHash } from 'node:crypto'

/** What one message tells of a device. */
export interface Sighting {
  address: string
  /** Who heard it: the gateway's device id, or the name of a joined broker. */
  via: string
  atMs: number
  name: string | null
  metrics: readonly string[]
  /** dBm. */
  rssi: number | null
}

export interface FoundDevice extends Sighting {
  key: string
  firstAtMs: number
  messages: number
}

export interface Found {
  saw(sighting: Sighting): void
  /** Newest first. */
  list(): FoundDevice[]
  get(key: string): FoundDevice | undefined
  drop(address: string): void
  /** Devices that made room for newer ones. */
  readonly forgotten: number
}

const KEPT = 200
const METRICS_KEPT = 32
const KEY_CHARACTERS = 16

/** The name of a found device in paths: the same after a restart, whatever characters its address has. */
export function keyOf(address: string): string {
  return createHash('sha256').update(address).digest('hex').slice(0, KEY_CHARACTERS)
}

/** At `kept` devices the one silent longest makes room. */
export function createFound(kept = KEPT): Found {
  const byKey = new Map<string, FoundDevice>()
  let forgotten = 0

  return {
    saw(sighting) {
      const key = keyOf(sighting.address)
      const before = byKey.get(key)
      byKey.delete(key)
      byKey.set(key, {
        ...sighting,
        key,
        name: sighting.name ?? before?.name ?? null,
        rssi: sighting.rssi ?? before?.rssi ?? null,
        metrics: [...new Set([...(before?.metrics ?? []), ...sighting.metrics])].slice(0, METRICS_KEPT),
        firstAtMs: before?.firstAtMs ?? sighting.atMs,
        messages: (before?.messages ?? 0) + 1,
      })
      if (byKey.size <= kept) return
      byKey.delete(byKey.keys().next().value ?? '')
      forgotten++
    },
    list: () => [...byKey.values()].toReversed(),
    get: (key) => byKey.get(key),
    drop: (address) => void byKey.delete(keyOf(address)),
    get forgotten() {
      return forgotten
    },
  }
}
