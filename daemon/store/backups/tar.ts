/** The oldest archive there is (POSIX ustar), so that a backup opens with tools that every computer has. */
import { HubError } from '../../kernel/errors.ts'

export interface TarFile {
  /** With forward slashes, at most 100 bytes. */
  path: string
  bytes: number
  /** Exactly `bytes` of them. */
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

const BLOCK = 512
const PATH_MAX = 100
/** What eleven octal digits hold. */
export const TAR_FILE_MAX = 8 ** 11 - 1
const ENDING = new Uint8Array(2 * BLOCK)

/** The archive piece by piece; throws when a file turns out longer or shorter than it said. */
export async function* packTar(files: AsyncIterable<TarFile>, atMs: number): AsyncGenerator<Uint8Array> {
  for await (const { path, bytes, content } of files) {
    yield headerOf(path, bytes, atMs)
    let sent = 0
    for await (const piece of content) {
      sent += piece.length
      yield piece
    }
    if (sent !== bytes) throw new Error(`${path} has ${sent} bytes and was said to have ${bytes}`)
    const rest = bytes % BLOCK
    if (rest > 0) yield new Uint8Array(BLOCK - rest)
  }
  yield ENDING
}

function headerOf(path: string, bytes: number, atMs: number): Buffer {
  if (Buffer.byteLength(path) > PATH_MAX) throw new Error(`the name is too long for an archive: ${path}`)
  if (bytes > TAR_FILE_MAX)
    throw new HubError('TOO_LARGE', `${path} is larger than 8 GB and cannot be archived.`)
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, '0')
  header.write(path, 0)
  header.write(octal(0o600, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(bytes, 12), 124)
  header.write(octal(Math.floor(atMs / 1000), 12), 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257, 'latin1')
  header.write(`${octal(sumOf(header), 7)}\u0000 `, 148, 'latin1')
  return header
}

function sumOf(header: Uint8Array): number {
  let sum = 0
  for (const byte of header) sum += byte
  return sum
}

export interface TarReader {
  /** Told of each file; resolves with where its pieces go, or null to pass it over. */
  onFile(path: string, bytes: number): Promise<TarSink | null>
}

export interface TarSink {
  write(piece: Uint8Array): Promise<void>
  end(): Promise<void>
}

/** Reads an archive that somebody else may have made: anything but plain files, or an early end, is VALIDATION_ERROR. */
export async function unpackTar(pieces: AsyncIterable<Uint8Array>, reader: TarReader): Promise<void> {
  let held = Buffer.alloc(0)
  let sink: TarSink | null = null
  let left = 0
  let padding = 0
  let ended = false
  for await (const piece of pieces) {
    held = held.length === 0 ? Buffer.from(piece) : Buffer.concat([held, piece])
    for (;;) {
      if (ended) held = held.subarray(held.length)
      if (left > 0) {
        if (held.length === 0) break
        const part = held.subarray(0, left)
        held = held.subarray(part.length)
        left -= part.length
        await sink?.write(part)
        if (left > 0) break
        await sink?.end()
        continue
      }
      if (padding > 0) {
        if (held.length < padding) break
        held = held.subarray(padding)
        padding = 0
      }
      if (held.length < BLOCK) break
      const header = held.subarray(0, BLOCK)
      held = held.subarray(BLOCK)
      if (header.every((byte) => byte === 0)) {
        ended = true
        continue
      }
      const { path, bytes } = readHeader(header)
      sink = await reader.onFile(path, bytes)
      left = bytes
      padding = (BLOCK - (bytes % BLOCK)) % BLOCK
      if (bytes === 0) await sink?.end()
    }
  }
  if (!ended) throw damaged('it ends in the middle')
}

function readHeader(header: Buffer): { path: string; bytes: number } {
  const field = (from: number, length: number) =>
    (
      header
        .subarray(from, from + length)
        .toString('utf8')
        .split('\u0000')[0] ?? ''
    ).trim()
  const said = Number.parseInt(field(148, 8), 8)
  const blank = Buffer.from(header)
  blank.fill(0x20, 148, 156)
  if (said !== sumOf(blank)) throw damaged('a file in it has a wrong checksum')
  const type = field(156, 1)
  const bytes = Number.parseInt(field(124, 12), 8)
  if (type !== '0' && type !== '') throw damaged('it holds something that is not a plain file')
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw damaged('a file in it has no size')
  return { path: field(0, PATH_MAX), bytes }
}

function damaged(why: string): HubError {
  return new HubError('VALIDATION_ERROR', `This is not a whole backup: ${why}.`)
}
