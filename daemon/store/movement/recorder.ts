/** Gathers what cameras saw into stretches of about ten seconds a track, and hands each to the store when it is over. */
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store, Write } from '../store.ts'
import { packChunk, type StoredBox, type StoredJoint, type TrackSample } from './chunk.ts'

/** What one picture of a camera showed. */
export interface SeenMoment {
  cameraId: string
  capturedAtMs: number
  width: number
  height: number
  people: readonly {
    trackId: number
    box: StoredBox
    score: number
    keypoints: readonly StoredJoint[]
  }[]
  ball: { trackId: number; box: StoredBox; score: number } | null
}

export interface MovementRecorder {
  /** Tells the log which cameras lost their last seconds when the hub was cut off; call it once, before `add`. */
  start(): Promise<void>
  add(moment: SeenMoment): void
  /** Stores what is open, of one camera or of all; resolves when it is on disk. */
  flush(cameraId?: string): Promise<void>
  /** First identity that no track of this camera ever had. */
  firstTrackId(cameraId: string): number
  stats(): { open: number; writing: number; stored: number; lost: number }
}

export interface RecorderDeps {
  store: Pick<Store, 'write' | 'get' | 'all'>
  clock: Pick<Clock, 'now'>
  log: Log
}

export const KIND = { person: 0, ball: 1 } as const
/** A stretch ends after this long … */
export const CHUNK_MS = 10_000
/** … or when its track was out of sight this long. */
const GAP_MS = 2000
/** Above this many open stretches the one begun first is stored early. */
const MOST_OPEN = 256
/** Stretches on their way to a disk that does not take them; beyond it the newest are lost and counted. */
const MOST_WRITING = 512

const INSERT = `INSERT INTO track_chunk (camera, kind, track, from_at, to_at, samples, width, height, boxes, joints)
  VALUES (:camera, :kind, :track, :fromAt, :toAt, :samples, :width, :height, :boxes, :joints)`
const OPENED = `INSERT INTO track_open (camera, since_at) VALUES (:camera, :sinceAt)
  ON CONFLICT (camera) DO NOTHING`
const CLOSED = 'DELETE FROM track_open WHERE camera = :camera'

interface Open {
  cameraId: string
  kind: number
  trackId: number
  width: number
  height: number
  samples: TrackSample[]
}

type Sighting = Omit<Open, 'samples'> & { sample: TrackSample }

export function createMovementRecorder({ store, clock, log }: RecorderDeps): MovementRecorder {
  const open = new Map<string, Open>()
  const openCameras = new Set<string>()
  const writing = new Set<Promise<void>>()
  const counts = { stored: 0, lost: 0 }

  function write(unit: readonly Write[], chunks: number): void {
    if (writing.size >= MOST_WRITING) {
      if (counts.lost === 0) log.error('movement is lost: the disk takes nothing')
      counts.lost += chunks
      return
    }
    const done = store
      .write(unit)
      .then(() => {
        counts.stored += chunks
      })
      .catch((cause: unknown) => {
        counts.lost += chunks
        log.error({ reason: messageOf(cause) }, 'movement could not be stored')
      })
      .finally(() => writing.delete(done))
    writing.add(done)
  }

  function close(key: string, chunk: Open): void {
    open.delete(key)
    const { boxes, joints, fromMs, toMs } = packChunk(chunk.samples)
    const params = {
      camera: chunk.cameraId,
      kind: chunk.kind,
      track: chunk.trackId,
      fromAt: fromMs,
      toAt: toMs,
      samples: chunk.samples.length,
      width: chunk.width,
      height: chunk.height,
      boxes,
      joints,
    }
    write([{ sql: INSERT, params }], 1)
  }

  function put({ sample, ...seen }: Sighting): void {
    const key = `${seen.cameraId}/${seen.kind}/${seen.trackId}`
    const known = open.get(key)
    if (known !== undefined && continues(known, seen, sample)) {
      known.samples.push(sample)
      return
    }
    if (known !== undefined) close(key, known)
    open.set(key, { ...seen, samples: [sample] })
    if (open.size > MOST_OPEN) for (const [oldest, chunk] of [...open].slice(0, 1)) close(oldest, chunk)
  }

  function opened(cameraId: string, sinceAt: number): void {
    if (openCameras.has(cameraId)) return
    openCameras.add(cameraId)
    write([{ sql: OPENED, params: { camera: cameraId, sinceAt } }], 0)
  }

  return {
    async start() {
      const left = store.all<{ camera: string; sinceAt: number }>(
        'SELECT camera, since_at AS sinceAt FROM track_open ORDER BY camera',
      )
      for (const { camera } of left)
        log.warn({ camera, atMostMs: CHUNK_MS }, 'the hub was cut off: the last seconds of movement are lost')
      if (left.length > 0) await store.write([{ sql: 'DELETE FROM track_open' }])
    },
    add({ cameraId, capturedAtMs: atMs, width, height, people, ball }) {
      const where = { cameraId, width, height }
      if (people.length > 0 || ball !== null) opened(cameraId, clock.now())
      for (const { trackId, box, score, keypoints } of people) {
        const joints = keypoints.some((joint) => joint.score > 0) ? keypoints : null
        put({ ...where, kind: KIND.person, trackId, sample: { atMs, box, score, joints } })
      }
      if (ball !== null) {
        const { trackId, box, score } = ball
        put({ ...where, kind: KIND.ball, trackId, sample: { atMs, box, score, joints: null } })
      }
      for (const [key, chunk] of open)
        if (chunk.cameraId === cameraId && Math.abs(atMs - lastOf(chunk)) > GAP_MS) close(key, chunk)
    },
    async flush(cameraId) {
      for (const [key, chunk] of open)
        if (cameraId === undefined || chunk.cameraId === cameraId) close(key, chunk)
      for (const camera of [...openCameras]) {
        if (cameraId !== undefined && camera !== cameraId) continue
        openCameras.delete(camera)
        write([{ sql: CLOSED, params: { camera } }], 0)
      }
      await Promise.all(writing)
    },
    firstTrackId(cameraId) {
      // A session may know of tracks whose first seconds were lost with the hub; nobody else may become one of those.
      const row = store.get<{ last: number | null }>(
        `SELECT max(track) AS last FROM (
           SELECT max(track) AS track FROM track_chunk WHERE camera = :cameraId AND kind = 0
           UNION ALL SELECT max(track) FROM session_track WHERE camera = :cameraId)`,
        { cameraId },
      )
      const waiting = [...open.values()].filter((chunk) => chunk.cameraId === cameraId && chunk.kind === 0)
      return Math.max(row?.last ?? 0, ...waiting.map(({ trackId }) => trackId)) + 1
    },
    stats: () => ({ open: open.size, writing: writing.size, ...counts }),
  }
}

/** Whether a sample goes on where its stretch stands. */
function continues(chunk: Open, seen: Omit<Sighting, 'sample'>, { atMs }: TrackSample): boolean {
  const fromMs = chunk.samples[0]?.atMs ?? atMs
  const isNext = atMs >= lastOf(chunk) && atMs - lastOf(chunk) <= GAP_MS && atMs - fromMs < CHUNK_MS
  return isNext && chunk.width === seen.width && chunk.height === seen.height
}

function lastOf({ samples }: Open): number {
  return samples.at(-1)?.atMs ?? 0
}
