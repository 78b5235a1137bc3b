/** What the owner decided about devices of other firmware: taken as a device of the hub, or ignored. */
import type { SqlValue, Store, Write } from '../../store/store.ts'

export interface Decision {
  /** Null: ignored. */
  deviceId: string | null
  /** What its fields mean where that is not what they usually do. */
  metrics: Readonly<Record<string, string>>
}

export interface Decided {
  /** Undefined: nobody decided, or the device was removed since. */
  of(address: string): Decision | undefined
  /** The statement that takes `address` for a device. */
  take(address: string, deviceId: string, metrics: Readonly<Record<string, string>>): Write
  ignore(address: string): Promise<void>
  reload(): void
}

interface Row {
  address: string
  deviceId: string | null
  metrics: string
}

const SELECT = `SELECT foreign_device.address AS address, device.id AS deviceId, foreign_device.metrics AS metrics
  FROM foreign_device LEFT JOIN device ON device.key = foreign_device.device_key
  WHERE foreign_device.device_key IS NULL OR device.revoked_at IS NULL
  ORDER BY foreign_device.address`
const DECIDE = `INSERT INTO foreign_device (address, device_key, metrics)
  VALUES (:address, (SELECT key FROM device WHERE id = :deviceId), :metrics)
  ON CONFLICT (address) DO UPDATE SET device_key = excluded.device_key, metrics = excluded.metrics`

/** Kept in memory as the store has it, because every message asks. */
export function createDecided(store: Store): Decided {
  let decisions = new Map<string, Decision>()

  function reload(): void {
    decisions = new Map(
      store
        .all<Row>(SELECT)
        .map(({ address, deviceId, metrics }) => [address, { deviceId, metrics: JSON.parse(metrics) }]),
    )
  }

  const decide = (params: Record<string, SqlValue>): Write => ({ sql: DECIDE, params, expect: 1 })

  reload()
  return {
    of: (address) => decisions.get(address),
    take: (address, deviceId, metrics) => decide({ address, deviceId, metrics: JSON.stringify(metrics) }),
    async ignore(address) {
      await store.write([decide({ address, deviceId: null, metrics: '{}' })])
      reload()
    },
    reload,
  }
}
