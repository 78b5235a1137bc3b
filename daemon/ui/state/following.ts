/** Which live topics the open screens listen to, beside those that the app always follows. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { LiveEvent } from '../net/socket.ts'

export interface Listener {
  onEvent(event: LiveEvent): void
  /** Something was missed, or the topic was just joined: fetch again what is shown. */
  onGap(): void
}

export interface Following {
  /** Listens until the returned function is called. */
  follow(topic: string, listener: Listener): () => void
  topics: ReadonlySignal<readonly string[]>
  hear(event: LiveEvent): void
  gap(topic: string): void
}

export function createFollowing(): Following {
  const listeners = new Map<string, Set<Listener>>()
  const topics = signal<readonly string[]>([])
  return {
    topics,
    follow(topic, listener) {
      const there = listeners.get(topic) ?? new Set()
      listeners.set(topic, there.add(listener))
      if (there.size === 1) topics.value = [...listeners.keys()]
      return () => {
        if (!there.delete(listener) || there.size > 0) return
        listeners.delete(topic)
        topics.value = [...listeners.keys()]
      }
    },
    hear(event) {
      for (const listener of listeners.get(event.topic) ?? []) listener.onEvent(event)
    },
    gap(topic) {
      for (const listener of listeners.get(topic) ?? []) listener.onGap()
    },
  }
}
