/** Stores what a file holds, batch by batch, so that an import that was stopped goes on where it was. */
import type { DataClass } from '../../domain/access.ts'
import type { Observation, Outcome } from '../../domain/observation.ts'
import type { RecordKindName } from '../../domain/record.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Write } from '../../store/store.ts'
import { BATCH_ITEMS, type Batch, type LandingRecord, type ReadingOrder, type Skip } from './batch.ts'
import type { ReadFile } from './reader.ts'
import type { ImportCounts, ImportTable } from './table.ts'

/** Where values, records and notes go: the same parts that take them over HTTP. */
export interface ImportPorts {
  entryFor(source: string): Promise<string>
  append(observations: readonly Observation[]): Promise<Outcome[]>
  record(
    kind: RecordKindName,
    body: object,
    from: { personId: string; source: string; deviceId: string },
  ): Promise<'accepted' | 'duplicate' | 'revised'>
  note(note: {
    personId: string
    deviceId: string
    atMs: number
    context: unknown
    interaction: unknown
  }): Promise<boolean>
}

/** What a job of kind `import` is told. */
export interface ImportPayload {
  importId: string
  kind: ReadingOrder['kind']
  fileName: string | null
  personId: string
  zone: string
  dateOrder: ReadingOrder['dateOrder']
  classes: readonly DataClass[]
  nowMs: number
}

/** Where an interrupted import goes on. */
export interface ImportCheckpoint {
  batches: number
  /** Items of a batch then; numbers of batches of another size say nothing. */
  batchItems?: number
  lines: number
  counts: ImportCounts
}

/** What a running job lends. */
export interface ImportJob {
  payload: ImportPayload
  checkpoint: ImportCheckpoint | null
  signal: AbortSignal
  progress(fraction: number, stage: string): void
  save(checkpoint: ImportCheckpoint, writes: readonly Write[]): Promise<void>
}

export interface StoringDeps {
  ports: ImportPorts
  table: ImportTable
  read: ReadFile
  /** Where the file of an import lies. */
  pathOf: (importId: string) => string
}

/** Lines of what was left out that are kept; all are counted. */
const LINES_MAX = 2000
/** Makers and apps in one file; further ones count as the file itself. */
const SOURCES_MAX = 40
const START: ImportCheckpoint = {
  batches: 0,
  batchItems: BATCH_ITEMS,
  lines: 0,
  counts: { accepted: 0, duplicates: 0, revised: 0, skipped: 0 },
}

/**
 * Resolves with the counts and whether the file was read to its end. Rejects with VALIDATION_ERROR when nothing in it could be
 * read, and when told to stop.
 */
export async function storeFile(
  job: ImportJob,
  deps: StoringDeps,
): Promise<{ counts: ImportCounts; complete: boolean; reason: string | null }> {
  const { payload, signal } = job
  const { importId, ...about } = payload
  const at = structuredClone(job.checkpoint ?? START)
  if (at.batchItems !== BATCH_ITEMS) Object.assign(at, { batches: 0, batchItems: BATCH_ITEMS })
  const path = deps.pathOf(importId)
  const entries = createEntries(about.kind, deps.ports)
  const order = { ...about, path, scratch: `${path}.unpacked`, fromBatch: at.batches }
  const saver = createSaver(job)
  const takeBatch = async (batch: Batch) => {
    signal.throwIfAborted()
    const stored = storeBatch(batch, payload.personId, entries, deps.ports)
    const [landed] = await Promise.all([stored, saver.save()])
    at.batches = batch.index + 1
    add(at.counts, landed.counts)
    const lines = [...batch.skipped, ...landed.skipped]
    at.counts.skipped += lines.reduce((sum, { count }) => sum + count, 0)
    const listed = lines.slice(0, Math.max(0, LINES_MAX - at.lines))
    const writes = deps.table.skipping(importId, at.lines, listed)
    at.lines += listed.length
    job.progress(batch.progress, `${at.counts.accepted} new, ${at.counts.duplicates} known`)
    saver.next(at, [deps.table.counting(importId, at.counts), ...writes])
  }
  // What the batch before came to is saved in the commit of the next one, which halves the waits for the disk.
  const reason = await deps.read(order, signal, takeBatch).finally(saver.save)
  const { accepted, duplicates, revised } = at.counts
  if (reason !== null && accepted + duplicates + revised === 0)
    throw new HubError(
      'VALIDATION_ERROR',
      `Nothing in this file could be read. ${reason.replace(/\.+$/, '')}.`,
    )
  return { counts: at.counts, complete: reason === null, reason }
}

/** Saves how far an import is one batch late; a batch that a crash leaves unsaved is read again and found to be known. */
function createSaver(job: ImportJob) {
  let due: (() => Promise<void>) | null = null
  return {
    next(checkpoint: ImportCheckpoint, writes: readonly Write[]) {
      const told = structuredClone(checkpoint)
      due = () => job.save(told, writes)
    },
    async save() {
      const save = due
      due = null
      await save?.()
    },
  }
}

interface Landed {
  counts: ImportCounts
  skipped: Skip[]
}

async function storeBatch(
  { observations, records, notes }: Batch,
  personId: string,
  entries: ReturnType<typeof createEntries>,
  ports: ImportPorts,
): Promise<Landed> {
  const counts = structuredClone(START.counts)
  const skipped: Skip[] = []
  for (const observation of observations) {
    const { deviceId, source } = await entries(observation.source)
    observation.deviceId = deviceId
    observation.source = source
  }
  const outcomes = observations.length > 0 ? await ports.append(observations) : []
  for (const outcome of outcomes) counts[OUTCOME_COUNT[outcome]] += 1
  await Promise.all(
    records.map(async (record) => {
      const outcome = await storeRecord(record, { personId, ...(await entries(record.source)) }, ports)
      if (typeof outcome === 'string') counts[OUTCOME_COUNT[outcome]] += 1
      else skipped.push(outcome)
    }),
  )
  for (const { source, atMs, context } of notes) {
    const { deviceId } = await entries(source)
    const isNew = await ports.note({ personId, deviceId, atMs, context, interaction: undefined })
    counts[isNew ? 'accepted' : 'duplicates'] += 1
  }
  return { counts, skipped }
}

const OUTCOME_COUNT = { accepted: 'accepted', duplicate: 'duplicates', revised: 'revised' } as const

async function storeRecord(
  { kind, body, where }: LandingRecord,
  from: { personId: string; source: string; deviceId: string },
  ports: ImportPorts,
): Promise<Outcome | Skip> {
  try {
    return await ports.record(kind, body, from)
  } catch (cause) {
    // What is wrong with the record itself is told in its line; anything else is the hub's trouble and tried again.
    if (!(cause instanceof HubError) || cause.status >= 500 || cause.code === 'CONFLICT') throw cause
    return { where, reason: messageOf(cause), count: 1 }
  }
}

/** The hub's entry for each source of a file. */
function createEntries(kind: string, ports: ImportPorts) {
  const known = new Map<string, { deviceId: string; source: string }>()
  return async (name: string) => {
    const found = known.get(name)
    if (found) return found
    const source = known.size < SOURCES_MAX ? name : kind
    const entry = { deviceId: await ports.entryFor(source), source }
    known.set(name, entry)
    return entry
  }
}

function add(total: ImportCounts, more: ImportCounts): void {
  total.accepted += more.accepted
  total.duplicates += more.duplicates
  total.revised += more.revised
}
