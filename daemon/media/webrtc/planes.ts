/** Turns and halves I420 pictures, so that what leaves the WebRTC process stands upright and what is encoded is not needlessly large. */
import { type FrameSize, i420Bytes } from '../frames.ts'

export interface Planes extends FrameSize {
  data: Uint8Array
}

interface Plane extends FrameSize {
  from: number
}

function planesOf({ width, height }: FrameSize): Plane[] {
  const chroma = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) }
  const luma = width * height
  return [
    { from: 0, width, height },
    { from: luma, ...chroma },
    { from: luma + chroma.width * chroma.height, ...chroma },
  ]
}

/** The picture turned clockwise by 90, 180 or 270 degrees; the same one for any other angle. */
export function upright(picture: Planes, degrees: number): Planes {
  if (degrees !== 90 && degrees !== 180 && degrees !== 270) return picture
  const size =
    degrees === 180
      ? { width: picture.width, height: picture.height }
      : { width: picture.height, height: picture.width }
  const data = new Uint8Array(i420Bytes(size))
  let at = 0
  for (const { from, width, height } of planesOf(picture)) {
    const [start, stepX, stepY] =
      degrees === 90
        ? [from + (height - 1) * width, -width, 1]
        : degrees === 180
          ? [from + height * width - 1, -1, -width]
          : [from + width - 1, width, -1]
    const [columns, rows] = degrees === 180 ? [width, height] : [height, width]
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) data[at++] = picture.data[start + y * stepY + x * stepX] ?? 0
  }
  return { ...size, data }
}

/** Half of an edge, even, because encoders want whole chroma samples. */
const halfEven = (edge: number) => Math.floor(edge / 4) * 2

/** Size after halving. */
export function halfOf({ width, height }: FrameSize): FrameSize {
  return { width: halfEven(width), height: halfEven(height) }
}

/** Writes the mean of every 2 x 2 samples into `out`, which has the bytes of `halfOf(picture)`. */
export function halve(picture: Planes, out: Uint8Array): void {
  const targets = planesOf(halfOf(picture))
  planesOf(picture).forEach(({ from, width }, index) => {
    const target = targets[index]
    if (target) halvePlane(picture.data, from, width, out, target)
  })
}

function halvePlane(data: Uint8Array, from: number, stride: number, out: Uint8Array, target: Plane): void {
  let at = target.from
  for (let y = 0; y < target.height; y++) {
    let above = from + 2 * y * stride
    for (let x = 0; x < target.width; x++) {
      const sum =
        (data[above] ?? 0) +
        (data[above + 1] ?? 0) +
        (data[above + stride] ?? 0) +
        (data[above + stride + 1] ?? 0)
      out[at++] = (sum + 2) >> 2
      above += 2
    }
  }
}
