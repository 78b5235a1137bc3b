/** Reads what comes over an RTSP connection: text messages, and between them packets framed by `$` (RFC 2326 section 10.12). */
import { SourceFailure } from '../source.ts'

export interface RtspMessage {
  /** `RTSP/1.0 200 OK` of an answer, `OPTIONS rtsp://… RTSP/1.0` of a request. */
  startLine: string
  /** Values by lower-case name; one name may come several times. */
  headers: ReadonlyMap<string, readonly string[]>
  body: Uint8Array
}

export interface RtspReaderDeps {
  onMessage(message: RtspMessage): void
  /** `bytes` are good until the function returns. */
  onPacket(channel: number, bytes: Uint8Array): void
}

export interface RtspReader {
  /** Throws SourceFailure 'malformed' at the first byte that cannot be RTSP; nothing may be pushed after that. */
  push(chunk: Uint8Array): void
}

const MAX_LINE = 4096
const MAX_HEADERS = 64
const MAX_BODY = 64 * 1024
const DOLLAR = 0x24
const LF = 0x0a
const FRAME_HEAD = 4

interface Head {
  startLine: string
  headers: Map<string, string[]>
  count: number
}

/** Bytes that were not read yet, in one buffer that only grows to the largest thing that is allowed. */
function createPending() {
  let buffer = new Uint8Array(16 * 1024)
  let from = 0
  let to = 0
  return {
    add(chunk: Uint8Array): void {
      if (to + chunk.length > buffer.length) {
        const kept = to - from
        const larger =
          kept + chunk.length > buffer.length ? new Uint8Array(2 * (kept + chunk.length)) : buffer
        larger.set(buffer.subarray(from, to))
        buffer = larger
        from = 0
        to = kept
      }
      buffer.set(chunk, to)
      to += chunk.length
    },
    get length() {
      return to - from
    },
    at: (index: number): number => buffer[from + index] ?? 0,
    indexOf(byte: number, start: number): number {
      const found = buffer.subarray(from + start, to).indexOf(byte)
      return found < 0 ? -1 : found + start
    },
    take(count: number): Uint8Array {
      from += count
      return buffer.subarray(from - count, from)
    },
  }
}

const malformed = (what: string) =>
  new SourceFailure('malformed', `The camera's RTSP answer cannot be read: ${what}.`)

export function createRtspReader({ onMessage, onPacket }: RtspReaderDeps): RtspReader {
  const pending = createPending()
  let head: Head | null = null
  let bodyLength: number | null = null
  let searched = 0

  /** A line without its end, or null until all of it is there. */
  function line(): string | null {
    const end = pending.indexOf(LF, searched)
    if ((end < 0 ? pending.length : end) > MAX_LINE)
      throw malformed(`a line is longer than ${MAX_LINE} bytes`)
    if (end < 0) {
      searched = pending.length
      return null
    }
    searched = 0
    return Buffer.from(pending.take(end + 1))
      .toString('utf8')
      .replace(/\r?\n$/, '')
  }

  function packet(): boolean {
    if (pending.length < FRAME_HEAD) return false
    const length = (pending.at(2) << 8) | pending.at(3)
    if (pending.length < FRAME_HEAD + length) return false
    const channel = pending.at(1)
    onPacket(channel, pending.take(FRAME_HEAD + length).subarray(FRAME_HEAD))
    return true
  }

  function headLine(): boolean {
    const text = line()
    if (text === null) return false
    if (head === null) {
      if (text !== '') head = { startLine: startLineOf(text), headers: new Map(), count: 0 }
    } else if (text === '') bodyLength = bodyLengthOf(head)
    else addHeader(head, text)
    return true
  }

  function body(length: number): boolean {
    if (head === null || pending.length < length) return false
    const { startLine, headers } = head
    const bytes = pending.take(length).slice()
    head = null
    bodyLength = null
    onMessage({ startLine, headers, body: bytes })
    return true
  }

  function next(): boolean {
    if (pending.length === 0 && bodyLength !== 0) return false
    if (bodyLength !== null) return body(bodyLength)
    return head === null && pending.at(0) === DOLLAR ? packet() : headLine()
  }

  return {
    push(chunk) {
      pending.add(chunk)
      while (next());
    },
  }
}

function startLineOf(text: string): string {
  if (!/^RTSP\/1\.\d \d{3}/.test(text) && !/^[A-Z_]+ \S+ RTSP\/1\.\d$/.test(text))
    throw malformed('this is no RTSP. Is the port right')
  return text
}

function addHeader(head: Head, text: string): void {
  if (++head.count > MAX_HEADERS) throw malformed(`more than ${MAX_HEADERS} header lines`)
  const colon = text.indexOf(':')
  if (colon <= 0) throw malformed('a header line without a colon')
  const name = text.slice(0, colon).trim().toLowerCase()
  const values = head.headers.get(name)
  if (values === undefined) head.headers.set(name, [text.slice(colon + 1).trim()])
  else values.push(text.slice(colon + 1).trim())
}

function bodyLengthOf({ headers }: Head): number {
  const given = headers.get('content-length')?.[0]
  if (given === undefined) return 0
  if (!/^\d{1,6}$/.test(given) || Number(given) > MAX_BODY)
    throw malformed(`its body is announced as ${given.slice(0, 20)} bytes, ${MAX_BODY} at most are read`)
  return Number(given)
}

/** The status of an answer; null for a request. */
export function statusOf({ startLine }: RtspMessage): number | null {
  return startLine.startsWith('RTSP/') ? Number(startLine.slice(9, 12)) : null
}

/** The first value of a header. */
export function headerOf({ headers }: RtspMessage, name: string): string | null {
  return headers.get(name)?.[0] ?? null
}
