/** What crosses from the thread that reads a file to the one that stores: small batches, judged already. */
import type { ImportKind } from '../../../firmware-bridge/import/kinds.ts'
import type { DateOrder } from '../../../firmware-bridge/import/libreview.ts'
import type { DataClass } from '../../domain/access.ts'
import type { Observation } from '../../domain/observation.ts'
import type { RecordKindName } from '../../domain/record.ts'

/** How a file is to be read. */
export interface ReadingOrder {
  path: string
  /** Folder for what has to be unpacked to be read. */
  scratch: string
  fileName: string | null
  kind: ImportKind | 'auto'
  personId: string
  /** Of times without one. */
  zone: string
  dateOrder: DateOrder | null
  /** Kinds of data that the sender may write of this person. */
  classes: readonly DataClass[]
  /** The clock that future times are told by; the same in every attempt. */
  nowMs: number
  /** Batches that an earlier attempt stored. */
  fromBatch: number
}

/** Items of a batch: a commit of some ten milliseconds, behind which an acknowledgement may have to wait. */
export const BATCH_ITEMS = 2000

export interface LandingRecord {
  kind: RecordKindName
  source: string
  /** In the words of the record's route. */
  body: Record<string, unknown>
  where: string
}

/** Something that happened and is neither a value nor a record: insulin, a remark. */
export interface LandingNote {
  source: string
  atMs: number
  context: Record<string, unknown>
}

export interface Skip {
  where: string
  reason: string
  count: number
}

export interface Batch {
  index: number
  /** `deviceId` stands empty: it follows from the source. */
  observations: Observation[]
  records: LandingRecord[]
  notes: LandingNote[]
  skipped: Skip[]
  /** 0 to 1, of the file read so far. */
  progress: number
}

export type FromReader =
  | { kind: 'batch'; batch: Batch }
  /** `fatal` says why the file could not be read to its end. */
  | { kind: 'end'; fatal: string | null }
  | { kind: 'failed'; message: string }
