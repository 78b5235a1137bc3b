import { crc32, deflateRawSync } from 'node:zlib'
import { localDay, wallTimeToMs } from '../../../daemon/domain/zone.ts'
import { type ImportFileDeps, importFile } from '../../../firmware-bridge/import/import-file.ts'
import { addWords, type ImportWords } from '../../../firmware-bridge/import/words.ts'
import type { FileBytes } from '../../../firmware-bridge/import/zip.ts'

interface Options
  extends Partial<Pick<ImportFileDeps, 'kind' | 'fileName' | 'dateOrder' | 'openTables' | 'zipLimits'>> {
  zone?: string
  /** Bytes that one read of the file gives at most. */
  piece?: number
}

/** Imports a file that lies in memory, in the words of expected files. */
export async function imported(content: string | Uint8Array, options: Options = {}): Promise<ImportWords> {
  const { zone = 'UTC', piece, kind = 'auto', ...rest } = options
  const words: ImportWords = { samples: [], sleep: [], activities: [], events: [], skipped: [] }
  const records = importFile({
    kind,
    file: fileOf(Buffer.from(content), piece),
    clock: { instantOf: (wall) => wallTimeToMs(wall, zone), dayOf: (atMs) => localDay(atMs, zone) },
    openTables: () => Promise.reject(new Error('this test opens no database')),
    ...rest,
  })
  for await (const record of records) addWords(words, record)
  return words
}

/** The reasons for which something was left out. */
export async function reasons(content: string | Uint8Array, options: Options = {}): Promise<string[]> {
  return (await imported(content, options)).skipped.map(({ where, reason }) => `${where}: ${reason}`)
}

/** The first read, which looks at the head of the file, is whole. */
export function fileOf(bytes: Buffer, piece = Number.POSITIVE_INFINITY): FileBytes {
  let reads = 0
  return {
    size: bytes.length,
    read(offset, length) {
      const most = reads++ === 0 ? length : Math.min(length, piece)
      return Promise.resolve(bytes.subarray(offset, offset + most))
    },
  }
}

interface Packed {
  name: string
  content: string | Uint8Array
  stored?: boolean
  /** Sets single fields to lies. */
  flags?: number
  method?: number
  crc?: number
}

/** A zip archive as every packer writes it. */
export function zipOf(entries: readonly Packed[], comment = ''): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content, stored = false, flags = 0, method, crc } of entries) {
    const raw = Buffer.from(content)
    const packed = stored ? raw : deflateRawSync(raw)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(flags, 2)
    fields.writeUInt16LE(method ?? (stored ? 0 : 8), 4)
    fields.writeUInt32LE(crc ?? crc32(raw), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(raw.length, 18)
    fields.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), fields, Buffer.from(name), packed])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('504b01021400', 'hex'), fields, place, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(list.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...locals, list, end, Buffer.from(comment)])
}
