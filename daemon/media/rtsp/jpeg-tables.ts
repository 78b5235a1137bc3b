/** The tables that RFC 2435 leaves out of the packets, and the JPEG header that is made of them. */

/** Zig-zag order, RFC 2435 appendix A. */
const LUMA = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58,
  51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103,
  62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
]
const CHROMA = [
  17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
]

/** Luma and chroma tables, 128 bytes, for a Q of 1 to 99 (RFC 2435 section 4.2). */
export function quantTables(q: number): Uint8Array {
  const factor = q < 50 ? Math.floor(5000 / q) : 200 - q * 2
  return Uint8Array.from([...LUMA, ...CHROMA], (value) =>
    Math.min(255, Math.max(1, Math.floor((value * factor + 50) / 100))),
  )
}

/** Code counts by length and the values: the standard tables of ITU T.81 annex K. */
const DC_VALUES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
const DC_LUMA = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
const DC_CHROMA = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
const AC_LUMA = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125]
const AC_CHROMA = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119]
const AC_LUMA_VALUES = Buffer.from(
  '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
  'hex',
)
const AC_CHROMA_VALUES = Buffer.from(
  '0001020311040521310612415107617113223281081442 91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa'.replace(
    ' ',
    '',
  ),
  'hex',
)

/** `DHT` segments of the four standard Huffman tables, without marker and length. */
export const HUFFMAN: readonly Uint8Array[] = [
  Uint8Array.from([0x00, ...DC_LUMA, ...DC_VALUES]),
  Uint8Array.from([0x10, ...AC_LUMA, ...AC_LUMA_VALUES]),
  Uint8Array.from([0x01, ...DC_CHROMA, ...DC_VALUES]),
  Uint8Array.from([0x11, ...AC_CHROMA, ...AC_CHROMA_VALUES]),
]

export interface JpegHeader {
  width: number
  height: number
  /** 0: 4:2:2, 1: 4:2:0 (RFC 2435 section 3.1.3). */
  type: 0 | 1
  /** One table of 64 or two. */
  tables: Uint8Array
  restartInterval: number
}

/** All markers before the entropy-coded data. */
export function jpegHeader({ width, height, type, tables, restartInterval }: JpegHeader): Uint8Array {
  const segments: number[][] = []
  const segment = (marker: number, bytes: ArrayLike<number>) => {
    const length = bytes.length + 2
    segments.push([0xff, marker, length >> 8, length & 0xff, ...Array.from(bytes)])
  }
  for (let at = 0; at + 64 <= tables.length; at += 64) {
    segment(0xdb, [at / 64, ...tables.subarray(at, at + 64)])
  }
  if (restartInterval > 0) segment(0xdd, [restartInterval >> 8, restartInterval & 0xff])
  const chromaTable = tables.length > 64 ? 1 : 0
  const luma = type === 0 ? 0x21 : 0x22
  segment(0xc0, [
    8,
    height >> 8,
    height & 0xff,
    width >> 8,
    width & 0xff,
    3,
    ...[1, luma, 0],
    ...[2, 0x11, chromaTable],
    ...[3, 0x11, chromaTable],
  ])
  for (const table of HUFFMAN) segment(0xc4, table)
  segment(0xda, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])
  return Uint8Array.from([0xff, 0xd8, ...segments.flat()])
}
