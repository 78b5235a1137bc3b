/** Decoded pictures, and how pieces of them become the input of a model. */

/** One picture: packed RGB, or I420 planes (limited range, as video decoders give). `data` may lie in shared memory. */
export interface Frame {
  format: 'rgb24' | 'i420'
  width: number
  height: number
  data: Uint8Array
}

/**
 * Which square of a frame a model looks at: its centre and side in pixels, turned by `rotation` (radians, clockwise as seen). It
 * may reach beyond the frame.
 */
export interface Region {
  cx: number
  cy: number
  size: number
  rotation: number
}

/** How pixel values become model input. */
export interface Encoding {
  /** Order of the three planes. */
  order: 'rgb' | 'bgr'
  /** Input value is `pixel * scale + offset`. */
  scale: number
  offset: number
  /** Pixel value outside the frame. */
  outside: number
}

/** The square around a whole frame, the frame in its middle. */
export function wholeFrame({ width, height }: Pick<Frame, 'width' | 'height'>): Region {
  return { cx: width / 2, cy: height / 2, size: Math.max(width, height), rotation: 0 }
}

/** Where a point of a region (both axes 0 to 1) lies in the frame, in pixels. */
export function toFrame(region: Region, u: number, v: number): { x: number; y: number } {
  const cos = Math.cos(region.rotation)
  const sin = Math.sin(region.rotation)
  const right = (u - 0.5) * region.size
  const down = (v - 0.5) * region.size
  return { x: region.cx + right * cos - down * sin, y: region.cy + right * sin + down * cos }
}

/** Bytes that a frame of this format and size must have. */
export function frameBytes({ format, width, height }: Pick<Frame, 'format' | 'width' | 'height'>): number {
  if (format === 'rgb24') return width * height * 3
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)
}

/**
 * Fills `out` with the region as `side` × `side` pixels, one plane a colour. Values between pixels are bilinear; the four
 * neighbours are enough because models were trained on the same. Pixels wholly outside the frame get the outside value.
 */
export function sampleRegion(
  frame: Frame,
  region: Region,
  side: number,
  encoding: Encoding,
  out: Float32Array,
): void {
  const step = region.size / side
  const cos = Math.cos(region.rotation) * step
  const sin = Math.sin(region.rotation) * step
  // Centre of the first pixel; a pixel's centre lies half a pixel from its corner in both pictures.
  const half = (side - 1) / 2
  const x0 = region.cx - 0.5 - half * cos + half * sin
  const y0 = region.cy - 0.5 - half * sin - half * cos
  const planes = { out, size: side * side, ...encoding }
  const fill = frame.format === 'rgb24' ? packedSpan(frame, planes) : planarSpan(frame, planes)
  out.fill(encoding.outside * encoding.scale + encoding.offset)
  for (let row = 0; row < side; row++) {
    const x = x0 - row * sin
    const y = y0 + row * cos
    const [fromX, toX] = columnsInside(x, cos, frame.width, side)
    const [fromY, toY] = columnsInside(y, sin, frame.height, side)
    const from = Math.max(fromX, fromY)
    const to = Math.min(toX, toY)
    if (from < to)
      fill({ x: x + from * cos, y: y + from * sin, cos, sin, at: row * side + from, count: to - from })
  }
}

/** First column, and the one after the last, whose coordinate lies within half a pixel of the frame's pixels. */
function columnsInside(start: number, step: number, length: number, side: number): [number, number] {
  return columnsBetween(start, step, -0.5, length - 0.5, side)
}

/** The same for coordinates above `least` and below `most`. */
function columnsBetween(
  start: number,
  step: number,
  least: number,
  most: number,
  side: number,
): [number, number] {
  const low = least - start
  const high = most - start
  if (step === 0) return low < 0 && high > 0 ? [0, side] : [0, 0]
  const [near, far] = step > 0 ? [low / step, high / step] : [high / step, low / step]
  return [Math.max(0, Math.floor(near) + 1), Math.min(side, Math.ceil(far))]
}

