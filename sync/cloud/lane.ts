/** Judges what a hub says about its lane: who lost data to a restored copy is told so before anything is applied. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../merge.ts'
import type { SyncConflict, SyncRequest, SyncRow } from '../wire.ts'

export interface LaneState {
  epoch: number
  watermark: number
  token: string | null
  previousToken: string | null
  /** Hash by sequence number of the rows of the last batch. */
  recent: ReadonlyMap<number, string>
  retiredToken: string | null
  retiredSeen: boolean
}

export type Verdict =
  | { kind: 'apply'; lane: LaneState }
  /** `retire`: remember the good token, so that its holder is known for another machine. */
  | { kind: 'conflict'; reason: SyncConflict['reason']; retire: boolean }

export const NEW_LANE: LaneState = {
  epoch: 1,
  watermark: 0,
  token: null,
  previousToken: null,
  recent: new Map(),
  retiredToken: null,
  retiredSeen: false,
}

type Asked = Pick<SyncRequest, 'epoch' | 'prev' | 'max_seq' | 'token'>

/** Whether a batch may be applied to the lane, `hubEpoch` being the newest that the hub was seen with. Pure. */
export function judge(
  lane: LaneState,
  hubEpoch: number,
  asked: Asked,
  rows: readonly Pick<SyncRow, 'seq' | 'kind' | 'v' | 'key' | 'body'>[],
): Verdict {
  if (asked.epoch < hubEpoch) {
    const isOther = asked.token !== null && asked.token === lane.retiredToken
    return { kind: 'conflict', reason: isOther ? 'forked' : 'rolled_back', retire: false }
  }
  if (asked.epoch > lane.epoch) {
    // The machine that was told to begin anew comes, but meanwhile the other one went on.
    if (asked.epoch > hubEpoch && lane.retiredSeen)
      return { kind: 'conflict', reason: 'forked', retire: false }
    return { kind: 'apply', lane: { ...NEW_LANE, epoch: asked.epoch, retiredToken: lane.retiredToken } }
  }
  if (asked.max_seq < lane.watermark) return { kind: 'conflict', reason: 'rolled_back', retire: true }
  if (asked.prev > lane.watermark) return { kind: 'conflict', reason: 'gap', retire: false }
  if (asked.token !== lane.token) {
    // The acknowledgement before may have been lost; then what comes again must be what came.
    if (asked.token !== lane.previousToken || differs(lane, rows))
      return { kind: 'conflict', reason: 'rolled_back', retire: true }
  }
  return { kind: 'apply', lane: { ...lane, retiredSeen: lane.retiredSeen || isRetired(lane, asked) } }
}

function isRetired(lane: LaneState, { token }: Asked): boolean {
  return token !== null && token === lane.retiredToken
}

function differs(
  lane: LaneState,
  rows: readonly Pick<SyncRow, 'seq' | 'kind' | 'v' | 'key' | 'body'>[],
): boolean {
  return rows.some((row) => {
    const hash = lane.recent.get(row.seq)
    return row.seq <= lane.watermark && hash !== undefined && hash !== rowHash(row)
  })
}

/** Eight bytes that tell one version of a row from another, hexadecimal. */
export function rowHash({ kind, v, key, body }: Pick<SyncRow, 'kind' | 'v' | 'key' | 'body'>): string {
  return createHash('sha256')
    .update(`${kind}\n${v}\n${key}\n${canonicalJson(body)}`)
    .digest('hex')
    .slice(0, 16)
}

const ENTRY_BYTES = 16

/** Sequence numbers and hashes, 16 bytes a row. */
export function writeRecent(rows: readonly SyncRow[]): Buffer {
  const bytes = Buffer.alloc(rows.length * ENTRY_BYTES)
  rows.forEach((row, index) => {
    bytes.writeBigUInt64BE(BigInt(row.seq), index * ENTRY_BYTES)
    bytes.write(rowHash(row), index * ENTRY_BYTES + 8, 'hex')
  })
  return bytes
}

export function readRecent(bytes: Uint8Array | null): Map<number, string> {
  const recent = new Map<number, string>()
  const buffer = Buffer.from(bytes ?? [])
  for (let at = 0; at + ENTRY_BYTES <= buffer.length; at += ENTRY_BYTES)
    recent.set(Number(buffer.readBigUInt64BE(at)), buffer.toString('hex', at + 8, at + ENTRY_BYTES))
  return recent
}
