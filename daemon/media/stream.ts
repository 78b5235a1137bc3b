import { createDecoder, type Decoder } from './decoder/decoder.ts'
import type { DecoderSettings } from './decoder/sandbox.ts'
import type { FrameRing, FrameSize } from './frames.ts'
import {
  type AccessUnit,
  type Codec,
  type Source,
  SourceFailure,
  type StreamFacts,
  type Times,
} from './source.ts'

export interface StreamDeps {
  source: Source
  ring: FrameRing
  decoder: DecoderSettings
  /** The stream's facts became known or changed. */
  onDescribed(facts: StreamFacts): void
  onUnit(unit: AccessUnit): void
  /** A picture is in the ring. */
  onPicture(times: Times): void
  onDropped(pictures: number): void
  /** The attempt is over. Nothing follows. */
  onFailed(cause: SourceFailure): void
}

/** One attempt at a source. */
export interface Stream {
  /** Begins; once. What it tells may come before this returns. */
  start(): void
  /** Closes the source and ends the decoder; resolves once it is gone. */
  close(): Promise<void>
  /** What a silence of pictures amounts to. */
  silence(): SourceFailure
}

/** Joins a source to the decoder that its codec needs, and both to the ring. */
export function createStream(deps: StreamDeps): Stream {
  let facts: StreamFacts | null = null
  let decoder: Decoder | null = null
  let decodes: Codec | null = null
  let closeSource: (() => void) | null = null
  let over = false
  let problem: SourceFailure | null = null
  let units = 0
  let seen = false

  function described(found: StreamFacts): void {
    if (over) return
    facts = found
    deps.onDescribed(found)
  }

  function failed(cause: SourceFailure): void {
    if (over) return
    void close()
    deps.onFailed(cause)
  }

  function close(): Promise<void> {
    over = true
    decoder?.stop()
    closeSource?.()
    closeSource = null
    return decoder?.gone ?? Promise.resolve()
  }

  function pictured({ width, height }: FrameSize, times: Times): void {
    if (over) return
    if (facts && (facts.width !== width || facts.height !== height)) described({ ...facts, width, height })
    seen = true
    problem = null
    deps.onPicture(times)
  }

  function decoderFor(codec: Codec): Decoder {
    if (decoder && decodes === codec) return decoder
    decoder?.stop()
    decodes = codec
    decoder = createDecoder({
      settings: deps.decoder,
      codec,
      ring: deps.ring,
      onPicture: pictured,
      onDropped: deps.onDropped,
      onFailed: failed,
    })
    return decoder
  }

  function unit(each: AccessUnit): void {
    if (over) return
    if (deps.decoder.version === null) {
      failed(
        new SourceFailure(
          'unsupported',
          'There is no ffmpeg on this machine to decode video. Install the package ffmpeg and start the hub again.',
        ),
      )
      return
    }
    try {
      decoderFor(each.codec).feed(each)
      units++
      deps.onUnit(each)
    } catch (cause) {
      if (!(cause instanceof SourceFailure)) throw cause
      if (each.codec === 'jpeg' && cause.code === 'malformed') unreadable(cause)
      else failed(cause)
    }
  }

  /** One damaged JPEG costs itself; the next one stands alone. */
  function unreadable(cause: SourceFailure): void {
    problem = cause
    deps.onDropped(1)
  }

  function picture(size: FrameSize, times: Times, fill: (data: Uint8Array) => void): void {
    if (over) return
    const slot = deps.ring.open(size)
    if (!slot) return
    fill(slot.data)
    slot.publish(times)
    pictured(size, times)
  }

  function silence(): SourceFailure {
    if (problem) return problem
    return units > 0 && !seen
      ? new SourceFailure('malformed', 'The camera sends video, but no picture could be decoded from it.')
      : new SourceFailure(
          'stalled',
          'No picture comes from the camera. It is tried again by itself; check its power and its network.',
        )
  }

  function start(): void {
    const opened = deps.source.start({ described, unit, picture, failed })
    if (over) opened()
    else closeSource = opened
  }

  return { start, close, silence }
}
