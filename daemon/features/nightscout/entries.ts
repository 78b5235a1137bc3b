/** Entries: what a sensor or a meter measured, taken in like every other reading and shown as Nightscout shows them. */
import { entryRecords } from '../../../firmware-bridge/import/nightscout.ts'
import { takeIn } from '../../domain/intake.ts'
import type { Observation, Outcome, StoredObservation } from '../../domain/observation.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Store } from '../../store/store.ts'
import type { Find } from './find.ts'
import { type EntryMetric, entryName, markOf, readEntryName } from './names.ts'
import { type KeepRefused, type Refused, refusedItem } from './refusals.ts'
import { type Document, isDocument, type Uploader } from './uploader.ts'

export interface EntriesTaken {
  /** As they are shown, in the order sent; what was refused is left out. */
  shown: { document: Document; isNew: boolean }[]
  refused: readonly Refused[]
}

export interface Entries {
  /** Resolves once what could be taken and what could not are both on disk. */
  take(documents: readonly unknown[], uploader: Uploader): Promise<EntriesTaken>
  /** Newest first unless asked otherwise. */
  find(personId: string, find: Find): Promise<Document[]>
  /** Sensor readings in `[fromMs, toMs)`, rivals ranked, newest first, at most `count`. */
  newest(
    personId: string,
    window: { fromMs: number; toMs: number; count: number },
  ): Promise<StoredObservation[]>
  /** One of the person's by its name, null when there is none. */
  one(personId: string, name: string): Promise<StoredObservation | null>
  /** Takes back what this uploader told; false when it told no such thing. */
  remove(uploader: Uploader, name: string): Promise<boolean>
}

export interface EntriesDeps {
  store: Pick<Store, 'observations'>
  now: () => number
  wearerAt: (deviceId: string, atMs: number) => string | null
  /** One trace out of all that report somebody's glucose. */
  glucose: (personId: string, fromMs: number, toMs: number) => Promise<StoredObservation[]>
  keepRefused: KeepRefused
}

const MMOL_TO_MG_PER_DL = 18.0156
const ITEM_CHARACTERS = 16_384
const ROWS_AT_ONCE = 5000
const DAY_MS = 86_400_000
/** Read at once at most: what a sensor tells in this time fits in memory. */
const STEP_MAX_MS = 128 * DAY_MS
/** Nothing was measured by these programs before. */
const EARLIEST_MS = Date.UTC(2000, 0, 1)
/** How far back a client's own name for a reading is looked for. */
const IDENTIFIER_REACH_MS = 7 * DAY_MS

export function createEntries(deps: EntriesDeps): Entries {
  const { store, now } = deps

  async function strips(personId: string, fromMs: number, toMs: number): Promise<StoredObservation[]> {
    const range = { personId, metric: 'glucose_strip', fromMs, toMs, limit: ROWS_AT_ONCE }
    return (await store.observations.range(range)).points
  }

  async function newest(personId: string, window: { fromMs: number; toMs: number; count: number }) {
    const found: StoredObservation[] = []
    const fromMs = Math.max(window.fromMs, EARLIEST_MS)
    let toMs = Math.min(window.toMs, now() + DAY_MS)
    for (let stepMs = DAY_MS; toMs > fromMs && found.length < window.count; ) {
      const start = Math.max(fromMs, toMs - stepMs)
      found.push(...(await deps.glucose(personId, start, toMs)).reverse())
      toMs = start
      stepMs = Math.min(2 * stepMs, STEP_MAX_MS)
    }
    return found.slice(0, window.count)
  }

  async function one(personId: string, name: string): Promise<StoredObservation | null> {
    const read = readEntryName(name)
    if (!read) return byIdentifier(personId, name)
    const range = { personId, metric: read.metric, fromMs: read.atMs, toMs: read.atMs + 1, limit: 100 }
    const { points } = await store.observations.range(range)
    return points.find(({ deviceId }) => markOf(deviceId) === read.mark) ?? null
  }

  async function byIdentifier(personId: string, identifier: string): Promise<StoredObservation | null> {
    const toMs = now() + DAY_MS
    const fromMs = now() - IDENTIFIER_REACH_MS
    const { points } = await store.observations.range({
      personId,
      metric: 'glucose',
      fromMs,
      toMs,
      limit: 20_000,
    })
    return points.find(({ extra }) => extra?.['identifier'] === identifier) ?? null
  }

  return {
    newest,
    one,
    async take(documents, uploader) {
      const landing: { observation: Observation }[] = []
      const refused: Refused[] = []
      for (const item of documents) {
        const judged = judge(item, uploader, deps)
        if ('observation' in judged) landing.push(judged)
        else refused.push(judged)
      }
      const outcomes: Outcome[] = []
      for (let at = 0; at < landing.length; at += ROWS_AT_ONCE) {
        const rows = landing.slice(at, at + ROWS_AT_ONCE).map(({ observation }) => observation)
        outcomes.push(...(await store.observations.append(rows)))
      }
      await deps.keepRefused(uploader, 'entries', refused)
      return {
        shown: landing.map(({ observation }, at) => ({
          document: entryShown(observation),
          isNew: outcomes[at] === 'accepted',
        })),
        refused,
      }
    },
    async find(personId, { fromMs, toMs, count, skip, ascending, equals, changedSinceMs }) {
      const name = equals.get('_id') ?? equals.get('identifier')
      if (name !== undefined) {
        const found = await one(personId, name)
        return found ? [entryShown(found)] : []
      }
      const type = equals.get('type')
      // When a reading came is not kept; when it was measured is close for a mirror that asks every few minutes.
      const window = { fromMs: Math.max(fromMs, changedSinceMs ?? fromMs), toMs, count: count + skip }
      const sensor = type === 'mbg' ? [] : await newest(personId, window)
      const meter =
        type === 'sgv'
          ? []
          : await strips(personId, Math.max(window.fromMs, EARLIEST_MS), Math.min(toMs, now() + DAY_MS))
      const all = [...sensor, ...meter].sort((a, b) => b.atMs - a.atMs).slice(skip, skip + count)
      return (ascending ? all.reverse() : all).map(entryShown)
    },
    async remove({ personId, deviceId }, name) {
      const found = await one(personId, name)
      if (found?.deviceId !== deviceId) return false
      return (await store.observations.retract([found])) > 0
    },
  }
}

