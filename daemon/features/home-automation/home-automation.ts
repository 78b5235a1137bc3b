/** Tells the newest values to the programs of the house: retained on MQTT, for persons whom an integration may hear of. */
import { metricNamed } from '../../domain/metric.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import { readingOf } from '../../domain/reading.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { NaturalKey, Store } from '../../store/store.ts'

export interface HomeAutomationDeps {
  store: Pick<Store, 'observations' | 'onCommitted' | 'onRetracted'>
  clock: Clock
  log: Log
  /** Persons whom at least one integration may hear of. */
  heard: () => ReadonlySet<string>
  /** Tells that `heard` may answer otherwise; answers the way to stop listening. */
  onHeardChanged: (listener: () => void) => () => void
  /** Publishes for integrations, retained; an empty payload takes back what was retained. */
  publish: (topic: string, payload: string) => Promise<void>
  /** Told after each change of whose metrics have a value. */
  onKnown?: (known: ReadonlyMap<string, ReadonlyMap<string, number>>) => void
}

/** Values are gathered this long: nobody's lamp needs every beat. */
const GATHER_MS = 500

/**
 * Keeps `hf/out/person/<id>/<metric>` at the newest value. Who receives it is decided at each forward; what nobody may hear
 * is not even published. What is remembered is bounded by the heard persons times the metrics there are.
 */
export function createHomeAutomation(deps: HomeAutomationDeps): Feature {
  const { store, clock } = deps
  let heard: ReadonlySet<string> = new Set()
  const newestMs = new Map<string, Map<string, number>>()
  const waiting = new Map<string, StoredObservation>()
  let cancelGathering: (() => void) | null = null
  const stops: (() => void)[] = []

  function say(topic: string, payload: string): void {
    deps.publish(topic, payload).catch((cause: unknown) => {
      deps.log.warn({ cause: messageOf(cause) }, 'integrations could not be told')
    })
  }

  function flush(): void {
    cancelGathering = null
    for (const [topic, value] of waiting) say(topic, JSON.stringify(messageFor(value)))
    waiting.clear()
    deps.onKnown?.(newestMs)
  }

  function take(values: readonly StoredObservation[]): void {
    for (const value of values) {
      const { personId, metric, atMs } = value
      const known = heard.has(personId) ? newestMs.get(personId) : undefined
      if (!known || atMs < (known.get(metric) ?? Number.NEGATIVE_INFINITY)) continue
      known.set(metric, atMs)
      waiting.set(topicOf(personId, metric), value)
    }
    if (waiting.size > 0) cancelGathering ??= clock.after(GATHER_MS, flush)
  }

  /** What was taken back is said no longer: the newest value that is left, or nothing. */
  function takeBack(keys: readonly NaturalKey[]): void {
    const touched = new Map<string, Set<string>>()
    for (const { personId, metric, atMs } of keys) {
      const known = newestMs.get(personId)
      const saidMs = known?.get(metric)
      if (!known || saidMs === undefined || atMs < saidMs) continue
      known.delete(metric)
      waiting.delete(topicOf(personId, metric))
      touched.set(personId, (touched.get(personId) ?? new Set()).add(metric))
    }
    for (const [personId, metrics] of touched) {
      store.observations.latest(personId).then(
        (left) => {
          const values = left.filter(({ metric }) => metrics.has(metric))
          take(values)
          for (const { metric } of values) metrics.delete(metric)
          for (const metric of metrics)
            if (!newestMs.get(personId)?.has(metric)) say(topicOf(personId, metric), '')
          deps.onKnown?.(newestMs)
        },
        (cause: unknown) => {
          for (const metric of metrics) say(topicOf(personId, metric), '')
          deps.log.warn({ cause: messageOf(cause) }, 'newest values could not be read')
        },
      )
    }
  }

  function forget(personId: string): void {
    for (const metric of newestMs.get(personId)?.keys() ?? []) {
      waiting.delete(topicOf(personId, metric))
      say(topicOf(personId, metric), '')
    }
    newestMs.delete(personId)
  }

  /** Whoever is heard from now on is told of at once, from what is stored; whoever no longer is, is taken back. */
  function lookAgain(): void {
    heard = deps.heard()
    for (const personId of [...newestMs.keys()]) if (!heard.has(personId)) forget(personId)
    for (const personId of heard) {
      if (newestMs.has(personId)) continue
      newestMs.set(personId, new Map())
      store.observations.latest(personId).then(take, (cause: unknown) => {
        deps.log.warn({ cause: messageOf(cause) }, 'newest values could not be read')
      })
    }
    deps.onKnown?.(newestMs)
  }

  return {
    name: 'home-automation',
    start() {
      stops.push(store.onCommitted(take), store.onRetracted(takeBack), deps.onHeardChanged(lookAgain))
      lookAgain()
    },
    stop() {
      for (const stop of stops) stop()
      cancelGathering?.()
    },
  }
}

function topicOf(personId: string, metric: string): string {
  return `hf/out/person/${personId}/${metric}`
}

function messageFor(value: StoredObservation): object {
  const { personId, metric, atMs, source, deviceId } = value
  return {
    person_id: personId,
    metric,
    value: readingOf(value),
    unit: metricNamed(metric)?.unit ?? '',
    ts: iso(atMs),
    source,
    device: deviceId,
  }
}
