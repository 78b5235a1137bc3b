/** The rows of a running session: tracks, paths, tags and gaps. */
import { addGaits, emptyGait, type GaitSummary } from '../../../models/vision/kpi/gait.ts'
import type { KpiReason } from '../../domain/kpi.ts'
import { planPath } from '../../store/session-paths.ts'
import type { Store, Write } from '../../store/store.ts'
import type { LiveTrack } from './track.ts'

export interface StoredTrack {
  cameraId: string
  trackId: number
  personId: string | null
  firstAtMs: number
  lastAtMs: number
  gait: GaitSummary
  reasons: Partial<Record<KpiReason, number>>
}

export interface SessionLog {
  /** Statements that store what a track has gathered since the last time, and its last row once they are on the disk. */
  planTrack(sessionKey: number, track: LiveTrack): { writes: Write[]; stored: LiveTrack['stored'] }
  tracks(sessionKey: number): StoredTrack[]
  planAssign(sessionKey: number, track: { cameraId: string; trackId: number }, personId: string | null): Write
  countTags(sessionKey: number): number
  planTag(
    sessionKey: number,
    tag: { id: string; atMs: number; label: string; personId: string | null; createdBy: string | null },
  ): Write
  planGap(
    sessionKey: number,
    gap: { fromMs: number; toMs: number; reason: string; cameraId: string | null },
  ): Write
}

const PUT_TRACK = `INSERT INTO session_track (session_key, camera, track, person_key, first_at, last_at, gait)
  VALUES (:sessionKey, :camera, :track, (SELECT key FROM person WHERE id = :personId), :firstAtMs, :lastAtMs, :gait)
  ON CONFLICT (session_key, camera, track) DO UPDATE SET last_at = :lastAtMs, gait = :gait`
const TRACKS = `SELECT camera AS cameraId, track AS trackId, person.id AS personId, first_at AS firstAtMs, last_at AS lastAtMs, gait
  FROM session_track LEFT JOIN person ON person.key = person_key AND person.deleted_at IS NULL
  WHERE session_key = :sessionKey ORDER BY first_at, camera, track`

const COUNT_TAGS = 'SELECT count(*) AS count FROM session_tag WHERE session_key = :sessionKey'

export function createSessionLog({ store }: { store: Pick<Store, 'all'> }): SessionLog {
  return {
    countTags: (sessionKey) => store.all<{ count: number }>(COUNT_TAGS, { sessionKey })[0]?.count ?? 0,
    planTrack(sessionKey, track) {
      const { cameraId: camera, trackId, personId, firstAtMs, lastAtMs, reasons } = track
      const gait = JSON.stringify({ ...track.gait.summary(), reasons })
      const params = { sessionKey, camera, track: trackId, personId, firstAtMs, lastAtMs, gait }
      const path = planPath({ sessionKey, camera, track: trackId }, track.waiting, track.stored)
      return { writes: [{ sql: PUT_TRACK, params }, ...path.writes], stored: path.stored }
    },
    tracks: (sessionKey) =>
      store
        .all<Omit<StoredTrack, 'gait' | 'reasons'> & { gait: string }>(TRACKS, { sessionKey })
        .map((row) => {
          // The hub itself wrote this column.
          const { reasons = {}, ...gait } = JSON.parse(row.gait) as GaitSummary & Pick<StoredTrack, 'reasons'>
          return { ...row, gait: { ...emptyGait(), ...gait }, reasons }
        }),
    planAssign: (sessionKey, { cameraId, trackId }, personId) => ({
      sql: `UPDATE session_track SET person_key = (SELECT key FROM person WHERE id = :personId)
            WHERE session_key = :sessionKey AND camera = :cameraId AND track = :trackId`,
      params: { sessionKey, cameraId, trackId, personId },
      expect: 1,
    }),
    planTag: (sessionKey, tag) => ({
      sql: `INSERT INTO session_tag (id, session_key, at, label, person_key, created_by)
            VALUES (:id, :sessionKey, :atMs, :label, (SELECT key FROM person WHERE id = :personId), :createdBy)`,
      params: { sessionKey, ...tag },
      expect: 1,
    }),
    planGap: (sessionKey, { fromMs, toMs, reason, cameraId }) => ({
      sql: `INSERT INTO session_gap (session_key, from_at, to_at, reason, camera)
            VALUES (:sessionKey, :fromMs, :toMs, :reason, :cameraId)`,
      params: { sessionKey, fromMs, toMs, reason, cameraId },
    }),
  }
}

/** What the tracks of one player add up to, with the reason that was met most often. */
export function summed(tracks: readonly Pick<StoredTrack, 'gait' | 'reasons'>[]): {
  gait: GaitSummary
  reason: KpiReason | null
} {
  const counts = new Map<KpiReason, number>()
  for (const { reasons } of tracks)
    for (const [reason, count] of Object.entries(reasons) as [KpiReason, number][])
      counts.set(reason, (counts.get(reason) ?? 0) + count)
  const [most] = [...counts].sort(([, one], [, other]) => other - one)
  return { gait: addGaits(tracks.map(({ gait }) => gait)), reason: most?.[0] ?? null }
}
