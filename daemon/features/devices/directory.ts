/** Every device in memory as the store has it: asked on each message, read again after each change. */
import type { DeviceType } from '../../domain/device.ts'
import type { Store } from '../../store/store.ts'

export interface Worn {
  fromMs: number
  /** Null: until now. */
  toMs: number | null
  /** Null when that person was removed. */
  personId: string | null
}

export interface KnownDevice {
  id: string
  name: string
  type: DeviceType
  /** SHA-256 of its key; null when it has none any more. */
  keyHash: Uint8Array | null
  /** Keyed hash of its key's SHA-1 form, which Nightscout's uploaders send; null when it has none. */
  apiSecretHash: Uint8Array | null
  prefixes: readonly string[]
  rank: number
  timezone: string | null
  createdAtMs: number
  pairedAtMs: number | null
  revokedAtMs: number | null
  /** As stored; presence knows newer. */
  lastSeenAtMs: number | null
  battery: number | null
  /** Ascending. */
  worn: readonly Worn[]
  /** Further persons it may name. */
  named: ReadonlySet<string>
}

export interface Directory {
  get(id: string): KnownDevice | undefined
  all(): KnownDevice[]
  wearerAt(id: string, atMs: number): string | null
  reload(): void
}

type Row = Omit<KnownDevice, 'prefixes' | 'worn' | 'named'> & { prefixes: string }

const SELECT = `SELECT id, name, type, key_hash AS keyHash, api_secret_hash AS apiSecretHash, prefixes, rank,
    timezone, created_at AS createdAtMs,
    paired_at AS pairedAtMs, revoked_at AS revokedAtMs, last_seen_at AS lastSeenAtMs, battery
  FROM device WHERE type <> 'hub' ORDER BY created_at, key`
const SELECT_WORN = `SELECT device.id AS deviceId, from_at AS fromMs, to_at AS toMs, person.id AS personId
  FROM wearer JOIN device ON device.key = wearer.device_key
    LEFT JOIN person ON person.key = wearer.person_key AND person.deleted_at IS NULL
  ORDER BY wearer.device_key, from_at`
const SELECT_SERVED = `SELECT device.id AS deviceId, person.id AS personId
  FROM served_person JOIN device ON device.key = served_person.device_key
    JOIN person ON person.key = served_person.person_key AND person.deleted_at IS NULL
  ORDER BY person.id`

export function createDirectory(store: Store): Directory {
  let devices = new Map<string, KnownDevice>()

  function reload(): void {
    const worn = grouped(store.all<Worn & { deviceId: string }>(SELECT_WORN))
    const named = grouped(store.all<{ deviceId: string; personId: string }>(SELECT_SERVED))
    devices = new Map(
      store.all<Row>(SELECT).map((row) => [
        row.id,
        {
          ...row,
          prefixes: JSON.parse(row.prefixes),
          worn: worn.get(row.id) ?? [],
          named: new Set(named.get(row.id)?.map(({ personId }) => personId)),
        },
      ]),
    )
  }

  reload()
  return {
    get: (id) => devices.get(id),
    all: () => [...devices.values()],
    wearerAt: (id, atMs) => devices.get(id)?.worn.findLast((row) => covers(row, atMs))?.personId ?? null,
    reload,
  }
}

function covers({ fromMs, toMs }: Worn, atMs: number): boolean {
  return fromMs <= atMs && (toMs === null || atMs < toMs)
}

function grouped<Row extends { deviceId: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.deviceId)
    if (group) group.push(row)
    else groups.set(row.deviceId, [row])
  }
  return groups
}
