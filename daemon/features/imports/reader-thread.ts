/** Entry of the thread that reads one file: parsing a gigabyte must not hold up an acknowledgement, nor its memory the hub's. */
import { createWriteStream } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Tables } from '../../../firmware-bridge/import/health-connect.ts'
import { importLots } from '../../../firmware-bridge/import/import-file.ts'
import { openSqliteTables } from '../../../firmware-bridge/import/sqlite-tables.ts'
import { localDay, wallTimeToMs } from '../../domain/zone.ts'
import { messageOf } from '../../kernel/errors.ts'
import { BATCH_ITEMS, type Batch, type FromReader, type ReadingOrder } from './batch.ts'
import { createLanding, type Landed } from './landing.ts'

/** Batches on their way before the next one waits. */
const AHEAD = 2

const port = parentPort
// The thread is started with an order and nothing else.
if (port) void main(workerData as ReadingOrder)

async function main(order: ReadingOrder): Promise<void> {
  const post = (message: FromReader) => port?.postMessage(message)
  try {
    post({ kind: 'end', fatal: await readAll(order, post) })
  } catch (cause) {
    post({ kind: 'failed', message: messageOf(cause).slice(0, 300) })
  } finally {
    port?.close()
  }
}

/** Resolves with what kept it from the end of the file, null when it got there. */
async function readAll(order: ReadingOrder, post: (message: FromReader) => void): Promise<string | null> {
  const handle = await open(order.path, 'r')
  const room = createRoom()
  const landing = createLanding(order)
  let fatal: string | null = null
  let bytes = 0
  let index = 0
  let landed = empty()
  try {
    const { size } = await handle.stat()
    const read = async (offset: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset)
      bytes += bytesRead
      return buffer.subarray(0, bytesRead)
    }
    const send = async () => {
      const batch: Batch = { index, ...landed, progress: Math.min(1, bytes / Math.max(1, size)) }
      landed = empty()
      index += 1
      if (batch.index < order.fromBatch) return
      await room.take()
      post({ kind: 'batch', batch })
    }
    const lots = importLots({ ...optionsOf(order), file: { size, read }, onKind: landing.settle })
    for await (const records of lots) {
      for (const record of records) {
        if (record.kind === 'skipped' && record.fatal) fatal = `${record.where}: ${record.reason}`
        landing.take(record, landed)
        if (weightOf(landed) >= BATCH_ITEMS) await send()
      }
    }
    // Meals out of amounts may be many; the last batch is an empty one at worst.
    const last = empty()
    landing.finish(last)
    landed.skipped.push(...last.skipped)
    for (const meal of last.records) {
      landed.records.push(meal)
      if (weightOf(landed) >= BATCH_ITEMS) await send()
    }
    await send()
  } finally {
    await handle.close()
  }
  return fatal
}

function optionsOf({ kind, zone, fileName, dateOrder, scratch }: ReadingOrder) {
  return {
    kind,
    clock: {
      instantOf: (wallTime: string) => wallTimeToMs(wallTime, zone),
      dayOf: (atMs: number) => localDay(atMs, zone),
    },
    openTables: (chunks: AsyncIterable<Uint8Array>) => openTables(chunks, scratch),
    ...(fileName === null ? {} : { fileName }),
    ...(dateOrder === null ? {} : { dateOrder }),
  }
}

function empty(): Landed {
  return { observations: [], records: [], notes: [], skipped: [] }
}

function weightOf({ observations, records, notes, skipped }: Landed): number {
  return observations.length + records.length + notes.length + skipped.length
}

/** How many batches may be on their way. */
function createRoom() {
  let free = AHEAD
  let waiting: (() => void) | null = null
  port?.on('message', () => {
    free += 1
    waiting?.()
    waiting = null
  })
  return {
    async take() {
      if (free === 0)
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
      free -= 1
    },
  }
}

/** SQLite opens files and not streams, so a database lies in a folder of its own until it is closed. */
async function openTables(
  chunks: AsyncIterable<Uint8Array>,
  scratch: string,
): Promise<Tables & { close(): Promise<void> }> {
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  const away = () => rm(scratch, { recursive: true, force: true })
  try {
    const path = join(scratch, 'export.db')
    await pipeline(chunks, createWriteStream(path, { mode: 0o600 }))
    const tables = openSqliteTables(path)
    return {
      ...tables,
      async close() {
        tables.close()
        await away()
      },
    }
  } catch (cause) {
    await away()
    throw cause
  }
}
