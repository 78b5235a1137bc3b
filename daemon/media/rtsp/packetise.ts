/** Access units into RTP payloads, as the simulated camera sends them: FU-A for H.264 (RFC 6184), and JPEG (RFC 2435). */

const FU_A = 28
const STAP_A = 24
const MAX_AGGREGATED = 0xffff

/** Payloads of at most `mtu` bytes for the NAL units of one picture, in order; small neighbours share a packet. */
export function packetiseH264(nals: readonly Uint8Array[], mtu: number): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let small: Uint8Array[] = []
  const flush = () => {
    if (small.length === 1) payloads.push(...small)
    else if (small.length > 1) payloads.push(stapA(small))
    small = []
  }
  for (const nal of nals) {
    const together = small.reduce((sum, each) => sum + 2 + each.length, 1 + 2 + nal.length)
    if (together > Math.min(mtu, MAX_AGGREGATED)) flush()
    if (nal.length > mtu) payloads.push(...fragments(nal, mtu))
    else small.push(nal)
  }
  flush()
  return payloads
}

function stapA(nals: readonly Uint8Array[]): Uint8Array {
  const importance = Math.max(...nals.map((nal) => (nal[0] ?? 0) & 0x60))
  return Buffer.concat([
    Uint8Array.of(STAP_A | importance),
    ...nals.flatMap((nal) => [Uint8Array.of(nal.length >> 8, nal.length & 0xff), nal]),
  ])
}

function fragments(nal: Uint8Array, mtu: number): Uint8Array[] {
  const header = nal[0] ?? 0
  const room = mtu - 2
  const payloads: Uint8Array[] = []
  for (let at = 1; at < nal.length; at += room) {
    const start = at === 1 ? 0x80 : 0
    const end = at + room >= nal.length ? 0x40 : 0
    const head = Uint8Array.of((header & 0xe0) | FU_A, start | end | (header & 0x1f))
    payloads.push(Buffer.concat([head, nal.subarray(at, at + room)]))
  }
  return payloads
}

const TABLES_IN_BAND = 255

/**
 * Payloads for one baseline JPEG with the standard Huffman tables, its quantisation tables in the first packet.
 * Null for a JPEG that RFC 2435 cannot carry: other sampling, other tables, sides above 2040 pixels.
 */
export function packetiseJpeg(jpeg: Uint8Array, mtu: number): Uint8Array[] | null {
  const parts = jpegParts(jpeg)
  if (parts === null) return null
  const { type, width, height, tables, restartInterval, scan } = parts
  const kind = restartInterval > 0 ? type | 0x40 : type
  const restart = restartInterval > 0 ? [restartInterval >> 8, restartInterval & 0xff, 0xff, 0xff] : []
  const payloads: Uint8Array[] = []
  for (let at = 0; at < scan.length; ) {
    const head = [
      0,
      at >> 16,
      (at >> 8) & 0xff,
      at & 0xff,
      kind,
      TABLES_IN_BAND,
      width >> 3,
      height >> 3,
      ...restart,
    ]
    if (at === 0) head.push(0, 0, tables.length >> 8, tables.length & 0xff, ...tables)
    const piece = scan.subarray(at, at + Math.max(1, mtu - head.length))
    payloads.push(Buffer.concat([Uint8Array.from(head), piece]))
    at += piece.length
  }
  return payloads
}

interface JpegParts {
  type: 0 | 1
  width: number
  height: number
  tables: Uint8Array
  restartInterval: number
  scan: Uint8Array
}

function jpegParts(jpeg: Uint8Array): JpegParts | null {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.length)
  const tables: Uint8Array[] = []
  let frame: { type: 0 | 1; width: number; height: number; selectors: [number, number] } | null = null
  let restartInterval = 0
  for (let at = 2; at + 4 <= jpeg.length; ) {
    const marker = view.getUint16(at)
    const length = view.getUint16(at + 2)
    const segment = jpeg.subarray(at + 4, at + 2 + length)
    at += 2 + length
    if (marker === 0xffdb) {
      for (let table = 0; table + 65 <= segment.length; table += 65) {
        tables[(segment[table] ?? 0) & 3] = segment.subarray(table + 1, table + 65)
      }
    } else if (marker === 0xffdd) restartInterval = ((segment[0] ?? 0) << 8) | (segment[1] ?? 0)
    else if (marker === 0xffc0) frame = frameOf(segment)
    else if (marker === 0xffda) {
      const luma = tables[frame?.selectors[0] ?? 0]
      const chroma = tables[frame?.selectors[1] ?? 0]
      if (frame === null || luma === undefined || chroma === undefined) return null
      const end = jpeg.at(-2) === 0xff && jpeg.at(-1) === 0xd9 ? jpeg.length - 2 : jpeg.length
      return {
        ...frame,
        tables: Buffer.concat([luma, chroma]),
        restartInterval,
        scan: jpeg.subarray(at, end),
      }
    } else if (marker >> 8 !== 0xff) return null
  }
  return null
}

function frameOf(segment: Uint8Array) {
  const height = ((segment[1] ?? 0) << 8) | (segment[2] ?? 0)
  const width = ((segment[3] ?? 0) << 8) | (segment[4] ?? 0)
  const sampling = segment[7]
  const plain = segment[10] === 0x11 && segment[13] === 0x11
  if (segment[0] !== 8 || segment[5] !== 3 || !plain || (sampling !== 0x21 && sampling !== 0x22)) return null
  if (width > 2040 || height > 2040 || width % 8 !== 0 || height % 8 !== 0) return null
  const selectors: [number, number] = [segment[8] ?? 0, segment[11] ?? 0]
  return { type: sampling === 0x21 ? (0 as const) : (1 as const), width, height, selectors }
}
