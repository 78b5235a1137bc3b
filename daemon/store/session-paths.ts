/** Where somebody ran in a session, ten times a second, as rows of about ten seconds: first place, then small steps with the speed. */
import type { Store, Write } from './store.ts'

/** One slot of 100 ms: place in metres on the pitch, speed in whole cm/s. */
export interface PathSample {
  slot: number
  x: number
  y: number
  speedMps: number
}

export interface StoredPath {
  camera: string
  track: number
  /** Null while nobody said who it is. */
  personId: string | null
  samples: PathColumns
}

/** Samples in columns: two hours of six players are close to half a million, and the hub waits while they are read. */
export interface PathColumns {
  readonly length: number
  readonly slots: Float64Array
  readonly x: Float64Array
  readonly y: Float64Array
  readonly speedsMps: Float64Array
}

const INSERT = `INSERT INTO session_path (session_key, camera, track, from_slot, samples, path)
  VALUES (:sessionKey, :camera, :track, :fromSlot, :samples, :path)`
const GROW = `UPDATE session_path SET samples = :samples, path = :path
  WHERE session_key = :sessionKey AND from_slot = :fromSlot AND camera = :camera AND track = :track`

/** A row ends after this many slots. */
export const ROW_SLOTS = 100
const HEAD_BYTES = 4
const STEP_BYTES = 4
const CM = 100
const MOST_CM = 32_767

/** Packs samples of consecutive slots: x and y of the first as i16 cm, then for each i8 dx, i8 dy (cm) and u16 speed (cm/s). */
function pack(samples: readonly PathSample[]): Uint8Array {
  const packed = Buffer.alloc(HEAD_BYTES + samples.length * STEP_BYTES)
  let x = within(Math.round((samples[0]?.x ?? 0) * CM), MOST_CM)
  let y = within(Math.round((samples[0]?.y ?? 0) * CM), MOST_CM)
  packed.writeInt16LE(x, 0)
  packed.writeInt16LE(y, 2)
  samples.forEach((sample, index) => {
    const at = HEAD_BYTES + index * STEP_BYTES
    // What one step cannot hold goes into the next: the sum stays true.
    const dx = within(Math.round(sample.x * CM) - x, 127)
    const dy = within(Math.round(sample.y * CM) - y, 127)
    x += dx
    y += dy
    packed.writeInt8(dx, at)
    packed.writeInt8(dy, at + 1)
    packed.writeUInt16LE(within(Math.round(sample.speedMps * CM), 65_535), at + 2)
  })
  return packed
}

function samplesIn(path: Uint8Array): number {
  return Math.floor((path.length - HEAD_BYTES) / STEP_BYTES)
}

/** Columns that are filled row by row. */
function createColumns(most: number) {
  const [slots, x, y, speedsMps] = [0, 1, 2, 3].map(() => new Float64Array(most)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let length = 0
  return {
    /** Takes the samples of one row whose slots lie in the window. */
    take(fromSlot: number, path: Uint8Array, window: { fromSlot: number; toSlot: number }): void {
      const packed = new DataView(path.buffer, path.byteOffset, path.byteLength)
      let [xCm, yCm] = [packed.getInt16(0, true), packed.getInt16(2, true)]
      const samples = samplesIn(path)
      for (let index = 0; index < samples; index++) {
        const at = HEAD_BYTES + index * STEP_BYTES
        xCm += packed.getInt8(at)
        yCm += packed.getInt8(at + 1)
        const slot = fromSlot + index
        if (slot < window.fromSlot || slot >= window.toSlot) continue
        slots[length] = slot
        x[length] = xCm / CM
        y[length] = yCm / CM
        speedsMps[length] = packed.getUint16(at + 2, true) / CM
        length += 1
      }
    },
    whole: (): PathColumns => ({
      length,
      slots: slots.subarray(0, length),
      x: x.subarray(0, length),
      y: y.subarray(0, length),
      speedsMps: speedsMps.subarray(0, length),
    }),
  }
}

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value))
}

/**
 * Statements that store samples in the order of their slots; a hole begins a new row. `stored` is the last row as it lies on the disk
 * where that one has room: it grows, so that storing often takes no more bytes. Answers it as it is afterwards.
 */
export function planPath(
  of: { sessionKey: number; camera: string; track: number },
  samples: readonly PathSample[],
  stored: readonly PathSample[] = [],
): { writes: Write[]; stored: readonly PathSample[] } {
  const rows: PathSample[][] = stored.length > 0 ? [[...stored]] : []
  for (const sample of samples) {
    const row = rows.at(-1)
    if (row && row.length < ROW_SLOTS && row.at(-1)?.slot === sample.slot - 1) row.push(sample)
    else rows.push([sample])
  }
  const writes = rows
    .map((row) => ({
      sql: stored.length > 0 && row === rows[0] ? GROW : INSERT,
      params: { ...of, fromSlot: row[0]?.slot ?? 0, samples: row.length, path: pack(row) },
    }))
    .filter(({ sql, params }) => sql === INSERT || params.samples > stored.length)
  const last = rows.at(-1) ?? []
  return { writes, stored: last.length < ROW_SLOTS ? last : [] }
}

/** Every path of a session with who it was, each in the order of its slots; `players` narrows it to theirs. */
export function readPaths(
  store: Pick<Store, 'all'>,
  sessionKey: number,
  window: { fromSlot?: number; toSlot?: number; players?: readonly string[] } = {},
): StoredPath[] {
  const rows = store.all<{
    camera: string
    track: number
    personId: string | null
    fromSlot: number
    path: Uint8Array
  }>(
    `SELECT path.camera, path.track, person.id AS personId, from_slot AS fromSlot, path
     FROM session_path path
       LEFT JOIN session_track track ON track.session_key = path.session_key AND track.camera = path.camera
         AND track.track = path.track
       LEFT JOIN person ON person.key = track.person_key AND person.deleted_at IS NULL
     WHERE path.session_key = :sessionKey AND from_slot > :fromSlot - ${ROW_SLOTS} AND from_slot < :toSlot
       ${window.players ? 'AND person.id IN (SELECT value FROM json_each(:players))' : ''}
     ORDER BY from_slot, path.id`,
    {
      sessionKey,
      fromSlot: window.fromSlot ?? 0,
      toSlot: window.toSlot ?? Number.MAX_SAFE_INTEGER,
      ...(window.players && { players: JSON.stringify(window.players) }),
    },
  )
  const within = { fromSlot: window.fromSlot ?? 0, toSlot: window.toSlot ?? Number.MAX_SAFE_INTEGER }
  const byTrack = new Map<string, typeof rows>()
  for (const row of rows) {
    const key = `${row.camera}/${row.track}`
    const known = byTrack.get(key)
    if (known) known.push(row)
    else byTrack.set(key, [row])
  }
  return [...byTrack.values()].flatMap((ofTrack) => {
    const [first] = ofTrack
    if (!first) return []
    const columns = createColumns(ofTrack.reduce((sum, { path }) => sum + samplesIn(path), 0))
    for (const { fromSlot, path } of ofTrack) columns.take(fromSlot, path, within)
    const { camera, track, personId } = first
    return [{ camera, track, personId, samples: columns.whole() }]
  })
}
