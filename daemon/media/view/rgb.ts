import type { FrameSize } from '../frames.ts'

/**
 * I420 (limited range) to RGB by BT.601, which is what JPEG files are read as; 16.16 fixed point, two rows and two columns at
 * a time because they share their chroma.
 */
export function i420ToRgb(i420: Uint8Array, { width, height }: FrameSize, rgb: Uint8Array): void {
  const chromaWidth = Math.ceil(width / 2)
  const uAt = width * height
  const vAt = uAt + chromaWidth * Math.ceil(height / 2)
  // The array's own clamping rounds and cuts for free.
  const out = new Uint8ClampedArray(rgb.buffer, rgb.byteOffset, rgb.byteLength)
  for (let row = 0; row < height; row++) {
    const chromaRow = (row >> 1) * chromaWidth
    let to = row * width * 3
    for (let column = 0; column < width; column++) {
      const chroma = chromaRow + (column >> 1)
      const u = (i420[uAt + chroma] ?? 128) - 128
      const v = (i420[vAt + chroma] ?? 128) - 128
      const y = ((i420[row * width + column] ?? 16) - 16) * 76_309 + 32_768
      out[to] = (y + 104_597 * v) >> 16
      out[to + 1] = (y - 25_675 * u - 53_279 * v) >> 16
      out[to + 2] = (y + 132_201 * u) >> 16
      to += 3
    }
  }
}
