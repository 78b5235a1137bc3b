/** What a phone or browser sends by WebRTC, as a camera's source. */
import type { Clock } from '../../kernel/clock.ts'
import type { FrameSize } from '../frames.ts'
import { type FailureCode, type Source, SourceFailure, type SourceSink } from '../source.ts'

export interface Reception {
  source: Source
  /** A picture that waited `waitedMs` in the process. */
  picture(size: FrameSize, waitedMs: number, data: Uint8Array): void
  ended(code: FailureCode, message: string): void
}

/** The source can be started again while the connection lasts; when it ended, every start fails. */
export function createReception(clock: Clock): Reception {
  let sink: SourceSink | null = null
  let described: FrameSize | null = null
  let failure: SourceFailure | null = null

  function fail(cause: SourceFailure): void {
    const listener = sink
    sink = null
    listener?.failed(cause)
  }

  return {
    source: {
      start(to) {
        sink = to
        described = null
        if (failure) {
          const cause = failure
          queueMicrotask(() => sink === to && fail(cause))
        }
        return () => {
          if (sink === to) sink = null
        }
      },
    },
    picture(size, waitedMs, data) {
      if (!sink) return
      if (described?.width !== size.width || described.height !== size.height) {
        described = size
        sink.described({ codec: 'raw', ...size, declaredFps: null, clock: 'arrival' })
      }
      const arrivedAtMs = clock.now()
      const capturedAtMs = Math.round(arrivedAtMs - waitedMs)
      sink.picture(size, { capturedAtMs, arrivedAtMs }, (slot) => slot.set(data))
    },
    ended(code, message) {
      failure ??= new SourceFailure(code, message)
      fail(failure)
    },
  }
}
