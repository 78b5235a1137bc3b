import type { Frame } from './frame.ts'

/** What a topic remembers for those who were away for a moment. */
export interface Ring {
  /** Number of the newest frame, or where counting starts. */
  seq(): number
  push(frame: Frame): void
  /** The frames after `seq`; null when some of them are gone, or `seq` is not one of this boot's numbers. */
  after(seq: number): readonly Frame[] | null
}

const FRAMES_KEPT = 256
const BYTES_KEPT = 256 * 1024

/** A bounded past: the oldest frame leaves when there are too many or they are too big. */
export function createRing(start: number): Ring {
  const frames: Frame[] = []
  let newest = start
  let bytes = 0
  let hasLatest = false
  function empty(): void {
    frames.length = 0
    bytes = 0
  }
  return {
    seq: () => newest,
    push(frame) {
      // Of binary frames only the newest is worth having; it stands for all before it.
      if (frame.binary) empty()
      hasLatest = frame.binary !== undefined
      frames.push(frame)
      newest = frame.seq
      bytes += frame.bytes
      while (frames.length > FRAMES_KEPT || (bytes > BYTES_KEPT && frames.length > 1)) {
        bytes -= frames.shift()?.bytes ?? 0
      }
    },
    after(seq) {
      if (hasLatest && seq <= newest) return seq < newest ? frames.slice(-1) : []
      const oldestMissable = newest - frames.length
      if (seq > newest || seq < oldestMissable) return null
      return frames.slice(frames.length - (newest - seq))
    },
  }
}