interface Planes extends Encoding {
  out: Float32Array
  /** Pixels of a plane. */
  size: number
}

/** A run of pixels: where it begins and steps in the frame, where it goes in the planes. All of it lies in the frame. */
interface Span {
  x: number
  y: number
  cos: number
  sin: number
  at: number
  count: number
}

/** Packed RGB, a span at a time: this loop is most of the work beside the model itself. */
function packedSpan({ width, height, data }: Frame, { out, size, order, scale, offset }: Planes) {
  const red = order === 'rgb' ? 0 : 2 * size
  const blue = 2 * size - red
  const lastX = width - 1
  const lastY = height - 1
  const line = width * 3
  return ({ x, y, cos, sin, at: first, count }: Span): void => {
    for (let step = 0, at = first; step < count; step++, at++) {
      const inX = Math.max(0, Math.min(x + step * cos, lastX))
      const inY = Math.max(0, Math.min(y + step * sin, lastY))
      const left = inX | 0
      const top = inY | 0
      const partX = (inX - left) * scale
      const partY = inY - top
      const a = top * line + left * 3
      const b = left < lastX ? a + 3 : a
      const c = top < lastY ? a + line : a
      const d = c + b - a
      const weightD = partX * partY
      const weightB = partX - weightD
      const weightC = partY * scale - weightD
      const weightA = scale - partX - weightC
      out[at + red] =
        at8(data, a) * weightA +
        at8(data, b) * weightB +
        at8(data, c) * weightC +
        at8(data, d) * weightD +
        offset
      out[at + size] =
        at8(data, a + 1) * weightA +
        at8(data, b + 1) * weightB +
        at8(data, c + 1) * weightC +
        at8(data, d + 1) * weightD +
        offset
      out[at + blue] =
        at8(data, a + 2) * weightA +
        at8(data, b + 2) * weightB +
        at8(data, c + 2) * weightC +
        at8(data, d + 2) * weightD +
        offset
    }
  }
}

/** Numbers with 16 bits after the point. */
const FIXED_BITS = 16
const ONE = 1 << FIXED_BITS
/** A step is exact to 2^-17 of a pixel, so the longest row ends well within this of where it should. */
const DRIFT_PX = 1 / 16
/** Colours reach this far beyond 0 to 255 before they are cut. */
const BEYOND = 384

/**
 * I420: brightness is bilinear, colour comes from the nearest place of its quarter-size planes; BT.601, limited range. Within the
 * frame it is reckoned in whole numbers and rounded to the 8 bits that a colour picture has, which takes half the time.
 */
