import type { Clock } from '../kernel/clock.ts'
import type { MeasuredStream } from './camera.ts'
import type { DecoderSettings } from './decoder/sandbox.ts'
import { createFrameRing, type FrameRing, type MediaFrame } from './frames.ts'
import { createMeter } from './meter.ts'
import type { Source, SourceFailure, StreamFacts } from './source.ts'
import { createStream } from './stream.ts'

/** How long an attempt may take before it is called off. */
const PATIENCE_MS = 8_000
/** How long pictures are watched once they come, to measure rate and keyframes. */
const WATCH_MS = 2_500

export interface Probed {
  stream: MeasuredStream
  /** From the start of the attempt to the first picture. */
  firstFrameMs: number
  /** A copy of a picture, for a preview. */
  frame: MediaFrame
}

export interface ProbeDeps {
  source: Source
  clock: Clock
  decoder: DecoderSettings
  /** At most this long altogether. */
  forMs?: number
}

/** Looks at a camera once. Rejects with SourceFailure; leaves neither child nor socket behind either way. */
export async function probe({ source, clock, decoder, forMs = PATIENCE_MS }: ProbeDeps): Promise<Probed> {
  const ring = createFrameRing()
  const meter = createMeter()
  const startedMs = clock.monotonic()
  const seen: { facts: StreamFacts | null; firstFrameMs: number | null } = { facts: null, firstFrameMs: null }
  const timers: (() => void)[] = []
  const over = outcome()
  const end = (cause: () => SourceFailure) =>
    seen.firstFrameMs === null ? over.reject(cause()) : over.resolve()
  const stream = createStream({
    source,
    ring,
    decoder,
    onDescribed(facts) {
      seen.facts = facts
    },
    onUnit: (unit) => meter.unit(unit),
    onPicture(times) {
      meter.picture(times)
      if (seen.firstFrameMs !== null) return
      seen.firstFrameMs = clock.monotonic() - startedMs
      timers.push(clock.after(WATCH_MS, over.resolve))
    },
    onDropped: () => {},
    onFailed: (cause) => end(() => cause),
  })
  try {
    timers.push(clock.after(forMs, () => end(stream.silence)))
    stream.start()
    await over.promise
    const { facts, firstFrameMs } = seen
    const frame = copied(ring)
    if (!facts || firstFrameMs === null || !frame) throw stream.silence()
    return { stream: { ...facts, ...meter.measured(true) }, firstFrameMs, frame }
  } finally {
    for (const cancel of timers) cancel()
    await stream.close()
  }
}

function outcome() {
  let resolve = () => {}
  let reject: (cause: SourceFailure) => void = () => {}
  const promise = new Promise<void>((onResolved, onRejected) => {
    resolve = onResolved
    reject = onRejected
  })
  return { promise, resolve, reject }
}

function copied(ring: FrameRing): MediaFrame | null {
  const held = ring.newest()
  if (!held) return null
  const { release, ...frame } = held
  const copy = { ...frame, data: held.data.slice() }
  release()
  return copy
}