function judge(item: unknown, uploader: Uploader, deps: EntriesDeps): { observation: Observation } | Refused {
  const refuse = (message: string): Refused => ({ item, code: 'VALIDATION_ERROR', reason: message })
  if (!isDocument(item)) return refuse('an entry is an object')
  if (JSON.stringify(item).length > ITEM_CHARACTERS)
    return { ...refuse('an entry is 16 KB at most'), code: 'TOO_LARGE' }
  const read = entryRecords(inMgPerDl(item))
  if (typeof read === 'string') return refuse(read)
  const [sample] = read
  if (sample?.kind !== 'sample') return refuse('there is no reading in it')
  if (sample.atMs < EARLIEST_MS || sample.atMs > 8.64e15)
    return refuse('date: lies outside of what a sensor can have seen')
  const { metric, value, unit, atMs } = sample
  const worn = deps.wearerAt(uploader.deviceId, atMs)
  const [intake] = takeIn(
    { metric, value, unit, ts: atMs, facts: factsOf(item) },
    {
      deviceId: uploader.deviceId,
      source: sourceOf(item),
      nowMs: deps.now(),
      arrivedMs: null,
      deviceZone: 'UTC',
      naiveZone: 'UTC',
      personAt: () => worn ?? uploader.personId,
    },
  )
  if (!intake) return refuse('there is no reading in it')
  return 'observation' in intake ? intake : refusedItem(item, intake.rejected)
}

/** Documents say mg/dL unless they say otherwise, and a client of API v3 may. */
function inMgPerDl(item: Document): Record<string, unknown> {
  const document = { ...item, date: item['date'] ?? item['mills'] }
  const unit = item['units'] ?? item['unit']
  if (typeof unit !== 'string' || !/^mmol/i.test(unit)) return document
  const field = 'sgv' in item ? 'sgv' : 'mbg'
  const value = Number(item[field])
  return Number.isFinite(value) ? { ...document, [field]: Math.round(value * MMOL_TO_MG_PER_DL) } : document
}

/** Which sensor decides for how long a reading stands. */
function sourceOf({ device }: Document): string {
  return typeof device === 'string' && /libre/i.test(device) ? 'nightscout-libre' : 'nightscout'
}

function factsOf(item: Document): Record<string, unknown> {
  const { device, direction, noise, identifier, _id } = item
  const own = typeof identifier === 'string' ? identifier : /-/.test(String(_id)) ? String(_id) : null
  return {
    ...(typeof device === 'string' ? { device_id: device.slice(0, 100) } : {}),
    ...(typeof direction === 'string' ? { direction: direction.slice(0, 32) } : {}),
    ...(typeof noise === 'number' ? { noise } : {}),
    ...(own === null ? {} : { identifier: own.slice(0, 64) }),
  }
}

/** A reading in Nightscout's words. */
export function entryShown({ metric, atMs, value, deviceId, extra, source }: Observation): Document {
  const kind: EntryMetric = metric === 'glucose_strip' ? 'glucose_strip' : 'glucose'
  const name = entryName(kind, atMs, deviceId)
  const { device_id: device, direction, noise, identifier } = extra ?? {}
  const when = { date: atMs, mills: atMs, dateString: iso(atMs), sysTime: iso(atMs), utcOffset: 0 }
  const measured =
    kind === 'glucose' ? { type: 'sgv', sgv: Math.round(value) } : { type: 'mbg', mbg: Math.round(value) }
  return {
    _id: name,
    identifier: typeof identifier === 'string' ? identifier : name,
    device: typeof device === 'string' ? device : source,
    ...when,
    ...measured,
    ...(typeof direction === 'string' ? { direction } : {}),
    ...(typeof noise === 'number' ? { noise } : {}),
  }
}