function planarSpan(frame: Frame, planes: Planes) {
  const { width, height, data } = frame
  const { out, size, order, scale, offset } = planes
  const edge = planarEdge(frame, planes)
  const red = order === 'rgb' ? 0 : 2 * size
  const blue = 2 * size - red
  const colourWidth = (width + 1) >> 1
  const blueAt = width * height
  const redAt = blueAt + colourWidth * ((height + 1) >> 1)
  const values = Float32Array.from({ length: 1024 }, (_, at) => within8(at - BEYOND) * scale + offset)
  const rounding = (BEYOND << FIXED_BITS) + ONE / 2
  return ({ x, y, cos, sin, at: first, count }: Span): void => {
    const [from, to] = innerColumns({ x, y, cos, sin, count }, frame)
    edge({ x, y, cos, sin, at: first, count: from })
    edge({ x: x + to * cos, y: y + to * sin, cos, sin, at: first + to, count: count - to })
    const stepX = Math.round(cos * ONE)
    const stepY = Math.round(sin * ONE)
    let fixedX = Math.round((x + from * cos) * ONE)
    let fixedY = Math.round((y + from * sin) * ONE)
    const end = first + to
    // `| 0` says that a product fits 32 bits, without which it is reckoned as a fraction.
    for (let at = first + from; at < end; at++, fixedX += stepX, fixedY += stepY) {
      const a = ((fixedY >> 16) * width + (fixedX >> 16)) | 0
      const partX = (fixedX >> 8) & 255
      const partY = (fixedY >> 8) & 255
      const upperLeft = data[a] ?? 0
      const lowerLeft = data[a + width] ?? 0
      const upper = ((upperLeft << 8) + ((data[a + 1] ?? 0) - upperLeft) * partX) | 0
      const lower = ((lowerLeft << 8) + ((data[a + width + 1] ?? 0) - lowerLeft) * partX) | 0
      // 8 bits after the point, times 1.164 with 8 more.
      const bright = ((upper + (((lower - upper) * partY) >> 8) - (16 << 8)) * 298 + rounding) | 0
      const colour = (((fixedY + ONE / 2) >> 17) * colourWidth + ((fixedX + ONE / 2) >> 17)) | 0
      const u = (data[blueAt + colour] ?? 0) - 128
      const v = (data[redAt + colour] ?? 0) - 128
      // 1.596, 0.392, 0.813 and 2.017.
      out[at + red] = values[(bright + v * 104_595) >> 16] ?? 0
      out[at + size] = values[(bright - u * 25_690 - v * 53_281) >> 16] ?? 0
      out[at + blue] = values[(bright + u * 132_186) >> 16] ?? 0
    }
  }
}

/** Columns of a span whose four neighbours all lie in the frame: the first, and the one after the last. */
function innerColumns(
  { x, y, cos, sin, count }: Omit<Span, 'at'>,
  { width, height }: Frame,
): [number, number] {
  const [fromX, toX] = columnsBetween(x, cos, DRIFT_PX, width - 1 - DRIFT_PX, count)
  const [fromY, toY] = columnsBetween(y, sin, DRIFT_PX, height - 1 - DRIFT_PX, count)
  const from = Math.max(fromX, fromY)
  return [Math.min(from, count), Math.max(Math.min(from, count), Math.min(toX, toY))]
}

/** The same for pixels at the frame's edge, whose neighbours may be missing. */
function planarEdge({ width, height, data }: Frame, { out, size, order, scale, offset }: Planes) {
  const red = order === 'rgb' ? 0 : 2 * size
  const blue = 2 * size - red
  const lastX = width - 1
  const lastY = height - 1
  const colourWidth = (width + 1) >> 1
  const blueAt = width * height
  const redAt = blueAt + colourWidth * ((height + 1) >> 1)
  return ({ x, y, cos, sin, at: first, count }: Span): void => {
    for (let step = 0, at = first; step < count; step++, at++) {
      const inX = Math.max(0, Math.min(x + step * cos, lastX))
      const inY = Math.max(0, Math.min(y + step * sin, lastY))
      const left = inX | 0
      const top = inY | 0
      const a = top * width + left
      const b = left < lastX ? a + 1 : a
      const down = top < lastY ? width : 0
      const upper = at8(data, a) + (at8(data, b) - at8(data, a)) * (inX - left)
      const lower = at8(data, a + down) + (at8(data, b + down) - at8(data, a + down)) * (inX - left)
      const bright = 1.164 * (upper + (lower - upper) * (inY - top) - 16)
      const colour = ((inY + 0.5) >> 1) * colourWidth + ((inX + 0.5) >> 1)
      const u = at8(data, blueAt + colour) - 128
      const v = at8(data, redAt + colour) - 128
      out[at + red] = within8(bright + 1.596 * v) * scale + offset
      out[at + size] = within8(bright - 0.392 * u - 0.813 * v) * scale + offset
      out[at + blue] = within8(bright + 2.017 * u) * scale + offset
    }
  }
}

/** The callers stay inside the frame, so the fallback is never taken. */
function at8(data: Uint8Array, index: number): number {
  return data[index] ?? 0
}

function within8(value: number): number {
  return Math.max(0, Math.min(value, 255))
}
