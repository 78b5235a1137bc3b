/** Takes recordings away when their time is over: sooner where minors may be seen in them. */
import type { Store } from '../../store/store.ts'
import type { Files, StoredFile } from './files.ts'

export interface ExpiryDeps {
  store: Pick<Store, 'all'>
  files: Pick<Files, 'get' | 'remove'>
  now: () => number
  /** Whole years at a moment; null: unknown. */
  ageAt: (personId: string, atMs: number) => number | null
  /** Days that recordings are kept. */
  keptDays?: KeptDays
}

export interface KeptDays {
  minors: number
  others: number
}

export const KEPT_DAYS: KeptDays = { minors: 14, others: 90 }
const DAY_MS = 86_400_000
const ADULT_AGE = 18
/** What somebody sent is theirs to remove: only what the hub recorded goes by itself. */
const RECORDED = `SELECT a.id, a.session_key AS sessionKey, coalesce(a.from_at, a.created_at) AS fromAtMs,
    coalesce(a.to_at, a.created_at) AS toAtMs, json_extract(s.asked, '$.recordMinors') AS recordMinors,
    (SELECT json_group_array(person.id) FROM session_player p JOIN person ON person.key = p.person_key
      WHERE p.session_key = s.key) AS players
  FROM session_attachment a JOIN session s ON s.key = a.session_key
  WHERE a.camera IS NOT NULL AND coalesce(a.to_at, a.created_at) <= :beforeMs ORDER BY toAtMs, a.id`

interface Recorded extends Pick<StoredFile, 'id' | 'sessionKey'> {
  fromAtMs: number
  toAtMs: number
  recordMinors: number | null
  players: string
}

/** Removes what is over; answers how many files and bytes went. */
export async function expireRecordings(
  { store, files, now, ageAt, keptDays = KEPT_DAYS }: ExpiryDeps,
  signal: AbortSignal,
): Promise<{ files: number; bytes: number }> {
  const gone = { files: 0, bytes: 0 }
  const soonest = Math.min(keptDays.minors, keptDays.others)
  for (const one of store.all<Recorded>(RECORDED, { beforeMs: now() - soonest * DAY_MS })) {
    if (signal.aborted) break
    const days = showsMinors(one, ageAt) ? keptDays.minors : keptDays.others
    const file = one.toAtMs <= now() - days * DAY_MS ? files.get(one.sessionKey, one.id) : null
    if (!file) continue
    await files.remove(file)
    gone.files += 1
    gone.bytes += file.bytes
  }
  return gone
}

/** Recorded with leave for minors, or of somebody who is not known to have been grown up. */
function showsMinors({ recordMinors, players, fromAtMs }: Recorded, ageAt: ExpiryDeps['ageAt']): boolean {
  // The hub itself made this list.
  const personIds = JSON.parse(players) as string[]
  if (recordMinors === 1 || personIds.length === 0) return true
  return personIds.some((personId) => (ageAt(personId, fromAtMs) ?? 0) < ADULT_AGE)
}
