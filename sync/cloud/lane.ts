/** Judges what a hub says about its lane: who lost data to a restored copy is told so before anything is applied. */
import type { SyncConflict, SyncRequest, SyncRow } from '../wire.ts'
import { isFeedKind } from './feed.ts'

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
    // Merged in whatever order: what came down from others changes them under the number they have.
    if (isFeedKind(row.kind)) return false
    const hash = lane.recent.get(row.seq)
    return row.seq <= lane.watermark && hash !== undefined && hash !== rowHash(row)
  })
}

/**
 * Eight bytes that tell one version of a row from another, hexadecimal (the two lanes of cyrb53, over values instead of their text).
 * It guards a hub against its own old copies, not against anybody; SHA-256 over sorted keys was half the cost of a batch.
 */
export function rowHash(row: Hashed): string {
  const [high, low] = hashWords(row)
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

type Hashed = Pick<SyncRow, 'kind' | 'v' | 'key' | 'body'>

function hashWords({ kind, v, key, body }: Hashed): [number, number] {
  let [one, other] = [0xdeadbeef ^ v, 0x41c6ce57]
  const mix = (unit: number) => {
    one = Math.imul(one ^ unit, 2_654_435_761)
    other = Math.imul(other ^ unit, 1_597_334_677)
  }
  const text = (value: string) => {
    mix(value.length)
    for (let index = 0; index < value.length; index += 1) mix(value.charCodeAt(index))
  }
  const take = (value: unknown) => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) {
      mix(value | 0)
      mix(Math.floor(value / 2 ** 32))
    } else text(typeof value === 'string' ? value : JSON.stringify(value))
  }
  text(kind)
  text(key)
  for (const name in body) {
    mix(name.length)
    take(body[name])
  }
  const end = (a: number, b: number) =>
    (Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)) >>> 0
  return [end(one, other), end(other, one)]
}

const ENTRY_BYTES = 16

/** Sequence numbers and hashes, 16 bytes a row. */
export function writeRecent(rows: readonly SyncRow[]): Buffer {
  const bytes = Buffer.allocUnsafe(rows.length * ENTRY_BYTES)
  let at = 0
  for (const row of rows) {
    const [high, low] = hashWords(row)
    at = bytes.writeUInt32BE(Math.floor(row.seq / 2 ** 32), at)
    at = bytes.writeUInt32BE(row.seq >>> 0, at)
    at = bytes.writeUInt32BE(high, at)
    at = bytes.writeUInt32BE(low, at)
  }
  return bytes
}

export function readRecent(bytes: Uint8Array | null): Map<number, string> {
  const recent = new Map<number, string>()
  const buffer = Buffer.from(bytes ?? [])
  for (let at = 0; at + ENTRY_BYTES <= buffer.length; at += ENTRY_BYTES)
    recent.set(Number(buffer.readBigUInt64BE(at)), buffer.toString('hex', at + 8, at + ENTRY_BYTES))
  return recent
}
