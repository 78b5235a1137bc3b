/** Nightscout's API v1 as uploaders write it and followers read it. Bodies and answers are Nightscout's own. */
import { type TSchema, Type } from 'typebox'
import type { Http } from '../../domain/route.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Entries } from './entries.ts'
import { entryShown } from './entries.ts'
import { type Find, findOf } from './find.ts'
import { LAST_WORDS, type LastWords } from './last-words.ts'
import type { Treatments } from './treatments.ts'
import { type Document, UPLOADERS, uploaderOf } from './uploader.ts'

export interface NightscoutRoutesDeps {
  entries: Entries
  treatments: Treatments
  lastWords: LastWords
  now: () => number
  version: string
}

/** A day of five-minute readings a thousand times over; a client that sends more has the wrong file. */
export const BODY_BYTES = 8 * 1_048_576
export const CONFIG = { policy: UPLOADERS, envelope: false, uploader: true } as const
export const Loose = Type.Object({}, { additionalProperties: true })
export const LooseList = Type.Array(Loose)
export const Query = Type.Object({}, { additionalProperties: true })
/** One document or a list of them. Fields that the hub has no use for are kept with treatments and ignored elsewhere. */
export const Sent = Type.Unknown({ description: 'One document or a list, in the words of Nightscout' })
const DAY_MS = 86_400_000
/** How far back Nightscout looks when a follower says nothing about time. */
const WINDOW_MS = 4 * DAY_MS
const COUNT = 10
const COUNT_MAX = 10_000

export function findIn(query: unknown, nowMs: number, count = COUNT): Find {
  return findOf(Object(query), { nowMs, windowMs: WINDOW_MS, count, countMax: COUNT_MAX })
}

export function described(summary: string, answer: TSchema = Loose) {
  return { tags: ['nightscout'], summary, querystring: Query, response: { 200: answer } }
}

/** Answers the same with and without the ending that some clients add. */
export function bothWays(path: string): string[] {
  return [path, `${path}.json`]
}

export function listOf(body: unknown): readonly unknown[] {
  return Array.isArray(body) ? body : [body]
}

export function nightscoutV1(http: Http, deps: NightscoutRoutesDeps): void {
  entryRoutes(http, deps)
  treatmentRoutes(http, deps)
  lastWordRoutes(http, deps)
  statusRoutes(http, deps)
}

function entryRoutes(http: Http, { entries, now }: NightscoutRoutesDeps): void {
  for (const url of bothWays('/entries')) {
    http.post(
      url,
      {
        config: CONFIG,
        bodyLimit: BODY_BYTES,
        schema: { ...described('Readings of a sensor or a meter', LooseList), body: Sent },
      },
      async ({ body, actor }) => {
        const { shown } = await entries.take(listOf(body), uploaderOf(actor))
        return shown.map(({ document }) => document)
      },
    )
  }
  const reading = (path: string, type: 'sgv' | 'mbg' | null, count: number) => {
    for (const url of bothWays(path)) {
      http.get(
        url,
        { config: CONFIG, schema: described('Readings, newest first', LooseList) },
        async ({ query, actor }) => {
          const asked = findIn(query, now(), count)
          const equals = type === null ? asked.equals : new Map([...asked.equals, ['type', type]])
          return entries.find(uploaderOf(actor).personId, { ...asked, equals })
        },
      )
    }
  }
  reading('/entries', null, COUNT)
  reading('/entries/sgv', 'sgv', COUNT)
  reading('/entries/mbg', 'mbg', COUNT)
  for (const url of bothWays('/entries/current')) {
    http.get(
      url,
      { config: CONFIG, schema: described('The newest reading of the sensor', LooseList) },
      async ({ actor }) => {
        const window = { fromMs: now() - WINDOW_MS, toMs: now() + DAY_MS, count: 1 }
        return (await entries.newest(uploaderOf(actor).personId, window)).map(entryShown)
      },
    )
  }
}

const NamedTreatment = Type.Object({ treatmentId: Type.String({ maxLength: 80 }) })
const TREATMENTS = 100

