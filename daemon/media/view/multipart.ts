/** Pictures one after the other in one answer, the way that every browser has shown since the nineties. */
import type { Writable } from 'node:stream'
import type { Clock } from '../../kernel/clock.ts'
import type { JpegPicture, Pictures } from './pictures.ts'

export interface ShowOptions {
  /** At most this many a second. */
  fps: number
  boundary: string
  clock: Pick<Clock, 'monotonic' | 'after'>
}

/**
 * Writes each newer picture to `out` until the returned function is called. A reader that has not taken the last one misses
 * what comes meanwhile and then gets the newest, so nothing but one picture ever waits for it.
 */
export function showPictures(
  pictures: Pictures,
  out: Writable,
  { fps, boundary, clock }: ShowOptions,
): () => void {
  const everyMs = 1000 / fps
  let lastSeq = 0
  // A camera's own clock jitters: a picture that comes a little early is still in time.
  let dueMs = Number.NEGATIVE_INFINITY
  let state: 'idle' | 'busy' | 'ended' = 'idle'
  let missed = false
  let cancelTimer = () => {}

  async function next(): Promise<void> {
    if (state !== 'idle') {
      missed = true
      return
    }
    const nowMs = clock.monotonic()
    if (nowMs < dueMs) {
      cancelTimer()
      cancelTimer = clock.after(dueMs - nowMs, () => void next())
      return
    }
    state = 'busy'
    missed = false
    const picture = await pictures.newest().catch(() => null)
    if (isEnded()) return
    const isNew = picture !== null && picture.seq !== lastSeq
    if (isNew) {
      lastSeq = picture.seq
      dueMs = Math.max(dueMs + everyMs, nowMs + everyMs * 0.5)
      await write(picture)
    }
    if (isEnded()) return
    state = 'idle'
    if (missed) void next()
  }

  const isEnded = () => state === 'ended'

  function write({ jpeg, capturedAtMs }: JpegPicture): Promise<void> {
    const head =
      `--${boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n` +
      `X-Captured-At: ${new Date(capturedAtMs).toISOString()}\r\n\r\n`
    out.cork()
    out.write(head, 'latin1')
    out.write(jpeg)
    const isTaken = out.write('\r\n', 'latin1')
    out.uncork()
    if (isTaken || out.writableNeedDrain === false) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        out.off('drain', done)
        out.off('close', done)
        resolve()
      }
      out.on('drain', done)
      out.on('close', done)
    })
  }

  const stopListening = pictures.onPicture(() => void next())
  void next()
  return () => {
    state = 'ended'
    stopListening()
    cancelTimer()
  }
}
