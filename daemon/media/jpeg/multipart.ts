/** Cuts an HTTP answer into the pictures that a camera sends one after another (multipart/x-mixed-replace), as cameras really write it. */
import { SourceFailure } from '../source.ts'
import { jpegHeader } from './header.ts'

const MAX_HEADER_BYTES = 8192
const FIRST_STORE_BYTES = 65_536

export interface Part {
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>
  body: Uint8Array
}

export interface MultipartDeps {
  boundary: string
  maxPartBytes: number
  onPart(part: Part): void
}

export interface MultipartReader {
  /** Throws SourceFailure `too-large` or `malformed`. */
  push(chunk: Uint8Array): void
}

/** The boundary that a Content-Type names; null when it is no multipart. */
export function boundaryOf(contentType: string): string | null {
  if (!/^\s*multipart\//i.test(contentType)) return null
  const found = /boundary\s*=\s*(?:"([^"]+)"|([^;\s]+))/i.exec(contentType)
  return found?.[1] ?? found?.[2] ?? null
}

/**
 * With Content-Length a part ends where it says; without it at the next boundary, or as soon as its JPEG is whole,
 * because a camera that puts the boundary before each picture would otherwise be a picture late.
 */
export function createMultipartReader({ boundary, maxPartBytes, onPart }: MultipartDeps): MultipartReader {
  // Some cameras name the boundary with its two dashes, and then send it so.
  const delimiter = Buffer.from(`--${boundary.replace(/^--/, '')}`, 'latin1')
  const store = createStore(maxPartBytes + MAX_HEADER_BYTES + FIRST_STORE_BYTES)
  let headers: Map<string, string> | null = null
  let searched = 0

  function step(): boolean {
    return headers === null ? begin() : end(headers)
  }

  /** From a boundary line over the part's headers. */
  function begin(): boolean {
    const held = store.held()
    const at = held.indexOf(delimiter)
    if (at === -1) {
      if (held.length > maxPartBytes) throw tooLarge()
      return false
    }
    const after = at + delimiter.length
    const found = blankLine(held, after)
    if (found === null) {
      if (held.length - after > MAX_HEADER_BYTES) {
        throw new SourceFailure('malformed', "The headers of the camera's picture do not end.")
      }
      return false
    }
    headers = headersOf(held.subarray(after, found.from).toString('latin1'))
    store.drop(found.to)
    searched = 0
    return true
  }

  function end(found: Map<string, string>): boolean {
    const length = found.get('content-length')
    const bytes = length !== undefined && /^\d{1,9}$/.test(length) ? Number(length) : null
    if (bytes !== null && bytes > maxPartBytes) throw tooLarge()
    const size = bytes === null ? undeclaredEnd() : store.held().length >= bytes ? bytes : null
    if (size === null) return false
    const body = Uint8Array.from(store.held().subarray(0, size))
    store.drop(size)
    headers = null
    if (body.length > 0) onPart({ headers: found, body })
    return true
  }

  /** Where a part without Content-Length ends; null: not yet. */
  function undeclaredEnd(): number | null {
    const held = store.held()
    const at = held.indexOf(delimiter, Math.max(0, searched - delimiter.length))
    searched = held.length
    if (at !== -1) return withoutLineEnd(held, at)
    const whole = withoutLineEnd(held, held.length)
    if (
      held[whole - 2] === 0xff &&
      held[whole - 1] === 0xd9 &&
      !('problem' in jpegHeader(held.subarray(0, whole)))
    ) {
      return whole
    }
    if (held.length > maxPartBytes) throw tooLarge()
    return null
  }

  function tooLarge(): SourceFailure {
    return new SourceFailure(
      'too-large',
      `One picture of the camera is larger than ${maxPartBytes} bytes. Choose a smaller picture on the camera.`,
    )
  }

  return {
    push(chunk) {
      store.add(chunk)
      while (step());
    },
  }
}

function withoutLineEnd(held: Buffer, end: number): number {
  if (held[end - 1] !== 0x0a) return end
  return held[end - 2] === 0x0d ? end - 2 : end - 1
}

/** The first empty line from `from`: where the text before it ends, and where the text after it begins. Lines end in CRLF or LF. */
function blankLine(held: Buffer, from: number): { from: number; to: number } | null {
  for (let at = held.indexOf(0x0a, from); at !== -1; at = held.indexOf(0x0a, at + 1)) {
    if (held[at + 1] === 0x0a) return { from: at, to: at + 2 }
    if (held[at + 1] === 0x0d && held[at + 2] === 0x0a) return { from: at, to: at + 3 }
    if (at - from > MAX_HEADER_BYTES) return null
  }
  return null
}

function headersOf(text: string): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

/** Bytes that came and were not used, in one piece that doubles as it must: a picture sent in small packets is not copied for each. */
function createStore(maxBytes: number) {
  let bytes = Buffer.alloc(FIRST_STORE_BYTES)
  let from = 0
  let to = 0
  return {
    held: () => bytes.subarray(from, to),
    drop(count: number) {
      from += count
    },
    add(chunk: Uint8Array) {
      const needed = to - from + chunk.length
      if (needed > 2 * maxBytes)
        throw new SourceFailure('too-large', 'The camera sends more than can be read.')
      if (to + chunk.length > bytes.length) {
        const next = needed > bytes.length ? Buffer.alloc(Math.max(needed, bytes.length * 2)) : bytes
        bytes.copy(next, 0, from, to)
        bytes = next
        to -= from
        from = 0
      }
      bytes.set(chunk, to)
      to += chunk.length
    },
  }
}
