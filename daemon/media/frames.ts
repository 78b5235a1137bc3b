/** One decoded picture: I420 planes (limited range, rows packed, chroma sizes rounded up), usually in shared memory. */
export interface MediaFrame {
  /** Grows by one with every picture that the camera's ring took. */
  seq: number
  width: number
  height: number
  /** When the picture was taken, in the hub's wall clock, as well as the source lets us know. */
  capturedAtMs: number
  /** When its last byte reached the hub. */
  arrivedAtMs: number
  data: Uint8Array
}

/** A picture that nobody overwrites until it is released. */
export interface HeldFrame extends MediaFrame {
  release(): void
}

/** A slot to fill. Exactly one of the two ends it. */
export interface OpenSlot {
  data: Uint8Array
  publish(times: { capturedAtMs: number; arrivedAtMs: number }): void
  abandon(): void
}

export interface FrameSize {
  width: number
  height: number
}

/** The pictures of one camera: a few slots in shared memory. The newest wins; whoever is slow misses pictures, and nobody waits. */
export interface FrameRing {
  /** A slot for a picture of this size; null, counted as dropped, while every slot is held. A larger size replaces the slots. */
  open(size: FrameSize): OpenSlot | null
  /** The newest picture, held; null before the first one. */
  newest(): HeldFrame | null
  /** Told after each picture; the returned function ends it. */
  onFrame(listener: () => void): () => void
  stats(): { published: number; dropped: number; held: number }
}

/** Bytes of an I420 picture. */
export function i420Bytes({ width, height }: FrameSize): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)
}

/** One is written, one is newest, one the models read, one a viewer reads. */
const SLOTS = 4

interface Slot {
  bytes: Uint8Array
  frame: MediaFrame | null
  holders: number
  writing: boolean
}

/** Allocates with the first picture. Held slots of an earlier size live until they are released. */
export function createFrameRing({ slots = SLOTS } = {}): FrameRing {
  const listeners = new Set<() => void>()
  let ring: Slot[] = []
  let newest: Slot | null = null
  let held = 0
  const counts = { published: 0, dropped: 0 }

  function allocate(bytes: number): void {
    ring = Array.from({ length: slots }, () => ({
      bytes: new Uint8Array(new SharedArrayBuffer(bytes)),
      frame: null,
      holders: 0,
      writing: false,
    }))
  }

  function publish(slot: Slot, frame: MediaFrame): void {
    slot.frame = frame
    newest = slot
    for (const listener of listeners) listener()
  }

  return {
    open(size) {
      const bytes = i420Bytes(size)
      if (ring.length === 0 || (ring[0]?.bytes.length ?? 0) < bytes) allocate(bytes)
      const slot = ring.find((each) => each.holders === 0 && !each.writing && each !== newest)
      if (slot === undefined) {
        counts.dropped++
        return null
      }
      slot.writing = true
      const data = slot.bytes.subarray(0, bytes)
      const end = () => {
        if (!slot.writing) throw new Error('The slot was already ended.')
        slot.writing = false
      }
      return {
        data,
        abandon: end,
        publish(times) {
          end()
          counts.published++
          publish(slot, { seq: counts.published, ...size, ...times, data })
        },
      }
    },
    newest() {
      const slot = newest
      if (slot?.frame == null) return null
      slot.holders++
      held++
      let released = false
      return {
        ...slot.frame,
        release() {
          if (released) return
          released = true
          slot.holders--
          held--
        },
      }
    },
    onFrame(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stats: () => ({ ...counts, held }),
  }
}
