import type { Store } from '../../store/store.ts'

/** Whose a device's samples are, as the household has it written down; nobody's where that person was removed. */
export interface Wearers {
  wearerAt(deviceId: string, atMs: number): string | null
  /** Whether the person wore the device then, or is one that it serves. */
  servesAt(deviceId: string, personId: string, atMs: number): boolean
  /** The person's time zone; null when there is no such person. */
  zoneOf(personId: string): string | null
}

const WEARER_AT = `SELECT person.id AS personId
  FROM device JOIN wearer ON wearer.device_key = device.key
    LEFT JOIN person ON person.key = wearer.person_key AND person.deleted_at IS NULL
  WHERE device.id = :deviceId AND wearer.from_at <= :atMs AND (wearer.to_at IS NULL OR :atMs < wearer.to_at)
  ORDER BY wearer.from_at DESC LIMIT 1`
const SERVED = `SELECT 1 AS served
  FROM device JOIN served_person ON served_person.device_key = device.key
  JOIN person ON person.key = served_person.person_key
  WHERE device.id = :deviceId AND person.id = :personId AND person.deleted_at IS NULL`
const ZONE = `SELECT timezone FROM person WHERE id = :personId AND deleted_at IS NULL`

export function createWearers(store: Pick<Store, 'get'>): Wearers {
  function wearerAt(deviceId: string, atMs: number): string | null {
    return store.get<{ personId: string | null }>(WEARER_AT, { deviceId, atMs })?.personId ?? null
  }
  return {
    wearerAt,
    servesAt: (deviceId, personId, atMs) =>
      wearerAt(deviceId, atMs) === personId || store.get(SERVED, { deviceId, personId }) !== undefined,
    zoneOf: (personId) => store.get<{ timezone: string }>(ZONE, { personId })?.timezone ?? null,
  }
}
