/** Nightscout's API v3 as far as looping apps write and mirror it: search, history, create, update, delete. */
import { Type } from 'typebox'
import type { Http } from '../../domain/route.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { entryShown } from './entries.ts'
import type { Find } from './find.ts'
import { LAST_WORDS } from './last-words.ts'
import type { Refused } from './refusals.ts'
import { BODY_BYTES, CONFIG, described, findIn, Loose, type NightscoutRoutesDeps, Sent } from './routes-v1.ts'
import { type Document, isDocument, type Uploader, uploaderOf } from './uploader.ts'

const API_VERSION = '3.0.4'
const PREFIX = '/api/v3'
const COUNT = 1000
const COLLECTIONS = ['entries', 'treatments', ...LAST_WORDS.filter((one) => one !== 'activity')] as const
type CollectionName = (typeof COLLECTIONS)[number]

/** One collection, whichever way it is kept. */
interface Collection {
  find(personId: string, find: Find): Promise<Document[]>
  one(personId: string, name: string): Promise<Document | null>
  take(
    document: unknown,
    uploader: Uploader,
  ): Promise<{ shown?: { document: Document; isNew: boolean }; refused?: Refused }>
  remove(uploader: Uploader, name: string): Promise<boolean>
  lastChangeMs(personId: string): Promise<number>
}

export function nightscoutV3(http: Http, deps: NightscoutRoutesDeps): void {
  const collections = COLLECTIONS.map((name) => [name, collectionOf(name, deps)] as const)
  aboutRoutes(http, deps, collections)
  for (const [name, collection] of collections) {
    readRoutes(http, deps, name, collection)
    writeRoutes(http, deps, name, collection)
  }
}

function collectionOf(
  name: CollectionName,
  { entries, treatments, lastWords, now }: NightscoutRoutesDeps,
): Collection {
  if (name === 'entries') {
    const newest = (personId: string) =>
      entries.newest(personId, { fromMs: 0, toMs: now() + 86_400_000, count: 1 })
    return {
      find: entries.find,
      async one(personId, id) {
        const found = await entries.one(personId, id)
        return found && entryShown(found)
      },
      async take(document, uploader) {
        const { shown, refused } = await entries.take([document], uploader)
        return outcomeOf(shown, refused)
      },
      remove: entries.remove,
      lastChangeMs: async (personId) => (await newest(personId))[0]?.atMs ?? 0,
    }
  }
  if (name === 'treatments') {
    return {
      find: async (personId, find) => treatments.find(personId, find),
      one: async (personId, id) => treatments.one(personId, id),
      async take(document, uploader) {
        const { shown, refused } = await treatments.take([document], uploader)
        return outcomeOf(shown, refused)
      },
      remove: treatments.remove,
      lastChangeMs: async (personId) => treatments.lastChangeMs(personId),
    }
  }
  const list = (personId: string) => lastWords.list(name, personId)
  return {
    find: async (personId, { count }) => list(personId).slice(0, count),
    one: async (personId, id) =>
      list(personId).find(({ _id, identifier }) => id === _id || id === identifier) ?? null,
    async take(document, uploader) {
      const [shown] = await lastWords.take(name, [document], uploader)
      return shown ? { shown: { document: shown, isNew: true } } : {}
    },
    // The next one takes its place anyway.
    remove: async ({ personId }, id) => list(personId).some(({ identifier }) => id === identifier),
    lastChangeMs: async (personId) => lastWords.lastChangeMs(name, personId),
  }
}

function outcomeOf(
  [shown]: readonly { document: Document; isNew: boolean }[],
  [refused]: readonly Refused[],
): { shown?: { document: Document; isNew: boolean }; refused?: Refused } {
  return { ...(shown ? { shown } : {}), ...(refused ? { refused } : {}) }
}

function aboutRoutes(
  http: Http,
  { now, version }: NightscoutRoutesDeps,
  collections: readonly (readonly [CollectionName, Collection])[],
): void {
  const about = () => ({
    version,
    apiVersion: API_VERSION,
    srvDate: now(),
    storage: { storage: 'sqlite', version: '3' },
  })
  http.get(
    `${PREFIX}/version`,
    { config: CONFIG, schema: described('Which API this is') },
    async ({ actor }) => {
      uploaderOf(actor)
      return { status: 200, result: about(), ...about() }
    },
  )
  http.get(
    `${PREFIX}/status`,
    { config: CONFIG, schema: described('What the caller may do') },
    async ({ actor }) => {
      uploaderOf(actor)
      const apiPermissions = Object.fromEntries(COLLECTIONS.map((name) => [name, 'crud']))
      return { status: 200, result: { ...about(), apiPermissions } }
    },
  )
  http.get(
    `${PREFIX}/lastModified`,
    { config: CONFIG, schema: described('When each collection changed last') },
    async ({ actor }) => {
      const { personId } = uploaderOf(actor)
      const changed: Record<string, number> = {}
      for (const [name, collection] of collections) changed[name] = await collection.lastChangeMs(personId)
      return { status: 200, result: { srvDate: now(), collections: changed } }
    },
  )
}

