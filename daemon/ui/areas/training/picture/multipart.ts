/** Takes the pictures out of a `multipart/x-mixed-replace` answer as its bytes arrive, however they are cut. */
export interface Part {
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>
  body: Uint8Array<ArrayBuffer>
}

export interface Parts {
  /** The parts that are whole with these bytes. Throws when what comes is no such answer, or a part grows beyond the limit. */
  push(bytes: Uint8Array): Part[]
}

const HEAD_BYTES = 8 * 1024
const CRLF = [13, 10] as const

/** The boundary that a content type names; null when it names none. */
export function boundaryOf(contentType: string): string | null {
  const found = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType)
  return found?.[1] ?? found?.[2] ?? null
}

export function createParts(boundary: string, partBytes = 8 * 1024 * 1024): Parts {
  // Some senders put the dashes into the name of the boundary.
  const mark = new TextEncoder().encode(`--${boundary.replace(/^--/, '')}`)
  let held = new Uint8Array(0)
  let inside: { headers: Map<string, string>; length: number | null } | null = null
  /** Bytes of the part that were searched for its end in vain. */
  let searched = 0

  function next(): Part | null {
    if (inside === null && !openPart()) return null
    return inside === null ? null : closePart(inside)
  }

  /** Moves behind the head of the next part; false while it is not all there. */
  function openPart(): boolean {
    const from = indexOf(held, mark, 0)
    const end = from < 0 ? -1 : indexOf(held, [...CRLF, ...CRLF], from)
    if (end < 0) {
      if (held.length > HEAD_BYTES) throw new Error('the answer holds no pictures')
      return false
    }
    const text = new TextDecoder('latin1').decode(held.subarray(from + mark.length, end))
    const headers = new Map<string, string>()
    for (const line of text.split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
    }
    const told = headers.get('content-length')
    const length = told !== undefined && /^\d{1,9}$/.test(told) ? Number(told) : null
    if ((length ?? 0) > partBytes) throw new Error('a picture is too large')
    inside = { headers, length }
    held = held.slice(end + 4)
    searched = 0
    return true
  }

  function closePart({
    headers,
    length,
  }: {
    headers: Map<string, string>
    length: number | null
  }): Part | null {
    const end = length ?? endByMark()
    if (end < 0 || held.length < end) {
      if (held.length > partBytes) throw new Error('a picture is too large')
      return null
    }
    const body = held.slice(0, end)
    held = held.slice(end)
    inside = null
    return { headers, body }
  }

  function endByMark(): number {
    const found = indexOf(held, [...CRLF, ...mark], searched)
    if (found < 0) searched = Math.max(0, held.length - mark.length - 2)
    return found
  }

  return {
    push(bytes) {
      const joined = new Uint8Array(held.length + bytes.length)
      joined.set(held)
      joined.set(bytes, held.length)
      held = joined
      const parts: Part[] = []
      for (let part = next(); part !== null; part = next()) parts.push(part)
      return parts
    },
  }
}

function indexOf(bytes: Uint8Array, wanted: ArrayLike<number>, from: number): number {
  const last = bytes.length - wanted.length
  for (
    let at = bytes.indexOf(wanted[0] ?? 0, from);
    at >= 0 && at <= last;
    at = bytes.indexOf(wanted[0] ?? 0, at + 1)
  ) {
    let same = 1
    while (same < wanted.length && bytes[at + same] === wanted[same]) same += 1
    if (same === wanted.length) return at
  }
  return -1
}
