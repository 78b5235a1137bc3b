/** One camera's pictures as JPEG, made once for all who look, and only while somebody does. */
import type { FrameRing } from '../frames.ts'
import type { Times } from '../source.ts'
import type { Encoder } from './encoder.ts'

export interface JpegPicture {
  /** Grows with every picture. */
  seq: number
  jpeg: Uint8Array
  capturedAtMs: number
}

export interface Pictures {
  /** The newest picture; null before the first one. At most one is being made at any time. */
  newest(): Promise<JpegPicture | null>
  /** Told when there is a newer one; the returned function ends it. */
  onPicture(listener: () => void): () => void
  stop(): void
}

export interface PicturesDeps {
  ring: FrameRing
  /** Whole JPEGs of a camera that sends such; they are shown untouched. */
  onJpeg: (listener: (jpeg: Uint8Array, times: Times) => void) => () => void
  encoder: Encoder
}

export function createPictures({ ring, onJpeg, encoder }: PicturesDeps): Pictures {
  const listeners = new Set<() => void>()
  let sent: JpegPicture | null = null
  let made: JpegPicture | null = null
  let making: Promise<JpegPicture | null> | null = null
  let sentCount = 0

  const stopJpeg = onJpeg((jpeg, { capturedAtMs }) => {
    sent = { seq: ++sentCount, jpeg, capturedAtMs }
    for (const listener of [...listeners]) listener()
  })
  // A camera that sends JPEG is told of above, before it is decoded.
  const stopFrames = ring.onFrame(() => {
    if (sent === null) for (const listener of [...listeners]) listener()
  })

  async function make(): Promise<JpegPicture | null> {
    const frame = ring.newest()
    if (!frame) return null
    try {
      if (made?.seq === frame.seq) return made
      const { seq, capturedAtMs } = frame
      made = { seq, capturedAtMs, jpeg: await encoder.encode(frame) }
      return made
    } finally {
      frame.release()
    }
  }

  return {
    async newest() {
      if (sent) return sent
      making ??= make().finally(() => {
        making = null
      })
      return making
    },
    onPicture(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stop() {
      stopJpeg()
      stopFrames()
      listeners.clear()
      sent = null
      made = null
    },
  }
}
