/** Who wants to be told of what also while asleep. */
import type { KeptSubscription } from './kept-state.ts'
import { matches } from './topics.ts'

export interface Filter {
  topic: string
  qos: number
}

export type Subscription = KeptSubscription

export interface Subscriptions {
  add(clientId: string, filter: Filter): void
  /** Whether there was such a filter. */
  remove(clientId: string, topic: string): boolean
  of(clientId: string): Filter[]
  has(clientId: string): boolean
  forget(clientId: string): void
  /** Of several filters of one session the one with the highest QoS counts: a message is queued once. */
  matching(topic: string): Subscription[]
  all(): KeptSubscription[]
}

export function createSubscriptions(): Subscriptions {
  const sessions = new Map<string, Map<string, Filter>>()
  /** Filters with QoS by the literal start of their topic, made anew after a change: changes are rare, publishes are not. */
  let trees: Map<string, Subscription[]> | null = null
  return {
    add(clientId, { topic, qos }) {
      trees = null
      const filters = sessions.get(clientId) ?? new Map<string, Filter>()
      sessions.set(clientId, filters)
      filters.set(topic, { topic, qos })
    },
    remove(clientId, topic) {
      trees = null
      return sessions.get(clientId)?.delete(topic) ?? false
    },
    of: (clientId) => [...(sessions.get(clientId)?.values() ?? [])].map((filter) => ({ ...filter })),
    has: (clientId) => (sessions.get(clientId)?.size ?? 0) > 0,
    forget(clientId) {
      trees = null
      sessions.delete(clientId)
    },
    matching(topic) {
      trees ??= indexOf(sessions)
      if (trees.size === 0) return []
      const [first = '', second = ''] = topic.split('/', 2)
      const best = new Map<string, Subscription>()
      for (const tree of ['', first, `${first}/${second}`]) {
        for (const filter of trees.get(tree) ?? []) {
          if ((best.get(filter.clientId)?.qos ?? 0) < filter.qos && matches(filter.topic, topic))
            best.set(filter.clientId, filter)
        }
      }
      return [...best.values()]
    },
    all: () =>
      [...sessions].flatMap(([clientId, filters]) =>
        [...filters.values()].map((filter) => ({ clientId, ...filter })),
      ),
  }
}

function indexOf(sessions: ReadonlyMap<string, ReadonlyMap<string, Filter>>): Map<string, Subscription[]> {
  const trees = new Map<string, Subscription[]>()
  for (const [clientId, filters] of sessions) {
    for (const filter of filters.values()) {
      if (filter.qos === 0) continue
      const levels = filter.topic.split('/')
      const literal = levels.findIndex((level) => level === '+' || level === '#')
      const tree = levels.slice(0, Math.min(2, literal < 0 ? 2 : literal)).join('/')
      trees.set(tree, [...(trees.get(tree) ?? []), { clientId, ...filter }])
    }
  }
  return trees
}
