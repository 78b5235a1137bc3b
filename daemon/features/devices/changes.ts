/** The statements that add, change, hand over and revoke devices. */
import type { DeviceType } from '../../domain/device.ts'
import type { SqlValue, Write } from '../../store/store.ts'
import type { KnownDevice } from './directory.ts'

export interface NewDevice {
  id: string
  name: string
  type: DeviceType
  timezone: string | null
  prefixes: readonly string[]
  rank: number
  /** Who wears it from now on. */
  personId: string | null
  serves: readonly string[]
}

const PERSON_KEY = '(SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL)'
const DEVICE_KEY = '(SELECT key FROM device WHERE id = :id)'

/** What is kept of a key; `apiSecret` is its SHA-1 form, for devices that may send that. */
export interface KeyHashes {
  key: Uint8Array
  apiSecret: Uint8Array | null
}

export function insertDevice(device: NewDevice, hashes: KeyHashes, nowMs: number): Write[] {
  const { id, name, type, timezone, rank } = device
  const { key: keyHash, apiSecret } = hashes
  const prefixes = JSON.stringify(device.prefixes)
  const params = { id, name, type, timezone, rank, keyHash, apiSecret, prefixes, nowMs }
  return [
    {
      sql: `INSERT INTO device (id, name, type, key_hash, api_secret_hash, prefixes, rank, timezone, created_at, paired_at)
            VALUES (:id, :name, :type, :keyHash, :apiSecret, :prefixes, :rank, :timezone, :nowMs, :nowMs)`,
      params,
      expect: 1,
    },
    // What a watch measured before it came here is its wearer's too.
    ...(device.personId === null ? [] : [wear(id, device.personId, 0)]),
    ...device.serves.map((personId) => serve(id, personId)),
  ]
}

export function updateDevice(device: KnownDevice): Write {
  const { id, name, rank, timezone } = device
  return {
    sql: `UPDATE device SET name = :name, rank = :rank, timezone = :timezone, prefixes = :prefixes
          WHERE id = :id AND revoked_at IS NULL`,
    params: { id, name, rank, timezone, prefixes: JSON.stringify(device.prefixes) },
    expect: 1,
  }
}

/** From `fromMs` on the device is worn by that person, or by nobody; what was known about later times is replaced. */
export function handOver(id: string, personId: string | null, fromMs: number): Write[] {
  const params: Record<string, SqlValue> = { id, fromMs }
  return [
    { sql: `DELETE FROM wearer WHERE device_key = ${DEVICE_KEY} AND from_at >= :fromMs`, params },
    {
      sql: `UPDATE wearer SET to_at = :fromMs
            WHERE device_key = ${DEVICE_KEY} AND (to_at IS NULL OR to_at > :fromMs)`,
      params,
    },
    ...(personId === null ? [] : [wear(id, personId, fromMs)]),
  ]
}

export function serveOnly(id: string, persons: readonly string[]): Write[] {
  return [
    { sql: `DELETE FROM served_person WHERE device_key = ${DEVICE_KEY}`, params: { id } },
    ...persons.map((personId) => serve(id, personId)),
  ]
}

/** The row stays, because values say which device they came from; its key is gone for good. */
export function revokeDevice(id: string, nowMs: number): Write[] {
  return [
    {
      sql: `UPDATE device SET revoked_at = :nowMs, key_hash = NULL, api_secret_hash = NULL, online = 0
            WHERE id = :id AND revoked_at IS NULL`,
      params: { id, nowMs },
      expect: 1,
    },
    {
      sql: `UPDATE wearer SET to_at = :nowMs WHERE device_key = ${DEVICE_KEY} AND to_at IS NULL AND from_at < :nowMs`,
      params: { id, nowMs },
    },
  ]
}

function wear(id: string, personId: string, fromMs: number): Write {
  return {
    sql: `INSERT INTO wearer (device_key, from_at, person_key) VALUES (${DEVICE_KEY}, :fromMs, ${PERSON_KEY})`,
    params: { id, personId, fromMs },
    expect: 1,
  }
}

function serve(id: string, personId: string): Write {
  return {
    sql: `INSERT INTO served_person (device_key, person_key) VALUES (${DEVICE_KEY}, ${PERSON_KEY})`,
    params: { id, personId },
    expect: 1,
  }
}
