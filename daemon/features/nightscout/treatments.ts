/** Treatments: kept as documents, and carbohydrates among them as meals, finger pricks as readings. */
import { treatmentRecords } from '../../../firmware-bridge/import/nightscout.ts'
import { parseInstant } from '../../domain/instant.ts'
import { FUTURE_TOLERANCE_MS, takeIn } from '../../domain/intake.ts'
import type { Observation } from '../../domain/observation.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Find } from './find.ts'
import { nameFor, ownName } from './names.ts'
import type { KeepRefused, Refused } from './refusals.ts'
import type { Treatment, TreatmentTable } from './treatment-table.ts'
import { type Document, isDocument, type Uploader } from './uploader.ts'

export interface TreatmentsTaken {
  shown: { document: Document; isNew: boolean }[]
  refused: readonly Refused[]
}

export interface Treatments {
  /** Each by itself: a document of a known name replaces what it said. Resolves once all is on disk. */
  take(documents: readonly unknown[], uploader: Uploader): Promise<TreatmentsTaken>
  find(personId: string, find: Find): Document[]
  /** By either name, null when there is none that stands. */
  one(personId: string, name: string): Document | null
  /** Merges fields into one; null when there is no such document. */
  change(uploader: Uploader, name: string, changes: Document): Promise<Document | null>
  /** False when there is no such document. */
  remove(uploader: Uploader, name: string): Promise<boolean>
  lastChangeMs(personId: string): number
}

/** Meals of the household, of which a treatment's carbohydrates are one. */
export interface Meals {
  tell(meal: object, teller: { personId: string; deviceId: string; source: string }): Promise<unknown>
  takeBack(at: { personId: string; deviceId: string; startMs: number }): Promise<void>
}

export interface TreatmentsDeps {
  table: TreatmentTable
  store: Pick<Store, 'observations'>
  now: () => number
  wearerAt: (deviceId: string, atMs: number) => string | null
  meals: Meals
  keepRefused: KeepRefused
}

export const SOURCE = 'nightscout'
const ITEM_CHARACTERS = 16_384
const EARLIEST_MS = Date.UTC(2000, 0, 1)
const CARBS_MAX_G = 2000
const TRIES = 3

/** A document understood and judged. */
interface Draft {
  id: string
  identifier: string
  atMs: number
  eventType: string
  fields: Document
}

export function createTreatments(deps: TreatmentsDeps): Treatments {
  const { table } = deps

  async function put(
    draft: Draft,
    { personId, deviceId }: Uploader,
  ): Promise<{ kept: Treatment; isNew: boolean }> {
    for (let tries = 1; ; tries += 1) {
      const old = table.named(personId, draft.id, draft.identifier)
      try {
        if (!old) {
          if (await table.add({ ...draft, personId, deviceId }))
            return { kept: known(personId, draft), isNew: true }
        } else {
          const isSame = JSON.stringify(old.fields) === JSON.stringify(draft.fields)
          if (!isSame || old.deletedAtMs !== null) await table.revise(old, draft)
          if (old.atMs !== draft.atMs) await settle(old, old.atMs)
          return { kept: known(personId, draft), isNew: false }
        }
      } catch (cause) {
        if (!(cause instanceof HubError) || cause.code !== 'CONFLICT' || tries === TRIES) throw cause
      }
      if (tries === TRIES)
        throw new HubError('CONFLICT', 'Others keep changing this treatment. Send it again.')
    }
  }

  function known(personId: string, { id, identifier }: Pick<Draft, 'id' | 'identifier'>): Treatment {
    const found = table.named(personId, id, identifier)
    if (!found) throw new HubError('CONFLICT', 'The treatment was taken away meanwhile. Send it again.')
    return found
  }

  /** What the treatments of an instant say together is one meal, so that it comes out the same in whatever order they came. */
  async function settle({ personId, deviceId }: Treatment, atMs: number): Promise<void> {
    const carbs = table
      .at(personId, deviceId, atMs)
      .map(({ fields }) => ({ grams: positive(fields['carbs']) ?? 0, notes: fields['notes'], fields }))
      .filter(({ grams }) => grams > 0)
    if (carbs.length === 0) return deps.meals.takeBack({ personId, deviceId, startMs: atMs })
    const sum = (field: string) => {
      const grams = carbs.reduce((total, { fields }) => total + (positive(fields[field]) ?? 0), 0)
      return grams > 0 ? Math.min(grams, CARBS_MAX_G) : null
    }
    const notes = carbs.flatMap((one) =>
      typeof one.notes === 'string' && one.notes !== '' ? [one.notes] : [],
    )
    const meal = {
      timestamp: iso(atMs),
      carbs_grams: sum('carbs'),
      protein_grams: sum('protein'),
      fat_grams: sum('fat'),
      description: notes.length > 0 ? notes.join('; ').slice(0, 4000) : null,
    }
    await deps.meals.tell(meal, { personId, deviceId, source: SOURCE })
  }

  async function land(draft: Draft, uploader: Uploader): Promise<{ document: Document; isNew: boolean }> {
    const { kept, isNew } = await put(draft, uploader)
    await settle(kept, kept.atMs)
    const pricks = pricksOf(kept, deps)
    if (pricks.length > 0) await deps.store.observations.append(pricks)
    return { document: treatmentShown(kept), isNew }
  }

  const standing = (personId: string, name: string) => {
    const found = table.named(personId, name, name)
    return found && found.deletedAtMs === null ? found : null
  }

  return {
    async take(documents, uploader) {
      const shown: TreatmentsTaken['shown'] = []
      const refused: Refused[] = []
      for (const item of documents) {
        const draft = judge(item, uploader, deps)
        if ('reason' in draft) refused.push(draft)
        else shown.push(await land(draft, uploader))
      }
      await deps.keepRefused(uploader, 'treatments', refused)
      return { shown, refused }
    },
    find: (personId, find) => table.find(personId, find).map(treatmentShown),
    one(personId, name) {
      const found = standing(personId, name)
      return found ? treatmentShown(found) : null
    },
    async change(uploader, name, changes) {
      const old = standing(uploader.personId, name)
      if (!old) return null
      const item = { ...old.fields, ...changes, _id: old.id, identifier: old.identifier }
      const draft = judge(item, uploader, deps)
      if ('reason' in draft) throw new HubError(draft.code, `The treatment was not changed. ${draft.reason}.`)
      return (await land(draft, uploader)).document
    },
    async remove({ personId }, name) {
      const old = standing(personId, name)
      if (!old) return false
      await table.remove(old)
      await settle(old, old.atMs)
      const pricks = pricksOf(old, deps)
      if (pricks.length > 0) await deps.store.observations.retract(pricks)
      return true
    },
    lastChangeMs: table.lastChangeMs,
  }
}

