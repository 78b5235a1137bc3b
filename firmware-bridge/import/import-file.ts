import { fitbitFile } from './fitbit.ts'
import { readHealthConnect, type Tables } from './health-connect.ts'
import { type ImportKind, kindOfHead } from './kinds.ts'
import { createReading, type ReadingOptions, type StreamKind } from './reading.ts'
import { type ImportRecord, skipped, unreadable } from './record.ts'
import { type FileBytes, openZip, ZIP_LIMITS, type ZipEntry, ZipError, type ZipLimits } from './zip.ts'

export interface ImportFileDeps extends ReadingOptions {
  file: FileBytes
  /** What the file is said to be, or `auto`. */
  kind: ImportKind | 'auto'
  /** Puts a database where it can be opened, and takes it away again on `close`. */
  openTables(chunks: AsyncIterable<Uint8Array>): Promise<Tables & { close(): void | Promise<void> }>
  zipLimits?: ZipLimits
  /** Told what the file turned out to be, before its first record. */
  onKind?(kind: ImportKind): void
}

const PIECE = 262_144
const MAX_HEAD = 65_536
const ZIP_MAGIC = 0x04034b50
/** Databases are opened whole; years of a phone's data are a tenth of this. */
const MAX_DATABASE = 4 * 1024 ** 3
/** Individual lines of what was left out; more of the same are counted. */
const MAX_SKIPPED = 1000

/**
 * The records of a file, plain or zipped, in its order and in bounded memory. Never throws for what a file holds: a file
 * that cannot be read is a record too, with `fatal`.
 */
export async function* importFile(deps: ImportFileDeps): AsyncGenerator<ImportRecord> {
  for await (const records of importLots(deps)) yield* records
}

/** The same in lots, as many at a time as a piece of the file holds: waiting for each of a gigabyte's records is what costs. */
export async function* importLots(deps: ImportFileDeps): AsyncGenerator<readonly ImportRecord[]> {
  const skips = createSkips()
  let nothing = true
  for await (const records of lotsOf(deps)) {
    nothing &&= records.every(({ kind }) => kind === 'finding')
    yield records.filter(
      (record) =>
        record.kind !== 'skipped' || skips.lists(record.reason, record.count ?? 1) || record.fatal === true,
    )
  }
  yield skips.rest()
  if (nothing) yield [unreadable('file', 'nothing in it is a record of this kind of export')]
}

type Lots = AsyncGenerator<readonly ImportRecord[]>

async function* lotsOf(deps: ImportFileDeps): Lots {
  const { file, kind } = deps
  const head = await file.read(0, Math.min(MAX_HEAD, file.size))
  if (head.byteLength === 0) return yield [unreadable('file', 'the file is empty')]
  const zipped = head.byteLength >= 4 && Buffer.from(head).readUInt32LE(0) === ZIP_MAGIC
  if (zipped) {
    try {
      return yield* zipLots(deps)
    } catch (cause) {
      if (!(cause instanceof ZipError)) throw cause
      return yield [unreadable('zip', cause.message)]
    }
  }
  const known = kind === 'auto' ? (namedKind(deps.fileName) ?? kindOfHead(head)) : kind
  if (known === null) return yield [unreadable('file', 'this looks like none of the exports that are read')]
  if (known === 'health-connect') return yield [unreadable('file', 'not a Health Connect zip')]
  deps.onKind?.(known)
  yield* streamed(known, deps, pieces(file))
}

function namedKind(fileName: string | undefined): ImportKind | null {
  return fileName !== undefined && fitbitFile(fileName) ? 'fitbit' : null
}

async function* zipLots(deps: ImportFileDeps): Lots {
  const entries = await openZip(deps.file, deps.zipLimits ?? ZIP_LIMITS)
  const kinds: readonly ImportKind[] =
    deps.kind === 'auto' ? ['health-connect', 'fitbit', 'apple-health'] : [deps.kind]
  for (const kind of kinds) {
    const wanted = entriesFor(kind, entries)
    if (wanted.length === 0) continue
    deps.onKind?.(kind)
    for (const entry of wanted) yield* entryLots(kind, entry, deps)
    return
  }
  yield [unreadable('zip', 'the archive holds no export that is read')]
}

/** Which entries hold the data. Apple translates its file names, so the largest document outside of its folders counts. */
function entriesFor(kind: ImportKind, entries: readonly ZipEntry[]): ZipEntry[] {
  if (kind === 'health-connect')
    return entries.filter(({ name }) => /(?:^|\/)health_connect_export\.db$/.test(name)).slice(0, 1)
  if (kind === 'fitbit') return entries.filter(({ name }) => fitbitFile(name) !== null)
  if (kind === 'apple-health') {
    const documents = entries.filter(
      ({ name }) => /^(?:[^/]+\/)?[^/]+\.xml$/i.test(name) && !/_cda\.xml$/i.test(name),
    )
    return documents.sort((a, b) => b.bytes - a.bytes).slice(0, 1)
  }
  const extension = kind === 'fit' || kind === 'gpx' || kind === 'tcx' ? `.${kind}` : null
  return extension === null ? [] : entries.filter(({ name }) => name.toLowerCase().endsWith(extension))
}

async function* entryLots(kind: ImportKind, entry: ZipEntry, deps: ImportFileDeps): Lots {
  if (kind === 'health-connect') yield* databaseLots(entry, deps)
  else yield* streamed(kind, { ...deps, fileName: entry.name }, entry.chunks())
}

async function* databaseLots(entry: ZipEntry, deps: ImportFileDeps): Lots {
  if (entry.bytes > MAX_DATABASE) throw new ZipError(`the database is larger than ${MAX_DATABASE} bytes`)
  let tables: Awaited<ReturnType<ImportFileDeps['openTables']>> | null = null
  try {
    tables = await deps.openTables(entry.chunks())
    for (const record of readHealthConnect(tables)) yield [record]
  } catch (cause) {
    if (cause instanceof ZipError) throw cause
    yield [unreadable('database', `not a database that can be read: ${messageOf(cause)}`)]
  } finally {
    await tables?.close()
  }
}

async function* streamed(kind: StreamKind, options: ReadingOptions, chunks: AsyncIterable<Uint8Array>): Lots {
  let records: ImportRecord[] = []
  let over = false
  const reading = createReading(kind, options, (record) => {
    records.push(record)
    if (record.kind === 'skipped' && record.fatal) over = true
  })
  const taken = () => {
    const ready = records
    records = []
    return ready
  }
  for await (const chunk of chunks) {
    reading.push(chunk)
    yield taken()
    if (over) break
  }
  reading.end()
  yield taken()
}

async function* pieces(file: FileBytes): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; ) {
    const piece = await file.read(at, Math.min(PIECE, file.size - at))
    if (piece.byteLength === 0) return
    at += piece.byteLength
    yield piece
  }
}

interface Skips {
  /** Whether this one is listed by itself. */
  lists(reason: string, count: number): boolean
  rest(): ImportRecord[]
}

function createSkips(): Skips {
  const further = new Map<string, number>()
  let listed = 0
  return {
    lists(reason, count) {
      if (listed++ < MAX_SKIPPED) return true
      const known = further.size < MAX_SKIPPED || further.has(reason) ? reason : 'other reasons'
      further.set(known, (further.get(known) ?? 0) + count)
      return false
    },
    rest: () => [...further].map(([reason, count]) => ({ ...skipped('further', reason), count })),
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : 'unknown'
}
