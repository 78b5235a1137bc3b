import { DATA_CLASSES, type DataClass } from '../domain/access.ts'
import { metricNamed } from '../domain/metric.ts'
import type { StoredObservation } from '../domain/observation.ts'
import { readingOf } from '../domain/reading.ts'
import type { Clock } from '../kernel/clock.ts'
import { iso } from '../kernel/envelope.ts'
import type { Live } from './live.ts'

export interface VitalsDeps {
  live: Live
  clock: Clock
  /** Tells what just reached the disk; answers the way to stop listening. */
  onCommitted: (listener: (committed: readonly StoredObservation[]) => void) => () => void
}

/** At most four times a second: more is neither seen nor worth the radio. */
const INTERVAL_MS = 250
/** The persons heard from longest ago are forgotten above this; their next value counts as new. */
const PERSONS_KEPT = 4096

interface Person {
  /** Newest committed value of each metric that was not published yet. */
  pending: Map<string, StoredObservation>
  /** When the newest value so far of each metric was measured. */
  newestMs: Map<string, number>
  lastSentMs: number
  scheduled: boolean
}

/**
 * Publishes the newest values of each person on `person:<id>`, gathered to 4 Hz. Values of different data classes are sent
 * apart, so that nobody receives a class they have no grant for. Late values never stand in front of newer ones. Answers
 * the way to stop.
 */
export function publishVitals({ live, clock, onCommitted }: VitalsDeps): () => void {
  const persons = new Map<string, Person>()
  const timers = new Set<() => void>()

  function send(personId: string, person: Person): void {
    person.lastSentMs = clock.monotonic()
    const values = [...person.pending.values()]
    person.pending.clear()
    for (const dataClass of DATA_CLASSES) {
      const ofClass = values.filter((value) => metricNamed(value.metric)?.class === dataClass)
      if (ofClass.length > 0) publish(live, personId, dataClass, ofClass)
    }
  }

  function schedule(personId: string, person: Person): void {
    if (person.scheduled) return
    const waitMs = person.lastSentMs + INTERVAL_MS - clock.monotonic()
    if (waitMs <= 0) {
      send(personId, person)
      return
    }
    person.scheduled = true
    const cancel = clock.after(waitMs, () => {
      timers.delete(cancel)
      person.scheduled = false
      send(personId, person)
    })
    timers.add(cancel)
  }

  const stop = onCommitted((committed) => {
    const touched = new Map<string, Person>()
    for (const value of committed) {
      const person = personIn(persons, value.personId)
      if (value.atMs < (person.newestMs.get(value.metric) ?? Number.NEGATIVE_INFINITY)) continue
      person.newestMs.set(value.metric, value.atMs)
      person.pending.set(value.metric, value)
      touched.set(value.personId, person)
    }
    for (const [personId, person] of touched) schedule(personId, person)
  })
  return () => {
    stop()
    for (const cancel of timers) cancel()
  }
}

function personIn(persons: Map<string, Person>, personId: string): Person {
  const person = persons.get(personId) ?? {
    pending: new Map(),
    newestMs: new Map(),
    lastSentMs: Number.NEGATIVE_INFINITY,
    scheduled: false,
  }
  persons.delete(personId)
  persons.set(personId, person)
  if (persons.size > PERSONS_KEPT) {
    const oldest = persons.keys().next()
    if (!oldest.done) persons.delete(oldest.value)
  }
  return person
}

function publish(
  live: Live,
  personId: string,
  dataClass: DataClass,
  values: readonly StoredObservation[],
): void {
  const shown = values.map((value) => [
    value.metric,
    {
      value: readingOf(value),
      unit: metricNamed(value.metric)?.unit,
      ts: iso(value.atMs),
      source: value.source,
      device: value.deviceId,
    },
  ])
  const data = { person_id: personId, values: Object.fromEntries(shown) }
  live.publish(`person:${personId}`, 'vitals', data, { personId, class: dataClass })
}
