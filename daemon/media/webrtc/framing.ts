/** How the hub and its WebRTC process frame what they tell each other: a JSON head and, for a picture, its bytes. */

export interface Unframer {
  /** Takes what arrived; throws when it is not this framing. */
  push(chunk: Uint8Array): void
}

/** The largest head holds one SDP. */
const HEAD_LIMIT = 256 * 1024
/** 3840 x 2160 in I420, with room for odd sizes. */
export const BODY_LIMIT = 13 * 1024 * 1024
const PREFIX = 8

/** Prefix (head length, body length, both u32 little-endian) and head; the body follows as it is. */
export function frameHead(head: unknown, bodyBytes = 0): Uint8Array {
  const text = Buffer.from(JSON.stringify(head))
  const framed = Buffer.alloc(PREFIX + text.length)
  framed.writeUInt32LE(text.length, 0)
  framed.writeUInt32LE(bodyBytes, 4)
  text.copy(framed, PREFIX)
  return framed
}

/** Puts messages together again. The body is valid during the call only: its buffer is used for the next one. */
export function createUnframer(onMessage: (head: unknown, body: Uint8Array) => void): Unframer {
  const prefix = new Uint8Array(PREFIX)
  let head = new Uint8Array(0)
  let body = new Uint8Array(0)
  let store = new ArrayBuffer(0)
  let got = 0

  function sized(): void {
    const view = new DataView(prefix.buffer)
    const [headBytes, bodyBytes] = [view.getUint32(0, true), view.getUint32(4, true)]
    if (headBytes === 0 || headBytes > HEAD_LIMIT || bodyBytes > BODY_LIMIT)
      throw new Error(`A message of ${headBytes} + ${bodyBytes} bytes is not one of ours.`)
    head = new Uint8Array(headBytes)
    if (store.byteLength < bodyBytes) store = new ArrayBuffer(bodyBytes)
    body = new Uint8Array(store, 0, bodyBytes)
  }

  /** Copies what belongs to the part that starts at `startsAt`; how many bytes it took. */
  function fill(part: Uint8Array, startsAt: number, chunk: Uint8Array): number {
    const at = got - startsAt
    if (at < 0 || at >= part.length) return 0
    const taken = chunk.subarray(0, part.length - at)
    part.set(taken, at)
    got += taken.length
    return taken.length
  }

  return {
    push(chunk) {
      let rest = chunk
      while (rest.length > 0) {
        if (got < PREFIX) {
          rest = rest.subarray(fill(prefix, 0, rest))
          if (got === PREFIX) sized()
          continue
        }
        rest = rest.subarray(fill(head, PREFIX, rest))
        rest = rest.subarray(fill(body, PREFIX + head.length, rest))
        if (got < PREFIX + head.length + body.length) continue
        got = 0
        onMessage(JSON.parse(Buffer.from(head).toString()), body)
      }
    },
  }
}
