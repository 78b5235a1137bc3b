/** Takes a batch apart into rows that can be applied and rows that must be set aside; nothing a hub sends stops the lane. */
import { unpackRollups } from '../pack.ts'
import { bodyFault, isKnownKind, LANE_OF, rowCheck } from '../rows.ts'
import type { SyncRequest, SyncRow } from '../wire.ts'

export interface SetAside {
  seq: number
  kind: string
  subject: string | null
  reason: string
  row: unknown
}

export interface Batch {
  /** In the order of their sequence numbers. */
  rows: SyncRow[]
  aside: SetAside[]
  /** Where the watermark goes once they are applied. */
  upto: number
}

/** Throws RangeError when the batch as a whole is none: its columns do not fit, its numbers contradict each other. */
export function readBatch(request: SyncRequest): Batch {
  const rows: SyncRow[] = []
  const aside: SetAside[] = []
  const take = (row: unknown) => {
    const fault = rowFault(row, request.lane)
    if (fault === null) rows.push(row as SyncRow)
    else aside.push(setAside(row, fault, request.prev))
  }
  for (const row of request.rows) take(row)
  for (const pack of request.rollups ?? [])
    for (const row of unpackRollups(pack)) {
      // Made here from columns that were checked: only numbers and what they say can be wrong.
      const fault = isSeq(row.seq) ? bodyRowFault(row, request.lane) : '/seq is no sequence number'
      if (fault === null) rows.push(row)
      else aside.push(setAside(row, fault, request.prev))
    }
  rows.sort((one, other) => one.seq - other.seq)
  const greatest = Math.max(request.prev, rows.at(-1)?.seq ?? 0, ...aside.map(({ seq }) => seq))
  const upto = request.upto ?? greatest
  if (greatest > request.max_seq || upto > request.max_seq)
    throw new RangeError('A row has a greater number than max_seq says the hub ever gave')
  return { rows, aside, upto: Math.max(upto, request.prev) }
}

function rowFault(row: unknown, lane: string): string | null {
  if (!rowCheck.Check(row)) {
    const [error] = rowCheck.Errors(row)
    return `${error?.instancePath || 'row'} ${error?.message ?? 'is no row'}`
  }
  return bodyRowFault(row, lane)
}

function isSeq(seq: number): boolean {
  return Number.isSafeInteger(seq) && seq > 0
}

function bodyRowFault(row: SyncRow, lane: string): string | null {
  // What this version does not know is kept as it is.
  if (!isKnownKind(row.kind)) return null
  if (LANE_OF[row.kind] !== lane) return `rows of this kind travel in the lane ${LANE_OF[row.kind]}`
  if (row.body === null) return null
  return bodyFault(row.kind, row.body) ?? numberFault(row.body)
}

/** Integers beyond 2^53 are not what was meant, and Postgres would refuse some of them. */
function numberFault(body: Record<string, unknown>): string | null {
  for (const [name, value] of Object.entries(body))
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      return `/${name} is beyond 2^53`
  return null
}

function setAside(row: unknown, reason: string, prev: number): SetAside {
  const fields = typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : {}
  const { seq, kind, body } = { seq: fields['seq'], kind: fields['kind'], body: fields['body'] }
  const subject =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>)['subject'] : undefined
  return {
    seq: typeof seq === 'number' && Number.isSafeInteger(seq) && seq > 0 ? seq : prev,
    kind: typeof kind === 'string' ? kind.slice(0, 40) : 'unreadable',
    subject: typeof subject === 'string' ? subject.slice(0, 64) : null,
    reason: reason.slice(0, 300),
    row,
  }
}

/** The person a row is about; null when it is about none, or none that can be told. */
export function subjectOf({ kind, key, body }: Pick<SyncRow, 'kind' | 'key' | 'body'>): string | null {
  const said = body?.['subject']
  if (typeof said === 'string') return said
  if (kind === 'rollup_hour' || kind === 'rollup_day' || kind === 'rollup_minute' || kind === 'raw_chunk')
    return key.split(':')[0] ?? null
  if (kind === 'session_kpi') return key.split(':').at(-1) ?? null
  return null
}
