/** Who is connected right now, and when each was last heard; written down once a minute, not with every beat. */
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'

export interface Presence {
  isOnline(deviceId: string): boolean
  /** Null: not since the hub started. */
  lastSeenMs(deviceId: string): number | null
  battery(deviceId: string): number | null
  /** True when this changed something. */
  set(deviceId: string, online: boolean, atMs: number): boolean
  seen(deviceId: string, atMs: number): void
  charge(deviceId: string, percent: number): void
  forget(deviceId: string): void
  start(): void
  /** Writes what is still unwritten. */
  stop(): Promise<void>
}

export interface PresenceDeps {
  store: Store
  clock: Clock
  log: Log
}

const FLUSH_EVERY_MS = 60_000
const UPDATE = `UPDATE device SET online = :online, last_seen_at = max(coalesce(last_seen_at, 0), :seenAtMs),
    battery = coalesce(:battery, battery)
  WHERE id = :id`

interface Entry {
  online: boolean
  seenAtMs: number
  battery: number | null
}

export function createPresence({ store, clock, log }: PresenceDeps): Presence {
  /** One entry a device that was heard since the start, so it is bounded by the devices there are. */
  const entries = new Map<string, Entry>()
  const unwritten = new Set<string>()
  let stopTimer = () => {}

  function note(id: string, change: Partial<Entry>): void {
    const known = entries.get(id) ?? { online: false, seenAtMs: 0, battery: null }
    const seenAtMs = Math.max(known.seenAtMs, change.seenAtMs ?? 0)
    entries.set(id, { ...known, ...change, seenAtMs })
    unwritten.add(id)
  }

  async function flush(): Promise<void> {
    const ids = [...unwritten]
    unwritten.clear()
    const writes = ids.flatMap((id) => {
      const entry = entries.get(id)
      return entry ? [{ sql: UPDATE, params: { id, ...entry, online: entry.online ? 1 : 0 } }] : []
    })
    if (writes.length === 0) return
    try {
      await store.write(writes)
    } catch (cause) {
      for (const id of ids) unwritten.add(id)
      log.warn({ devices: ids.length, cause: messageOf(cause) }, 'presence not written yet')
    }
  }

  return {
    isOnline: (id) => entries.get(id)?.online ?? false,
    lastSeenMs: (id) => entries.get(id)?.seenAtMs ?? null,
    battery: (id) => entries.get(id)?.battery ?? null,
    set(id, online, atMs) {
      const changed = (entries.get(id)?.online ?? false) !== online
      note(id, { online, seenAtMs: atMs })
      return changed
    },
    seen: (id, atMs) => note(id, { seenAtMs: atMs }),
    charge: (id, battery) => note(id, { battery }),
    forget(id) {
      entries.delete(id)
      unwritten.delete(id)
    },
    start() {
      stopTimer = clock.every(FLUSH_EVERY_MS, () => void flush())
    },
    stop() {
      stopTimer()
      for (const [id, entry] of entries) if (entry.online) note(id, { online: false })
      return flush()
    },
  }
}
