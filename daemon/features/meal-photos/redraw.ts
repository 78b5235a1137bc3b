/** Draws a photo anew as JPEG: upright, without anything that its file says beside the pixels, and once more as a thumbnail. */
import turbo from '@julusian/jpeg-turbo'
import { decodeJpeg, jpegSize } from '../../../models/detect/jpeg.ts'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import { orientationInTiff, orientationOf } from './orientation.ts'
import { decodePng, isPng } from './png.ts'

export interface Redrawn {
  width: number
  height: number
  full: Uint8Array
  thumb: Uint8Array
}

/** Packed RGB, three bytes a pixel. */
interface Picture {
  width: number
  height: number
  data: Uint8Array
}

export const PIXELS_MAX = 24_000_000
/** The longer side of a thumbnail. */
export const THUMB_SIDE = 320
const FULL_QUALITY = 85
const THUMB_QUALITY = 78

/** Throws UnreadableInput for what is no whole JPEG or PNG of at most PIXELS_MAX pixels, before a pixel of a larger one is decoded. */
export function redraw(file: Uint8Array): Redrawn {
  const upright = isPng(file) ? ofPng(file) : ofJpeg(file)
  return {
    width: upright.width,
    height: upright.height,
    full: encoded(upright, FULL_QUALITY),
    thumb: encoded(shrunk(upright, THUMB_SIDE), THUMB_QUALITY),
  }
}

function ofJpeg(file: Uint8Array): Picture {
  const { width, height } = jpegSize(file)
  if (width * height > PIXELS_MAX)
    throw new UnreadableInput(
      `The photo is ${width} × ${height}; at most ${PIXELS_MAX / 1e6} megapixels are kept. Send a smaller one.`,
    )
  return turned(decodeJpeg(file), orientationOf(file))
}

function ofPng(file: Uint8Array): Picture {
  const { exif, ...picture } = decodePng(file, PIXELS_MAX)
  return turned(picture, exif ? orientationInTiff(exif) : 1)
}

/** The picture as its camera was held: EXIF's orientation, 1 to 8, worked into the pixels. */
function turned({ width, height, data }: Picture, orientation: number): Picture {
  if (orientation === 1) return { width, height, data }
  const swapped = orientation >= 5
  const fromRight = [2, 3, 7, 8].includes(orientation)
  const fromBottom = [3, 4, 6, 7].includes(orientation)
  const start = (fromRight ? width - 1 : 0) + (fromBottom ? (height - 1) * width : 0)
  const along = fromRight ? -1 : 1
  const down = fromBottom ? -width : width
  const [stepX, stepY] = swapped ? [down, along] : [along, down]
  const made = { width: swapped ? height : width, height: swapped ? width : height }
  const pixels = new Uint8Array(data.length)
  let at = 0
  for (let y = 0; y < made.height; y += 1) {
    for (let x = 0; x < made.width; x += 1) {
      const from = 3 * (start + x * stepX + y * stepY)
      pixels[at++] = data[from] ?? 0
      pixels[at++] = data[from + 1] ?? 0
      pixels[at++] = data[from + 2] ?? 0
    }
  }
  return { ...made, data: pixels }
}

/** At most `side` long, each pixel the mean of those it stands for; a smaller picture stays. */
function shrunk(picture: Picture, side: number): Picture {
  const scale = side / Math.max(picture.width, picture.height)
  if (scale >= 1) return picture
  const width = Math.max(1, Math.round(picture.width * scale))
  const height = Math.max(1, Math.round(picture.height * scale))
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y += 1) {
    const rows = stretch(y, height, picture.height)
    for (let x = 0; x < width; x += 1)
      putMean(picture, { ...rows, ...named(stretch(x, width, picture.width)) }, data, 3 * (y * width + x))
  }
  return { width, height, data }
}

/** Which of `long` pixels one of `short` stands for, at least one. */
function stretch(index: number, short: number, long: number): { top: number; bottom: number } {
  const top = Math.floor((index * long) / short)
  return { top, bottom: Math.max(top + 1, Math.floor(((index + 1) * long) / short)) }
}

function named({ top, bottom }: { top: number; bottom: number }) {
  return { left: top, right: bottom }
}

function putMean(
  { width, data }: Picture,
  { top, bottom, left, right }: { top: number; bottom: number; left: number; right: number },
  into: Uint8Array,
  at: number,
): void {
  let [red, green, blue] = [0, 0, 0]
  for (let y = top; y < bottom; y += 1) {
    for (let from = 3 * (y * width + left); from < 3 * (y * width + right); from += 3) {
      red += data[from] ?? 0
      green += data[from + 1] ?? 0
      blue += data[from + 2] ?? 0
    }
  }
  const count = (bottom - top) * (right - left)
  into[at] = Math.round(red / count)
  into[at + 1] = Math.round(green / count)
  into[at + 2] = Math.round(blue / count)
}

function encoded({ width, height, data }: Picture, quality: number): Uint8Array {
  const rgb = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const options = { width, height, quality, format: turbo.FORMAT_RGB, subsampling: turbo.SAMP_420 }
  return Uint8Array.from(turbo.compressSync(rgb, options))
}
