/** People, devices and their newest values: fetched once, kept current by live events, remembered for when the hub is out of reach. */
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Device, Latest, LevelPoint, Observations, Person, Reading } from '../net/answers.ts'
import type { Api } from '../net/api.ts'
import type { LiveEvent } from '../net/socket.ts'
import { createResource, type Resource } from './resource.ts'
import { extendTrail, mainMetric, TRAIL_MS, type TrailPoint, trailOf } from './trail.ts'

/** What is written to the vault for the next start without a hub. */
export interface Snapshot {
  savedAtMs: number
  hubName: string
  people: Person[]
  devices: Device[]
  values: Record<string, { latest: Latest; trail: readonly TrailPoint[] }>
}

export interface PersonValues {
  /** Null until the first answer. */
  latest: ReadonlySignal<Latest | null>
  trail: ReadonlySignal<readonly TrailPoint[]>
}

export interface Household {
  people: Resource<Person[]>
  devices: Resource<Device[]>
  /** When the values on screen were true; null while they are live. */
  cachedAtMs: ReadonlySignal<number | null>
  /** Counts every change of any value. */
  changes: ReadonlySignal<number>
  values(personId: string): PersonValues
  deviceName(deviceId: string): string
  load(): Promise<void>
  /** Draws the half hours anew, because late values reach the hub behind the newest one. */
  refreshTrails(): void
  /** Events were missed: fetch what the topic is about. */
  refetch(topic: string): void
  apply(event: LiveEvent): void
  snapshot(hubName: string): Snapshot
  restore(snapshot: Snapshot): void
  clear(): void
}

export interface HouseholdDeps {
  api: Api
  nowMs: () => number
  later: (run: () => void, ms: number) => void
}

/** Live values reach the screen at most four times a second. */
const FLUSH_MS = 250

/** Topics are joined within this time on a working network. */
const MISSING_MS = 800
const MISSING_AGAIN_MS = 10_000
/** Reconnecting often must not fetch the same half hour again and again. */
const TRAIL_GOOD_MS = 20_000
/** Two requests a person and minute stay far below what the hub allows one user. */
const TRAILS_RENEWED = 12

interface Values extends PersonValues {
  /** The hub has answered for this person since signing in. */
  fetched: boolean
  trailFetchedAtMs: number
  latest: Signal<Latest | null>
  trail: Signal<readonly TrailPoint[]>
}

