import type { Clock } from '../kernel/clock.ts'
import { iso } from '../kernel/envelope.ts'
import { type Audience, type Frame, packFrame } from './frame.ts'
import { createRing, type Ring } from './ring.ts'
import { createSubscriber, type Sink, type Subscriber } from './subscriber.ts'

export interface LiveStats {
  topics: number
  subscribers: number
  published: number
  /** Topics forgotten because there were too many. */
  evicted: number
  /** Frames that a slow subscriber never got; each was told as a gap. */
  skipped: number
  /** Subscribers cut off because nothing moved. */
  cutOff: number
}

export interface Live {
  /** Sends an event to everybody on the topic whom `audience` covers; answers its sequence number. */
  publish(topic: string, type: string, data: unknown, audience: Audience): number
  /**
   * Sends an event with many numbers as a binary message. `inline` makes the data for wires that carry text only. Each subscriber
   * gets at most 15 a second of a topic, always the newest, and nobody is told of those left out.
   */
  publishBinary(topic: string, type: string, event: BinaryEvent, audience: Audience): number
  /** Whether anybody listens to the topic: what is costly to make need not be made for nobody. */
  isHeard(topic: string): boolean
  /** Adds somebody who listens; `accepts` is asked for every frame, at the moment it goes out. */
  subscribe(sink: Sink, accepts: (audience: Audience) => boolean): Subscriber
  stats(): LiveStats
}

export interface BinaryEvent {
  data: unknown
  numbers: Float32Array
  inline: () => unknown
}

export interface LiveDeps {
  clock: Clock
  /**
   * The number that this boot starts to count from, above every number of earlier boots (the wall clock in microseconds):
   * a client that comes back after a restart then hears `gap` and is never given somebody else's past.
   */
  base: number
}

/** Above this the topic that was quiet longest is forgotten; whoever asks for its past hears `gap`. */
const TOPICS_KEPT = 2000

/** Fans events out to the live channel: numbered by topic, with a short past to replay, never waiting for a slow reader. */
export function createLive({ clock, base }: LiveDeps): Live {
  const topics = new Map<string, Ring>()
  const subscribers = new Set<Subscriber>()
  const stats: LiveStats = { topics: 0, subscribers: 0, published: 0, evicted: 0, skipped: 0, cutOff: 0 }
  // Where a topic starts to count: at or above every number that a forgotten topic of the same name ever had.
  let floor = base

  function ringOf(topic: string): Ring {
    const known = topics.get(topic)
    if (known) {
      topics.delete(topic)
      topics.set(topic, known)
      return known
    }
    const made = createRing(floor)
    topics.set(topic, made)
    if (topics.size > TOPICS_KEPT) forgetOldest()
    return made
  }

  function forgetOldest(): void {
    for (const [topic, ring] of topics) {
      floor = Math.max(floor, ring.seq())
      topics.delete(topic)
      stats.evicted += 1
      return
    }
  }

  function deliver(frame: Frame): number {
    ringOf(frame.topic).push(frame)
    stats.published += 1
    for (const subscriber of subscribers) subscriber.offer(frame)
    return frame.seq
  }

  return {
    publish(topic, type, data, audience) {
      const seq = ringOf(topic).seq() + 1
      const text = JSON.stringify({ type, topic, seq, ts: iso(clock.now()), data })
      return deliver({ topic, seq, audience, text, bytes: Buffer.byteLength(text) })
    },
    publishBinary(topic, type, { data, numbers, inline }, audience) {
      const seq = ringOf(topic).seq() + 1
      const ts = iso(clock.now())
      const binary = packFrame(JSON.stringify({ type, topic, seq, ts, data }), numbers)
      let text: string | null = null
      return deliver({
        topic,
        seq,
        audience,
        binary,
        bytes: binary.length,
        get text() {
          text ??= JSON.stringify({ type, topic, seq, ts, data: inline() })
          return text
        },
      })
    },
    isHeard: (topic) => [...subscribers].some((subscriber) => subscriber.topics().includes(topic)),
    subscribe(sink, accepts) {
      const subscriber = createSubscriber({
        sink,
        accepts,
        clock,
        ringOf,
        onSkipped: () => {
          stats.skipped += 1
        },
        onClosed: (stuck) => {
          subscribers.delete(subscriber)
          if (stuck) stats.cutOff += 1
        },
      })
      subscribers.add(subscriber)
      return subscriber
    },
    stats: () => ({ ...stats, topics: topics.size, subscribers: subscribers.size }),
  }
}
