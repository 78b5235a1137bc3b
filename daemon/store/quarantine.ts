import type { ErrorCode } from '../kernel/errors.ts'
import type { Store } from './store.ts'

/** A message that could not be taken, with the reason. `payload` may be cut; `payloadBytes` is what came. */
export interface QuarantineEntry {
  deviceId: string
  atMs: number
  topic: string
  code: ErrorCode
  reason: string
  payload: Uint8Array
  payloadBytes: number
}

/** A device with a bug sends the same thing for weeks: the newest entries are the ones worth reading. */
const KEPT_PER_DEVICE = 1000
/** A topic may be as long as a packet; its beginning says whose it is. */
const TOPIC_CHARACTERS = 512

const INSERT = `INSERT INTO quarantine (device_id, at, topic, code, reason, payload, payload_bytes)
  VALUES (:deviceId, :atMs, :topic, :code, :reason, :payload, :payloadBytes)`

const TRIM = `DELETE FROM quarantine WHERE device_id = :deviceId AND id <=
  (SELECT id FROM quarantine WHERE device_id = :deviceId ORDER BY id DESC LIMIT 1 OFFSET :kept)`

/** Keeps what was refused, the newest thousand of each device; resolves once it is on disk. */
export function createQuarantine(store: Pick<Store, 'write'>): (entry: QuarantineEntry) => Promise<void> {
  return async (entry) => {
    await store.write([
      { sql: INSERT, params: { ...entry, topic: entry.topic.slice(0, TOPIC_CHARACTERS) } },
      { sql: TRIM, params: { deviceId: entry.deviceId, kept: KEPT_PER_DEVICE } },
    ])
  }
}

const FORGOTTEN_AT_ONCE = 200
const FORGET = `DELETE FROM quarantine WHERE id IN
  (SELECT id FROM quarantine WHERE at < :beforeMs ORDER BY id LIMIT ${FORGOTTEN_AT_ONCE})`

/** Deletes what was set aside before an instant, a few entries at a time so that nothing waits behind it; answers how many. */
export async function forgetQuarantine(store: Pick<Store, 'write'>, beforeMs: number): Promise<number> {
  let gone = 0
  for (;;) {
    const [result] = await store.write([{ sql: FORGET, params: { beforeMs } }])
    const changes = result?.changes ?? 0
    gone += changes
    if (changes < FORGOTTEN_AT_ONCE) return gone
  }
}