function judge(item: unknown, { deviceId, personId }: Uploader, deps: TreatmentsDeps): Draft | Refused {
  const refuse = (reason: string, code: Refused['code'] = 'VALIDATION_ERROR'): Refused => ({
    item,
    code,
    reason,
  })
  if (!isDocument(item)) return refuse('a treatment is an object')
  if (JSON.stringify(item).length > ITEM_CHARACTERS)
    return refuse('a treatment is 16 KB at most', 'TOO_LARGE')
  const atMs = timeOf(item)
  if (atMs === null || atMs < EARLIEST_MS) return refuse('created_at is no time')
  if (atMs > deps.now() + FUTURE_TOLERANCE_MS)
    return refuse("created_at lies ahead of the hub's clock", 'FUTURE_TIMESTAMP')
  const worn = deps.wearerAt(deviceId, atMs)
  if (worn !== null && worn !== personId)
    return refuse('this uploader was somebody else’s at that time', 'FORBIDDEN')
  if (Number(item['carbs']) > CARBS_MAX_G) return refuse(`carbs: is 0 to ${CARBS_MAX_G}`, 'OUT_OF_RANGE')
  if (Number(item['insulin']) > 500) return refuse('insulin: is 0 to 500', 'OUT_OF_RANGE')
  const eventType = typeof item['eventType'] === 'string' ? item['eventType'].slice(0, 64) : '<none>'
  const identifier = identifierOf(item) ?? `${iso(atMs)} ${eventType}`
  const { token: _token, secret: _secret, ...fields } = item
  return { id: ownName(item['_id']) ?? nameFor(identifier), identifier, atMs, eventType, fields }
}

/** The client's own name: API v3's, a looping app's UUID in `_id`, or xDrip+'s. */
function identifierOf(item: Document): string | null {
  const names = [item['identifier'], item['_id'], item['uuid']]
  const name = names.find((one) => typeof one === 'string' && one !== '')
  return typeof name === 'string' ? name.slice(0, 64) : null
}

function timeOf(item: Document): number | null {
  for (const field of ['created_at', 'date', 'mills', 'timestamp']) {
    const parsed = item[field] === undefined ? null : parseInstant(item[field], 'UTC')
    if (parsed && !('wrong' in parsed)) return parsed.atMs
  }
  return null
}

function positive(value: unknown): number | null {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : null
}

/** A finger prick noted in a treatment is a reading as well. */
function pricksOf({ fields, personId, deviceId, atMs }: Treatment, deps: TreatmentsDeps): Observation[] {
  const read = treatmentRecords({ ...fields, created_at: iso(atMs) })
  const samples = typeof read === 'string' ? [] : read.filter((record) => record.kind === 'sample')
  const context = {
    ...{ deviceId, source: SOURCE, nowMs: deps.now(), arrivedMs: null, deviceZone: 'UTC', naiveZone: 'UTC' },
    personAt: () => personId,
  }
  return samples
    .flatMap(({ metric, value, unit }) => takeIn({ metric, value, unit, ts: atMs }, context))
    .flatMap((intake) => ('observation' in intake ? [intake.observation] : []))
}

/** A treatment in Nightscout's words: what was sent, and what the hub knows about it. */
export function treatmentShown(treatment: Treatment): Document {
  const { id, identifier, atMs, eventType, fields, createdAtMs, updatedAtMs, deletedAtMs } = treatment
  return {
    ...fields,
    _id: id,
    identifier,
    eventType,
    created_at: iso(atMs),
    date: atMs,
    mills: atMs,
    utcOffset: 0,
    srvCreated: createdAtMs,
    srvModified: updatedAtMs,
    isValid: deletedAtMs === null,
  }
}
