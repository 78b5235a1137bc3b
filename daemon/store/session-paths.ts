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
  samples: PathSample[]
}

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

function unpack(fromSlot: number, path: Uint8Array): PathSample[] {
  const packed = Buffer.from(path.buffer, path.byteOffset, path.byteLength)
  let x = packed.readInt16LE(0)
  let y = packed.readInt16LE(2)
  return Array.from({ length: Math.floor((packed.length - HEAD_BYTES) / STEP_BYTES) }, (_, index) => {
    const at = HEAD_BYTES + index * STEP_BYTES
    x += packed.readInt8(at)
    y += packed.readInt8(at + 1)
    return { slot: fromSlot + index, x: x / CM, y: y / CM, speedMps: packed.readUInt16LE(at + 2) / CM }
  })
}

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value))
}

/** Statements that store samples in the order of their slots; a hole begins a new row. */
export function planPath(
  of: { sessionKey: number; camera: string; track: number },
  samples: readonly PathSample[],
): Write[] {
  const rows: PathSample[][] = []
  for (const sample of samples) {
    const row = rows.at(-1)
    if (row && row.length < ROW_SLOTS && row.at(-1)?.slot === sample.slot - 1) row.push(sample)
    else rows.push([sample])
  }
  return rows.map((row) => ({
    sql: `INSERT INTO session_path (session_key, camera, track, from_slot, samples, path)
          VALUES (:sessionKey, :camera, :track, :fromSlot, :samples, :path)`,
    params: { ...of, fromSlot: row[0]?.slot ?? 0, samples: row.length, path: pack(row) },
  }))
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
  const paths = new Map<string, StoredPath>()
  for (const { fromSlot, path, ...of } of rows) {
    const key = `${of.camera}/${of.track}`
    const known = paths.get(key) ?? { ...of, samples: [] }
    paths.set(key, known)
    for (const sample of unpack(fromSlot, path))
      if (sample.slot >= (window.fromSlot ?? 0) && sample.slot < (window.toSlot ?? Number.MAX_SAFE_INTEGER))
        known.samples.push(sample)
  }
  return [...paths.values()]
}
