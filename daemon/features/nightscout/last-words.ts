/** What uploaders keep saying about themselves: the newest document of each kind is kept, earlier ones are replaced. */
import { statusRecords } from '../../../firmware-bridge/import/nightscout.ts'
import { takeIn } from '../../domain/intake.ts'
import type { Store } from '../../store/store.ts'
import { nameFor } from './names.ts'
import { type KeepRefused, type Refused, refusedItem } from './refusals.ts'
import { type Document, isDocument, type Uploader } from './uploader.ts'

export const LAST_WORDS = ['devicestatus', 'profile', 'settings', 'food', 'activity'] as const
export type LastWord = (typeof LAST_WORDS)[number]

export interface LastWords {
  /** Answers with the documents as they are shown. */
  take(collection: LastWord, documents: readonly unknown[], uploader: Uploader): Promise<Document[]>
  /** One of each uploader, newest first. */
  list(collection: LastWord, personId: string): Document[]
  lastChangeMs(collection: LastWord, personId: string): number
}

export interface LastWordsDeps {
  store: Pick<Store, 'all' | 'get' | 'write' | 'observations'>
  now: () => number
  keepRefused: KeepRefused
}

const DOCUMENT_CHARACTERS = 65_536
const KEEP = `INSERT INTO uploader_document (device_key, collection, person_key, fields, updated_at)
  SELECT d.key, :collection, p.key, :fields, :nowMs FROM device d, person p
  WHERE d.id = :deviceId AND p.id = :personId AND p.deleted_at IS NULL
  ON CONFLICT (device_key, collection) DO UPDATE SET fields = :fields, updated_at = :nowMs, person_key = excluded.person_key`
const LIST = `SELECT d.id AS deviceId, u.fields, u.updated_at AS updatedAtMs
  FROM uploader_document u JOIN device d ON d.key = u.device_key JOIN person p ON p.key = u.person_key AND p.deleted_at IS NULL
  WHERE u.collection = :collection AND p.id = :personId ORDER BY u.updated_at DESC, d.id`

interface Row {
  deviceId: string
  fields: string
  updatedAtMs: number
}

export function createLastWords({ store, now, keepRefused }: LastWordsDeps): LastWords {
  const rows = (collection: LastWord, personId: string) => store.all<Row>(LIST, { collection, personId })

  async function measure(item: Document, collection: LastWord, uploader: Uploader): Promise<Refused[]> {
    const { deviceId, personId } = uploader
    const samples = collection === 'activity' ? activityOf(item) : batteryOf(item)
    const context = {
      ...{
        deviceId,
        source: 'nightscout',
        nowMs: now(),
        arrivedMs: now(),
        deviceZone: 'UTC',
        naiveZone: 'UTC',
      },
      personAt: () => personId,
    }
    const intakes = samples.flatMap((sample) => takeIn(sample, context))
    const taken = intakes.flatMap((intake) => ('observation' in intake ? [intake.observation] : []))
    if (taken.length > 0) await store.observations.append(taken)
    return intakes.flatMap((intake) => ('rejected' in intake ? [refusedItem(item, intake.rejected)] : []))
  }

  return {
    async take(collection, documents, uploader) {
      const refused: Refused[] = []
      const shown: Document[] = []
      for (const item of documents) {
        if (!isDocument(item))
          refused.push({ item, code: 'VALIDATION_ERROR', reason: 'a document is an object' })
        else if (JSON.stringify(item).length > DOCUMENT_CHARACTERS)
          refused.push({ item, code: 'TOO_LARGE', reason: 'a document is 64 KB at most' })
        else {
          refused.push(...(await measure(item, collection, uploader)))
          shown.push(shownAs(item, uploader.deviceId, now()))
        }
      }
      const newest = documents.findLast(
        (item) => isDocument(item) && JSON.stringify(item).length <= DOCUMENT_CHARACTERS,
      )
      if (newest !== undefined) {
        const { deviceId, personId } = uploader
        const params = { collection, deviceId, personId, fields: JSON.stringify(newest), nowMs: now() }
        await store.write([{ sql: KEEP, params }])
      }
      await keepRefused(uploader, collection, refused)
      return shown
    },
    list: (collection, personId) =>
      rows(collection, personId).map(({ deviceId, fields, updatedAtMs }) =>
        // Written above from an object.
        shownAs(JSON.parse(fields) as Document, deviceId, updatedAtMs),
      ),
    lastChangeMs: (collection, personId) => rows(collection, personId)[0]?.updatedAtMs ?? 0,
  }
}

function shownAs(item: Document, deviceId: string, atMs: number): Document {
  const name =
    typeof item['identifier'] === 'string'
      ? item['identifier']
      : nameFor(`${deviceId} ${JSON.stringify(item)}`)
  return { _id: nameFor(name), identifier: name, ...item, srvModified: atMs }
}

/** The phone's battery is that of the uploader. */
function batteryOf(item: Document) {
  const read = statusRecords({ ...item })
  if (typeof read === 'string') return []
  return read.flatMap((record) =>
    record.kind === 'sample'
      ? [{ metric: record.metric, value: record.value, unit: record.unit, ts: record.atMs }]
      : [],
  )
}

/** xDrip+ passes on the pulse and the steps of a watch. */
function activityOf({ type, timeStamp, created_at: createdAt, bpm, steps }: Document) {
  const ts = timeStamp ?? createdAt
  if (type === 'hr-bpm') return [{ metric: 'heart_rate', value: bpm, ts }]
  return type === 'steps-total' ? [{ metric: 'steps_counter', value: steps, ts }] : []
}
