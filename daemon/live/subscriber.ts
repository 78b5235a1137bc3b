import type { Clock } from '../kernel/clock.ts'
import type { Audience, Frame } from './frame.ts'
import { createPace } from './pace.ts'
import type { Ring } from './ring.ts'

/** The network side of one listener. */
export interface Sink {
  send(text: string, frame: Frame | null): void
  /** Absent where the wire carries text only; then binary frames go out as their text. */
  sendBinary?(bytes: Uint8Array): void
  /** Bytes handed over that the network has not taken yet. */
  bufferedBytes(): number
  /** Nothing moved for too long. */
  cutOff(): void
}

export interface Subscriber {
  /** Listens to a topic from now on; answers the number that the topic stands at. */
  add(topic: string): number
  /** Sends what came after `since`, or a `gap` where that is gone; in the same turn as `add`, so that nothing slips between. */
  replay(topic: string, since: number): void
  remove(topic: string): void
  topics(): readonly string[]
  offer(frame: Frame): void
  close(): void
}

export interface SubscriberDeps {
  sink: Sink
  accepts: (audience: Audience) => boolean
  clock: Clock
  ringOf: (topic: string) => Ring
  onSkipped: () => void
  onClosed: (stuck: boolean) => void
}

/** Above this much waiting in the network only the newest frame of each topic is held. */
const BUFFER_BYTES = 256 * 1024
const RETRY_MS = 100
/** Binary frames are pictures of a moment: at most 15 a second, and none while older ones are still on the way. */
const BINARY_EVERY_MS = 1000 / 15
const BINARY_BUFFER_BYTES = 32 * 1024
const STUCK_MS = 30_000

interface Waiting {
  frame: Frame
  /** First and last number of what was dropped in front of `frame`; null when nothing was. */
  skipped: { from: number; to: number } | null
}

/** One listener. While its network is slow it falls behind to the newest frame of each topic and is told what it missed. */
export function createSubscriber(deps: SubscriberDeps): Subscriber {
  const { sink, clock } = deps
  const topics = new Set<string>()
  const waiting = new Map<string, Waiting>()
  let stopRetry: (() => void) | null = null
  let slowSinceMs = 0
  let closed = false

  const pace = createPace(clock, BINARY_EVERY_MS, (frame) => {
    if (!topics.has(frame.topic) || !deps.accepts(frame.audience)) return
    if (waiting.size > 0 || !hasRoom(frame)) hold(frame)
    else send(frame)
  })

  function hasRoom(frame: Frame): boolean {
    return sink.bufferedBytes() <= (frame.binary ? BINARY_BUFFER_BYTES : BUFFER_BYTES)
  }

  function send(frame: Frame): void {
    if (frame.binary && sink.sendBinary) sink.sendBinary(frame.binary)
    else sink.send(frame.text, frame)
  }

  function hold(frame: Frame): void {
    const held = waiting.get(frame.topic)
    if (held) deps.onSkipped()
    // Of binary frames only the newest counts, so that nothing is missed that anybody would fetch.
    const skipped =
      held && !frame.binary ? { from: held.skipped?.from ?? held.frame.seq, to: held.frame.seq } : null
    waiting.set(frame.topic, { frame, skipped })
    if (stopRetry) return
    slowSinceMs = clock.monotonic()
    stopRetry = clock.every(RETRY_MS, retry)
  }

  function retry(): void {
    for (const [topic, { frame, skipped }] of waiting) {
      if (!hasRoom(frame)) break
      waiting.delete(topic)
      if (!topics.has(topic) || !deps.accepts(frame.audience)) continue
      if (skipped) sink.send(gapText(topic, skipped.from, skipped.to), null)
      send(frame)
      slowSinceMs = clock.monotonic()
    }
    if (waiting.size === 0) stopWaiting()
    else if (clock.monotonic() - slowSinceMs >= STUCK_MS) end(true)
  }

  function stopWaiting(): void {
    stopRetry?.()
    stopRetry = null
  }

  function end(stuck: boolean): void {
    if (closed) return
    closed = true
    stopWaiting()
    waiting.clear()
    pace.close()
    topics.clear()
    deps.onClosed(stuck)
    if (stuck) sink.cutOff()
  }

  return {
    add(topic) {
      topics.add(topic)
      return deps.ringOf(topic).seq()
    },
    replay(topic, since) {
      const ring = deps.ringOf(topic)
      const missed = ring.after(since)
      if (missed === null) {
        sink.send(gapText(topic, Math.min(since + 1, ring.seq()), ring.seq()), null)
        return
      }
      for (const frame of missed) {
        if (!deps.accepts(frame.audience)) continue
        if (!hasRoom(frame)) {
          sink.send(gapText(topic, frame.seq, ring.seq()), null)
          return
        }
        send(frame)
      }
    },
    remove(topic) {
      topics.delete(topic)
      waiting.delete(topic)
      pace.forget(topic)
    },
    topics: () => [...topics],
    offer(frame) {
      if (closed || !topics.has(frame.topic) || !deps.accepts(frame.audience)) return
      if (frame.binary) pace.offer(frame)
      else if (waiting.size > 0 || !hasRoom(frame)) hold(frame)
      else send(frame)
    },
    close: () => end(false),
  }
}

function gapText(topic: string, from: number, to: number): string {
  return JSON.stringify({ type: 'gap', topic, from, to })
}