const Identified = Type.Object({ identifier: Type.String({ maxLength: 80 }) })
const Since = Type.Object({ lastModified: Type.String({ maxLength: 40 }) })

function readRoutes(
  http: Http,
  { now }: NightscoutRoutesDeps,
  name: CollectionName,
  collection: Collection,
): void {
  http.get(
    `${PREFIX}/${name}`,
    { config: CONFIG, schema: described(`Search ${name}`) },
    async ({ query, actor }) => {
      const result = await collection.find(uploaderOf(actor).personId, findIn(query, now(), COUNT))
      return { status: 200, result: result.map(forV3) }
    },
  )
  http.get(
    `${PREFIX}/${name}/history/:lastModified`,
    { config: CONFIG, schema: { ...described(`What changed in ${name} since an instant`), params: Since } },
    async ({ params, query, actor }, reply) => {
      const { personId } = uploaderOf(actor)
      const sent = { ...Object(query), srvModified$gt: params.lastModified }
      const result = await collection.find(personId, findIn(sent, now(), COUNT))
      reply.header('last-modified', new Date(await collection.lastChangeMs(personId)).toUTCString())
      return { status: 200, result: result.map(forV3) }
    },
  )
  http.get(
    `${PREFIX}/${name}/:identifier`,
    { config: CONFIG, schema: { ...described(`One document of ${name}`), params: Identified } },
    async ({ params, actor }) => {
      const result = await collection.one(uploaderOf(actor).personId, params.identifier)
      if (!result) throw notFound()
      return { status: 200, result: forV3(result) }
    },
  )
}

function writeRoutes(
  http: Http,
  { now }: NightscoutRoutesDeps,
  name: CollectionName,
  collection: Collection,
): void {
  const taking = (summary: string) => ({
    tags: ['nightscout'],
    summary: `${summary} ${name}`,
    response: { 200: Loose, 201: Loose },
    body: Sent,
  })
  const land = async (document: unknown, uploader: Uploader): Promise<{ status: 200 | 201 } & Document> => {
    if (!isDocument(document)) throw new HubError('VALIDATION_ERROR', 'The body is one document.')
    const { shown, refused } = await collection.take(document, uploader)
    // In quarantine with its reason; a client that heard an error would send it again for ever.
    if (!shown)
      return {
        status: 200,
        identifier: String(document['identifier'] ?? ''),
        isIgnored: true,
        reason: refused?.reason ?? '',
      }
    const { identifier, srvModified } = forV3(shown.document)
    const lastModified = typeof srvModified === 'number' ? srvModified : now()
    if (shown.isNew) return { status: 201, identifier, lastModified }
    return {
      status: 200,
      identifier,
      isDeduplication: true,
      deduplicatedIdentifier: identifier,
      lastModified,
    }
  }
  http.post(
    `${PREFIX}/${name}`,
    { config: CONFIG, bodyLimit: BODY_BYTES, schema: taking('Add a document to') },
    async ({ body, actor }, reply) => {
      const answer = await land(body, uploaderOf(actor))
      return reply.code(answer.status).send(answer)
    },
  )
  http.route({
    method: ['PUT', 'PATCH'],
    url: `${PREFIX}/${name}/:identifier`,
    config: CONFIG,
    schema: { ...taking('Replace or change a document of'), params: Identified },
    handler: async ({ body, params, actor, method }, reply) => {
      const uploader = uploaderOf(actor)
      const known = await collection.one(uploader.personId, params.identifier)
      if (!known && method === 'PATCH') throw notFound()
      const base = method === 'PATCH' ? sentPart(known) : {}
      const answer = await land({ ...base, ...Object(body), identifier: params.identifier }, uploader)
      return reply.code(answer.status).send(answer)
    },
  })
  http.delete(
    `${PREFIX}/${name}/:identifier`,
    { config: CONFIG, schema: { ...described(`Take a document of ${name} back`), params: Identified } },
    async ({ params, actor }) => {
      if (!(await collection.remove(uploaderOf(actor), params.identifier))) throw notFound()
      return { status: 200, identifier: params.identifier, lastModified: now() }
    },
  )
}

/** A document without what the hub added to it. */
function sentPart(document: Document | null): Document {
  const {
    srvCreated: _created,
    srvModified: _modified,
    isValid: _valid,
    mills: _mills,
    ...sent
  } = document ?? {}
  return sent
}

function forV3(document: Document): Document {
  const { date } = document
  const atMs = typeof date === 'number' ? date : 0
  return { srvCreated: atMs, srvModified: atMs, isValid: true, created_at: iso(atMs), ...document }
}

function notFound(): HubError {
  return new HubError('NOT_FOUND', 'There is no document with this identifier.')
}
