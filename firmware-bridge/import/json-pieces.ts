/** Where in a document a value stands: keys, and places in lists. */
export type Path = readonly (string | number)[]

export interface JsonPiecesDeps {
  /** Which values to hand over; `*` stands for every place of a list or every key. */
  wanted: readonly (readonly string[])[]
  onPiece(path: Path, value: unknown): void
  /** Once, when the document cannot be followed any further. */
  onBroken(reason: string): void
  /** A wanted value that was left out, with the reason. */
  onSkipped(path: Path, reason: string): void
}

export interface JsonPieces {
  push(chunk: Uint8Array): void
  end(): void
}

interface Frame {
  list: boolean
  key: string | number
  awaitsKey: boolean
}

interface Capture {
  depth: number
  path: Path
  parts: Uint8Array[]
  bytes: number
  from: number
  tooLarge: boolean
}

const MAX_DEPTH = 64
const MAX_KEY_BYTES = 512
const MAX_PIECE_BYTES = 4 * 1024 * 1024
const [QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a,
]

/**
 * Follows a JSON document of any size and hands over the wanted parts as they pass, so that an export of gigabytes takes
 * the memory of its largest single record. A document that breaks off, or nests deeper than any export, says so.
 */
export function createJsonPieces({ wanted, onPiece, onBroken, onSkipped }: JsonPiecesDeps): JsonPieces {
  const frames: Frame[] = []
  let capture: Capture | null = null
  let text: 'none' | 'key' | 'value' = 'none'
  let escaped = false
  let scalar = false
  let keyBytes: number[] = []
  let broken = false
  let began = false
  let ended = false

  const fail = (reason: string) => {
    broken = true
    capture = null
    onBroken(reason)
  }
  const here = (): Path => frames.map(({ key }) => key)
  const begin = (at: number) => {
    if (frames.length === 0 && ended) return fail('there is more behind the end of the document')
    began = true
    if (capture || !isWanted(frames, wanted)) return
    capture = { depth: frames.length, path: here(), parts: [], bytes: 0, from: at, tooLarge: false }
  }
  const keep = (chunk: Uint8Array, to: number) => {
    if (!capture) return
    capture.bytes += to - capture.from
    if (capture.bytes > MAX_PIECE_BYTES) {
      capture.tooLarge = true
      capture.parts = []
    } else if (to > capture.from) capture.parts.push(chunk.slice(capture.from, to))
    capture.from = 0
  }
  const finish = (chunk: Uint8Array, to: number) => {
    if (frames.length === 0) ended = true
    if (!capture || frames.length !== capture.depth) return
    keep(chunk, to)
    const { path, parts, tooLarge } = capture
    capture = null
    if (tooLarge) return onSkipped(path, `larger than ${MAX_PIECE_BYTES} bytes`)
    let value: unknown
    try {
      value = JSON.parse(Buffer.concat(parts).toString('utf8'))
    } catch {
      return onSkipped(path, 'not JSON')
    }
    onPiece(path, value)
  }
  const endScalar = (chunk: Uint8Array, at: number) => {
    if (!scalar) return
    scalar = false
    finish(chunk, at)
  }
  const open = (byte: number, at: number) => {
    begin(at)
    const list = byte === OPEN_LIST
    frames.push({ list, key: list ? 0 : '', awaitsKey: !list })
    if (frames.length > MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH}`)
  }
  const close = (byte: number, chunk: Uint8Array, at: number) => {
    const frame = frames.pop()
    if (!frame || frame.list !== (byte === CLOSE_LIST)) return fail('brackets do not match')
    finish(chunk, at + 1)
  }
  const next = () => {
    const frame = frames.at(-1)
    if (!frame) return fail('a comma outside of lists and objects')
    if (typeof frame.key === 'number') frame.key++
    else frame.awaitsKey = true
  }
  const inText = (byte: number, chunk: Uint8Array, at: number) => {
    if (text === 'key' && (byte !== QUOTE || escaped)) keyBytes.push(byte)
    if (keyBytes.length > MAX_KEY_BYTES) return fail('a key that no export has')
    if (escaped) escaped = false
    else if (byte === BACKSLASH) escaped = true
    else if (byte === QUOTE) {
      const frame = frames.at(-1)
      if (text === 'value') finish(chunk, at + 1)
      else if (frame) frame.key = keyOf(keyBytes)
      text = 'none'
    }
  }
  const outside = (byte: number, chunk: Uint8Array, at: number) => {
    const frame = frames.at(-1)
    if (byte === QUOTE) {
      text = frame?.awaitsKey ? 'key' : 'value'
      keyBytes = []
      if (text === 'value') begin(at)
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) open(byte, at)
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      endScalar(chunk, at)
      close(byte, chunk, at)
    } else if (byte === COMMA) {
      endScalar(chunk, at)
      next()
    } else if (byte === COLON) {
      if (frame) frame.awaitsKey = false
    } else if (byte <= 0x20) endScalar(chunk, at)
    else if (!scalar) {
      scalar = true
      begin(at)
    }
  }
  return {
    push(chunk) {
      for (let at = 0; at < chunk.length && !broken; at++) {
        const byte = chunk[at] ?? 0
        // A byte order mark before the document.
        if (!began && (byte === 0xef || byte === 0xbb || byte === 0xbf)) continue
        if (text === 'none') outside(byte, chunk, at)
        else inText(byte, chunk, at)
      }
      if (!broken) keep(chunk, chunk.length)
    },
    end() {
      if (broken) return
      const nothing = new Uint8Array()
      endScalar(nothing, 0)
      if (!ended) fail(began ? 'the document breaks off' : 'the document is empty')
    },
  }
}

function isWanted(frames: readonly Frame[], wanted: readonly (readonly string[])[]): boolean {
  return wanted.some(
    (pattern) =>
      pattern.length === frames.length &&
      pattern.every((part, index) => part === '*' || part === frames[index]?.key),
  )
}

function keyOf(bytes: readonly number[]): string {
  const raw = Buffer.from(bytes).toString('utf8')
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    return raw
  }
}
