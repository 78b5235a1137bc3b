/** Reads what cameras saw: one camera's tracks over a window, with or without joints, and lets it go when it is old. */
import type { SqlParams, Store, Write } from '../store.ts'
import { type TrackSample, unpackChunk } from './chunk.ts'
import { CHUNK_MS, KIND } from './recorder.ts'

export interface MovementWindow {
  cameraId: string
  fromMs: number
  toMs: number
  /** Only this track. */
  trackId?: number
  joints: boolean
  /** At most this many stretches of ten seconds are read. */
  chunks: number
  /** Of samples nearer together than this only the first is given. */
  stepMs?: number
}

export interface MovementTrack {
  kind: 'person' | 'ball'
  trackId: number
  width: number
  height: number
  samples: TrackSample[]
}

export interface MovementPage {
  /** By the time of their first sample. A track whose picture changed size is given once for each size. */
  tracks: MovementTrack[]
  /** Where to go on reading, null at the end. */
  nextFromMs: number | null
}

const BATCH = 200

interface Row {
  kind: number
  track: number
  fromAt: number
  width: number
  height: number
  boxes: Uint8Array
  joints: Uint8Array | null
}

/** Samples in `[fromMs, toMs)`. Throws DamagedChunk when a stored stretch cannot be read. */
export function readMovement(store: Pick<Store, 'all'>, window: MovementWindow): MovementPage {
  const { cameraId, fromMs, toMs, trackId, chunks } = window
  const rows = store.all<Row>(
    `SELECT kind, track, from_at AS fromAt, width, height, boxes, ${window.joints ? 'joints' : 'NULL'} AS joints
     FROM track_chunk
     WHERE camera = :cameraId AND from_at > :earliest AND from_at < :toMs AND to_at >= :fromMs
       ${trackId === undefined ? '' : 'AND kind = 0 AND track = :trackId'}
       ${window.joints ? 'AND kind = 0' : ''}
     ORDER BY from_at, id LIMIT :limit`,
    {
      cameraId,
      earliest: fromMs - CHUNK_MS - 1,
      fromMs,
      toMs,
      limit: chunks + 1,
      ...(trackId !== undefined && { trackId }),
    } satisfies SqlParams,
  )
  const next = rows.length > chunks ? rows[chunks] : undefined
  // A page that ends where it began would never get on: so many stretches at one instant are read at once.
  if (next !== undefined && next.fromAt <= fromMs)
    return readMovement(store, { ...window, chunks: chunks * 2 })
  // What follows the page is read with the next one, the rest of its own stretches included.
  const nextFromMs = next?.fromAt ?? null
  const endMs = Math.min(toMs, nextFromMs ?? toMs)
  const tracks = new Map<string, MovementTrack>()
  for (const row of rows.slice(0, chunks)) gather(tracks, row, { ...window, toMs: endMs })
  return { tracks: [...tracks.values()], nextFromMs }
}

function gather(tracks: Map<string, MovementTrack>, row: Row, { fromMs, toMs, stepMs = 0 }: MovementWindow) {
  const { kind, track: trackId, width, height } = row
  const key = `${kind}/${trackId}/${width}/${height}`
  const track = tracks.get(key)
  const samples = track?.samples ?? []
  for (const sample of unpackChunk(row.fromAt, row.boxes, row.joints)) {
    const lastMs = samples.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY
    if (sample.atMs >= fromMs && sample.atMs < toMs && sample.atMs - lastMs >= stepMs) samples.push(sample)
  }
  if (track === undefined && samples.length > 0)
    tracks.set(key, { kind: kind === KIND.ball ? 'ball' : 'person', trackId, width, height, samples })
}

/** Deletes movement that ended before `beforeMs`, a few rows at a time so that nothing waits behind it; answers how many rows. */
export async function forgetMovement(store: Pick<Store, 'write'>, beforeMs: number): Promise<number> {
  let gone = 0
  for (;;) {
    const [result] = await store.write([
      {
        sql: `DELETE FROM track_chunk WHERE id IN
          (SELECT id FROM track_chunk WHERE to_at < :beforeMs ORDER BY to_at LIMIT ${BATCH})`,
        params: { beforeMs },
      },
    ])
    const changes = result?.changes ?? 0
    gone += changes
    if (changes < BATCH) return gone
  }
}

/** What goes with a camera that is removed; what it saw of a session stays with the session. */
export function planForgetCamera(cameraId: string): Write[] {
  return [
    {
      sql: `DELETE FROM track_chunk WHERE camera = :cameraId AND NOT EXISTS (SELECT 1 FROM session_track t
        WHERE t.camera = :cameraId AND t.first_at <= track_chunk.to_at AND t.last_at >= track_chunk.from_at)`,
      params: { cameraId },
    },
    { sql: 'DELETE FROM track_open WHERE camera = :cameraId', params: { cameraId } },
  ]
}