function treatmentRoutes(http: Http, { treatments, now }: NightscoutRoutesDeps): void {
  for (const url of bothWays('/treatments')) {
    const schema = { ...described('Boluses, carbohydrates, basal rates, notes', LooseList), body: Sent }
    http.route({
      method: ['POST', 'PUT'],
      url,
      config: CONFIG,
      bodyLimit: BODY_BYTES,
      schema,
      handler: async ({ body, actor }) => {
        const { shown } = await treatments.take(listOf(body), uploaderOf(actor))
        return shown.map(({ document }) => document)
      },
    })
    http.get(
      url,
      { config: CONFIG, schema: described('Treatments, newest first', LooseList) },
      async ({ query, actor }) =>
        treatments.find(uploaderOf(actor).personId, findIn(query, now(), TREATMENTS)),
    )
    http.delete(
      url,
      { config: CONFIG, schema: described('Take back the treatment that the query names') },
      async ({ query, actor }) => {
        const { equals } = findIn(query, now())
        const uploader = uploaderOf(actor)
        if (!['uuid', '_id', 'identifier'].some((field) => equals.has(field)))
          throw new HubError('VALIDATION_ERROR', 'Say which one: find[_id] or find[uuid].')
        const found = treatments.find(uploader.personId, findIn(query, now(), TREATMENTS))
        for (const { _id: id } of found) await treatments.remove(uploader, String(id))
        return { n: found.length, ok: 1 }
      },
    )
  }
  http.delete(
    '/treatments/:treatmentId',
    { config: CONFIG, schema: { ...described('Take a treatment back'), params: NamedTreatment } },
    async ({ params, actor }) => {
      const removed = await treatments.remove(uploaderOf(actor), params.treatmentId.replace(/\.json$/, ''))
      return { n: removed ? 1 : 0, ok: 1 }
    },
  )
}

function lastWordRoutes(http: Http, { lastWords }: NightscoutRoutesDeps): void {
  for (const collection of LAST_WORDS.filter((one) => one !== 'settings' && one !== 'food')) {
    for (const url of bothWays(`/${collection}`)) {
      http.route({
        method: ['POST', 'PUT'],
        url,
        config: CONFIG,
        schema: { ...described(`The uploader's ${collection}; the last one is kept`, LooseList), body: Sent },
        handler: ({ body, actor }) => lastWords.take(collection, listOf(body), uploaderOf(actor)),
      })
      http.get(
        url,
        { config: CONFIG, schema: described(`The last ${collection} of each uploader`, LooseList) },
        async ({ actor }) => lastWords.list(collection, uploaderOf(actor).personId),
      )
    }
  }
}

function statusRoutes(http: Http, { now, version }: NightscoutRoutesDeps): void {
  for (const url of bothWays('/status')) {
    http.get(
      url,
      { config: CONFIG, schema: described('What a client may do here, and in which units') },
      async ({ actor }) => {
        uploaderOf(actor)
        return statusShown(now(), version)
      },
    )
  }
  http.get(
    '/verifyauth',
    { config: CONFIG, schema: described('Whether the secret is right') },
    async ({ actor }) => {
      uploaderOf(actor)
      const message = {
        canRead: true,
        canWrite: true,
        isAdmin: false,
        message: 'OK',
        rolefound: 'FOUND',
        permissions: 'ROLE',
      }
      return { status: 200, message }
    },
  )
  http.get(
    '/experiments/test',
    { config: CONFIG, schema: described('Whether the secret is right') },
    async ({ actor }) => {
      uploaderOf(actor)
      return { status: 'ok' }
    },
  )
}

function statusShown(nowMs: number, version: string): Document {
  return {
    status: 'ok',
    name: 'homefield',
    version,
    serverTime: iso(nowMs),
    serverTimeEpoch: nowMs,
    apiEnabled: true,
    careportalEnabled: true,
    boluscalcEnabled: false,
    settings: {
      units: 'mg/dl',
      timeFormat: 24,
      enable: ['careportal'],
      thresholds: { bgHigh: 250, bgTargetTop: 180, bgTargetBottom: 70, bgLow: 54 },
    },
    extendedSettings: {},
    authorized: null,
    runtimeState: 'loaded',
  }
}
