/** Readings as the API shows them, under ids that say which one is meant. */
import type { StoredObservation } from '../../domain/observation.ts'
import { iso } from '../../kernel/envelope.ts'
import type { NaturalKey, Store } from '../../store/store.ts'
import type { ReadingOut } from './bodies.ts'

export interface ReadingIds {
  view(reading: StoredObservation): ReadingOut
  /** What an id stands for; null when it is none of ours. */
  keyOf(id: string): NaturalKey | null
}

const PERSON = `SELECT key FROM person WHERE id = :id`
const DEVICE = `SELECT key FROM device WHERE id = :id`
const BY_KEYS = `SELECT person.id AS personId, device.id AS deviceId FROM person, device
  WHERE person.key = :person AND person.deleted_at IS NULL AND device.key = :device`
/** Keeps instants before 1970 positive. */
const SHIFT_MS = 1e14
const ID = /^g([0-9a-z]{1,10})-([0-9a-z]{1,10})-([0-9a-z]{1,10})$/
const KEPT = 1000

/** An id is the natural key in the store's own numbers: instant, person, device. */
export function createReadingIds(store: Pick<Store, 'get'>): ReadingIds {
  const keys = new Map<string, number>()

  function keyNumber(sql: string, id: string): number {
    const name = `${sql}\n${id}`
    const known = keys.get(name)
    if (known !== undefined) return known
    const key = store.get<{ key: number }>(sql, { id })?.key ?? 0
    if (keys.size >= KEPT) keys.clear()
    if (key > 0) keys.set(name, key)
    return key
  }

  return {
    view(reading) {
      const { personId, deviceId, atMs, value, source, revision, extra } = reading
      const numbers = [atMs + SHIFT_MS, keyNumber(PERSON, personId), keyNumber(DEVICE, deviceId)]
      const named = extra?.['device_id']
      return {
        id: `g${numbers.map((number) => number.toString(36)).join('-')}`,
        person_id: personId,
        timestamp: iso(atMs),
        value,
        unit: 'mg/dL',
        source,
        device_id: typeof named === 'string' ? named : null,
        device: deviceId,
        ...(extra?.censored === undefined ? {} : { censored: extra.censored }),
        revision,
      }
    },
    keyOf(id) {
      const match = ID.exec(id)
      if (!match) return null
      const [shiftedMs = 0, person = 0, device = 0] = match.slice(1).map((part) => Number.parseInt(part, 36))
      const known = store.get<{ personId: string; deviceId: string }>(BY_KEYS, { person, device })
      return known ? { ...known, metric: 'glucose', atMs: shiftedMs - SHIFT_MS } : null
    },
  }
}
