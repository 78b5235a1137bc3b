/** `compute import`: a file from another maker's app as canonical records, with nothing stored. */
import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Tables } from '../../../firmware-bridge/import/health-connect.ts'
import { importFile } from '../../../firmware-bridge/import/import-file.ts'
import { IMPORT_KINDS, isImportKind } from '../../../firmware-bridge/import/kinds.ts'
import type { DateOrder } from '../../../firmware-bridge/import/libreview.ts'
import { openSqliteTables } from '../../../firmware-bridge/import/sqlite-tables.ts'
import { addWords, type ImportWords } from '../../../firmware-bridge/import/words.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Computation } from './computation.ts'
import { localClock } from './local-clock.ts'

/**
 * Settings: `kind` (or `auto`), `zone` of times without one (default UTC), `date_order` DMY or MDY where a LibreView file
 * does not give it away. Throws HubError for wrong settings and for a file that cannot be opened.
 */
export const importRecords: Computation = async (file, set) => {
  const kind = set.text('kind', 'auto')
  const dateOrder = set.text('date_order', '')
  if (kind !== 'auto' && !isImportKind(kind))
    throw new HubError(
      'VALIDATION_ERROR',
      `kind must be auto or one of ${IMPORT_KINDS.join(', ')}, not "${kind}".`,
    )
  if (dateOrder !== '' && dateOrder !== 'DMY' && dateOrder !== 'MDY')
    throw new HubError('VALIDATION_ERROR', `date_order must be DMY or MDY, not "${dateOrder}".`)
  const clock = localClock(set.text('zone', 'UTC'))
  const words: ImportWords = { samples: [], sleep: [], activities: [], events: [], skipped: [] }
  const handle = await openInput(file.path)
  try {
    const { size } = await handle.stat()
    const read = async (offset: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    }
    const order: { dateOrder?: DateOrder } = dateOrder === 'DMY' || dateOrder === 'MDY' ? { dateOrder } : {}
    const options = { fileName: basename(file.path), ...order }
    for await (const record of importFile({ ...options, kind, clock, file: { size, read }, openTables })) {
      addWords(words, record)
    }
  } finally {
    await handle.close()
  }
  return words
}

async function openInput(path: string) {
  try {
    return await open(path, 'r')
  } catch (cause) {
    throw new HubError('NOT_FOUND', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** SQLite opens files and not streams, so the database lies in a folder of its own until it is closed. */
async function openTables(chunks: AsyncIterable<Uint8Array>): Promise<Tables & { close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'homefield-import-'))
  try {
    const path = join(folder, 'export.db')
    await pipeline(chunks, createWriteStream(path, { mode: 0o600 }))
    const tables = openSqliteTables(path)
    return {
      ...tables,
      async close() {
        tables.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (cause) {
    await rm(folder, { recursive: true, force: true })
    throw cause
  }
}
