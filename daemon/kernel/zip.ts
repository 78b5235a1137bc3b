/** Writes a ZIP archive as it goes, without knowing sizes ahead (APPNOTE 6.3.10, data descriptors): what every computer opens. */
import { Readable } from 'node:stream'
import { crc32, createDeflateRaw } from 'node:zlib'

export interface ZipEntry {
  path: string
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

const LOCAL = 0x04034b50
const DESCRIPTOR = 0x08074b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const VERSION = 20
/** Sizes follow the data; names are UTF-8. */
const FLAGS = 0x0808
const DEFLATE = 8
/** Beyond it another form of archive would be needed. */
const BYTES_MAX = 0xffff_ffff
const ENTRIES_MAX = 0xffff

interface Written {
  name: Buffer
  crc: number
  packed: number
  plain: number
  at: number
}

/** The archive piece by piece. Throws RangeError beyond 4 GB or 65,535 entries. */
export async function* packZip(entries: AsyncIterable<ZipEntry>, atMs: number): AsyncGenerator<Buffer> {
  const written: Written[] = []
  const stamp = dosTime(new Date(atMs))
  let at = 0
  for await (const { path, content } of entries) {
    const one: Written = { name: Buffer.from(path), crc: 0, packed: 0, plain: 0, at }
    const head = localHeader(one.name, stamp)
    yield head
    const deflate = createDeflateRaw()
    const counted = counting(content, one)
    const source = Readable.from(counted, { objectMode: false })
    source.on('error', (cause) => deflate.destroy(cause))
    for await (const piece of source.pipe(deflate)) {
      const bytes = piece as Buffer
      one.packed += bytes.length
      yield bytes
    }
    const tail = descriptor(one)
    yield tail
    at += head.length + one.packed + tail.length
    written.push(one)
    if (at > BYTES_MAX || one.plain > BYTES_MAX || written.length > ENTRIES_MAX)
      throw new RangeError('the archive would be larger than 4 GB')
  }
  const directory = Buffer.concat(written.map((one) => centralHeader(one, stamp)))
  yield directory
  yield ending(written.length, directory.length, at)
}

async function* counting(content: ZipEntry['content'], one: Written): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    one.crc = crc32(piece, one.crc)
    one.plain += piece.length
    yield piece
  }
}

interface Stamp {
  date: number
  time: number
}

function dosTime(date: Date): Stamp {
  return {
    date: ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
    time: (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1),
  }
}

function localHeader(name: Buffer, { date, time }: Stamp): Buffer {
  const head = Buffer.alloc(30)
  head.writeUInt32LE(LOCAL, 0)
  head.writeUInt16LE(VERSION, 4)
  head.writeUInt16LE(FLAGS, 6)
  head.writeUInt16LE(DEFLATE, 8)
  head.writeUInt16LE(time, 10)
  head.writeUInt16LE(date, 12)
  head.writeUInt16LE(name.length, 26)
  return Buffer.concat([head, name])
}

function descriptor({ crc, packed, plain }: Written): Buffer {
  const tail = Buffer.alloc(16)
  tail.writeUInt32LE(DESCRIPTOR, 0)
  tail.writeUInt32LE(crc, 4)
  tail.writeUInt32LE(packed, 8)
  tail.writeUInt32LE(plain, 12)
  return tail
}

function centralHeader({ name, crc, packed, plain, at }: Written, { date, time }: Stamp): Buffer {
  const head = Buffer.alloc(46)
  head.writeUInt32LE(CENTRAL, 0)
  head.writeUInt16LE(VERSION, 4)
  head.writeUInt16LE(VERSION, 6)
  head.writeUInt16LE(FLAGS, 8)
  head.writeUInt16LE(DEFLATE, 10)
  head.writeUInt16LE(time, 12)
  head.writeUInt16LE(date, 14)
  head.writeUInt32LE(crc, 16)
  head.writeUInt32LE(packed, 20)
  head.writeUInt32LE(plain, 24)
  head.writeUInt16LE(name.length, 28)
  head.writeUInt32LE(at, 42)
  return Buffer.concat([head, name])
}

function ending(entries: number, directoryBytes: number, at: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(END, 0)
  end.writeUInt16LE(entries, 8)
  end.writeUInt16LE(entries, 10)
  end.writeUInt32LE(directoryBytes, 12)
  end.writeUInt32LE(at, 16)
  return end
}
