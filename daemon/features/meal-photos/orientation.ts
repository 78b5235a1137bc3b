/** How a camera was held, from a JPEG's EXIF; everything in it is somebody else's word, so each step is bounded. */

const EXIF = 'Exif\0\0'
const APP1 = 0xe1
const START_OF_SCAN = 0xda
const LITTLE_ENDIAN = 0x4949
const BIG_ENDIAN = 0x4d4d
const ORIENTATION_TAG = 0x0112
const SHORT = 3
const ENTRY_BYTES = 12
const ENTRIES_MAX = 256

/** EXIF's orientation, 1 to 8; 1 (upright) where the file says none or nonsense. */
export function orientationOf(jpeg: Uint8Array): number {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  let at = 2
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    const marker = jpeg[at + 1]
    if (marker === START_OF_SCAN) break
    if (marker === 0xff) {
      at += 1
      continue
    }
    const length = view.getUint16(at + 2)
    const end = Math.min(at + 2 + length, jpeg.length)
    if (marker === APP1 && Buffer.from(jpeg.subarray(at + 4, at + 10)).toString('latin1') === EXIF)
      return orientationInTiff(jpeg.subarray(at + 10, end))
    at += 2 + length
  }
  return 1
}

/** The same of EXIF's own block, as a PNG carries it. */
export function orientationInTiff(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  if (tiff.length < 8) return 1
  const order = view.getUint16(0)
  if (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN) return 1
  const little = order === LITTLE_ENDIAN
  const first = view.getUint32(4, little)
  if (first + 2 > tiff.length) return 1
  const count = Math.min(view.getUint16(first, little), ENTRIES_MAX)
  for (let index = 0; index < count; index += 1) {
    const at = first + 2 + index * ENTRY_BYTES
    if (at + ENTRY_BYTES > tiff.length) return 1
    if (view.getUint16(at, little) !== ORIENTATION_TAG) continue
    const value = view.getUint16(at + 2, little) === SHORT ? view.getUint16(at + 8, little) : 1
    return value >= 1 && value <= 8 ? value : 1
  }
  return 1
}