export function createHousehold({ api, nowMs, later }: HouseholdDeps): Household {
  const people = createResource(() => api.all<Person>('/people'))
  const devices = createResource(() => api.all<Device>('/devices'))
  const cachedAtMs = signal<number | null>(null)
  const changes = signal(0)
  const byPerson = new Map<string, Values>()
  const pending = new Map<string, Latest>()
  const presence = new Map<string, boolean>()
  let flushing = false

  return {
    people,
    devices,
    cachedAtMs,
    changes,
    values: valuesOf,
    deviceName(deviceId) {
      return devices.state.value.value?.find((device) => device.id === deviceId)?.name ?? sourceName(deviceId)
    },
    async load() {
      await Promise.all([people.reload(), devices.reload()])
      if (people.state.peek().error) return
      cachedAtMs.value = null
      later(fetchMissing, MISSING_MS)
    },
    refreshTrails() {
      for (const person of (people.state.peek().value ?? []).slice(0, TRAILS_RENEWED)) {
        valuesOf(person.id).trailFetchedAtMs = 0
        void fetchValues(person.id)
      }
    },
    refetch(topic) {
      if (topic === 'edge') void devices.reload()
      else if (topic.startsWith('person:')) void fetchValues(topic.slice('person:'.length))
    },
    apply(event) {
      if (event.type === 'vitals') hearVitals(event.data)
      else if (event.type === 'edge_connected' || event.type === 'edge_disconnected') hearEdge(event.data)
    },
    snapshot: (hubName) => ({
      savedAtMs: nowMs(),
      hubName,
      people: people.state.peek().value ?? [],
      devices: devices.state.peek().value ?? [],
      values: Object.fromEntries(
        [...byPerson].map(([id, { latest, trail }]) => [
          id,
          { latest: latest.peek() ?? {}, trail: trail.peek() },
        ]),
      ),
    }),
    restore(snapshot) {
      batch(() => {
        people.set(snapshot.people)
        devices.set(snapshot.devices)
        for (const [id, kept] of Object.entries(snapshot.values)) {
          valuesOf(id).latest.value = kept.latest
          valuesOf(id).trail.value = kept.trail
        }
        cachedAtMs.value = snapshot.savedAtMs
      })
    },
    clear() {
      people.clear()
      devices.clear()
      byPerson.clear()
      pending.clear()
      presence.clear()
      cachedAtMs.value = null
    },
  }

  function valuesOf(personId: string): Values {
    let values = byPerson.get(personId)
    if (!values) {
      values = {
        latest: signal<Latest | null>(null),
        trail: signal<readonly TrailPoint[]>([]),
        fetched: false,
        trailFetchedAtMs: 0,
      }
      byPerson.set(personId, values)
    }
    return values
  }

  /** Joining a topic fetches its person; this is for those whose topic did not come through. Ends when all are known. */
  function fetchMissing(): void {
    const missing = (people.state.peek().value ?? []).filter(({ id }) => !valuesOf(id).fetched)
    if (missing.length === 0) return
    for (const person of missing) void fetchValues(person.id)
    later(fetchMissing, MISSING_AGAIN_MS)
  }

  async function fetchValues(personId: string): Promise<void> {
    const path = `/people/${encodeURIComponent(personId)}`
    const values = valuesOf(personId)
    try {
      const latest = await api.get<Latest>(`${path}/latest`)
      values.latest.value = newest(values.latest.peek() ?? {}, latest)
      values.fetched = true
      changes.value += 1
      const metric = mainMetric(latest)
      if (metric === null || nowMs() - values.trailFetchedAtMs < TRAIL_GOOD_MS) return
      values.trailFetchedAtMs = nowMs()
      const from = new Date(nowMs() - TRAIL_MS).toISOString()
      const past = await api.get<Observations<LevelPoint>>(
        `${path}/observations?metric=${metric}&level=1m&from=${from}`,
      )
      const reading = latest[metric]
      values.trail.value = reading ? extendTrail(trailOf(past.points), reading) : trailOf(past.points)
    } catch {
      // The tile keeps its skeleton or its last value with its age; `fetchMissing` and the next gap ask again.
      values.trailFetchedAtMs = 0
    }
  }

  function hearVitals(data: unknown): void {
    // The hub's own event, shaped by its schema.
    const { person_id: personId, values } = data as { person_id: string; values: Latest }
    pending.set(personId, { ...pending.get(personId), ...values })
    flushSoon()
  }

  function flushSoon(): void {
    if (flushing) return
    flushing = true
    later(flush, FLUSH_MS)
  }

  function flush(): void {
    flushing = false
    batch(() => {
      for (const [personId, fresh] of pending) {
        const values = valuesOf(personId)
        const latest = newest(values.latest.peek() ?? {}, fresh)
        values.latest.value = latest
        const main = mainMetric(latest)
        const reading = main === null ? undefined : fresh[main]
        if (reading) values.trail.value = extendTrail(values.trail.peek(), reading)
      }
      pending.clear()
      applyPresence()
      changes.value += 1
    })
  }

  function hearEdge(data: unknown): void {
    // Cameras come and go on the same topic.
    const { device_id: deviceId, online } = data as { device_id?: string; online: boolean }
    if (deviceId === undefined) return
    presence.set(deviceId, online)
    flushSoon()
  }

  function applyPresence(): void {
    const known = devices.state.peek().value
    if (presence.size === 0 || known === null) return
    const isNew = [...presence.keys()].some((id) => !known.some((device) => device.id === id))
    const seen = new Date(nowMs()).toISOString()
    const changed = known.map((device) => {
      const online = presence.get(device.id)
      return online === undefined ? device : { ...device, online, last_seen: seen }
    })
    presence.clear()
    if (isNew) void devices.reload()
    else devices.set(changed)
  }
}

/** Late data never pushes a newer value off the screen. */
/** What told a value without being a device: a program that uploads is `source-<its name>` and in no list of devices. */
function sourceName(id: string): string {
  return id.replace(/^source-/, '').replaceAll('_', ' ')
}

function newest(known: Latest, fresh: Latest): Latest {
  const merged = { ...known }
  for (const [metric, reading] of Object.entries(fresh)) {
    const old: Reading | undefined = merged[metric]
    if (!old || Date.parse(reading.ts) >= Date.parse(old.ts)) merged[metric] = reading
  }
  return merged
}
