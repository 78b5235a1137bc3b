import type { Source, SourceSink } from '../source.ts'

/** A camera that is there only while somebody brings a stream to it, such as a phone. The newest stream wins. */
export interface Relay extends Source {
  attach(source: Source): void
}

export function createRelay(): Relay {
  let sink: SourceSink | null = null
  let source: Source | null = null
  let close = () => {}

  function connect(): void {
    close()
    close = () => {}
    if (!sink || !source) return
    // A stream that ended leaves the camera waiting for the next one: its silence is noticed as such.
    close = source.start({ ...sink, failed: () => {} })
  }

  return {
    passive: true,
    start(to) {
      sink = to
      connect()
      return () => {
        if (sink !== to) return
        sink = null
        connect()
      }
    },
    attach(next) {
      source = next
      connect()
    },
  }
}
