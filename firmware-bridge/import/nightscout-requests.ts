import { timingSafeEqual } from 'node:crypto'
import { type JsonObject, objectOf, readJsonRecords } from './json-records.ts'
import { createMemory, type Memory } from './memory.ts'
import { entryRecords, type NightscoutRead, statusRecords, treatmentRecords } from './nightscout.ts'
import { type Emit, type Reading, skipped } from './record.ts'
import { text } from './when.ts'
import { eventWords, sampleWords } from './words.ts'

const COLLECTIONS: readonly { path: RegExp; read(document: JsonObject): NightscoutRead }[] = [
  { path: /^\/api\/v1\/entries(?:\.json)?$/, read: entryRecords },
  { path: /^\/api\/v1\/treatments(?:\.json)?$/, read: treatmentRecords },
  { path: /^\/api\/v1\/devicestatus(?:\.json)?$/, read: statusRecords },
]
const MAX_REQUESTS = 10_000
const MAX_DOCUMENTS = 10_000
const MAX_REMEMBERED = 200_000

interface Answer {
  id: string
  status: number
  stored?: number
  samples?: object[]
  events?: object[]
}

/**
 * A capture of requests that uploaders sent to Nightscout's API v1: what each would have stored, in order. A request
 * without the secret stores nothing; a reading that was there before is not a second one.
 */
export function readNightscoutRequests(emit: Emit): Reading {
  const seen = createMemory(MAX_REMEMBERED)
  const answers: Answer[] = []
  let secret: string | null = null
  return readJsonRecords({
    emit,
    wanted: [['api_secret_sha1'], ['requests', '*']],
    onPiece(path, value) {
      if (path[0] === 'api_secret_sha1') secret = text(value, 128)
      else if (answers.length >= MAX_REQUESTS)
        emit(skipped(`request ${String(path[1])}`, 'too many requests'))
      else answers.push(answerTo(objectOf(value), secret, seen, emit))
    },
    onEnd: () => emit({ kind: 'finding', name: 'responses', value: answers }),
  })
}

function answerTo(request: JsonObject, secret: string | null, seen: Memory<string>, emit: Emit): Answer {
  const id = text(request['id'], 64) ?? ''
  const [path = '', query = ''] = String(request['path']).split('?')
  if (secret !== null && !isAllowed(request, query, secret)) {
    emit(skipped(`request ${id}`, 'the api secret is missing or wrong'))
    return { id, status: 401, stored: 0 }
  }
  const collection = COLLECTIONS.find((known) => known.path.test(path))
  const writes = request['method'] === 'POST' || request['method'] === 'PUT'
  if (!collection || !writes) return { id, status: 200 }
  const body = request['body']
  const answer: Answer = { id, status: 200 }
  for (const [index, document] of (Array.isArray(body) ? body : [body]).slice(0, MAX_DOCUMENTS).entries()) {
    const where = `request ${id}, document ${index}`
    const read = collection.read(objectOf(document))
    if (typeof read === 'string') {
      emit(skipped(where, read))
      continue
    }
    for (const record of read) {
      const words = record.kind === 'sample' ? sampleWords(record) : eventWords(record)
      const key =
        record.kind === 'sample'
          ? `${record.metric} ${record.atMs}`
          : `${record.event} ${record.atMs} ${record.externalId ?? ''}`
      if (seen.knows(key)) emit(skipped(where, 'the same reading once more'))
      else {
        emit(record)
        if (record.kind === 'sample') answer.samples = [...(answer.samples ?? []), words]
        else answer.events = [...(answer.events ?? []), words]
      }
    }
  }
  return answer
}

/** The secret travels as its SHA-1 in a header or in the query. */
function isAllowed(request: JsonObject, query: string, secret: string): boolean {
  const header = objectOf(request['headers'])['api-secret']
  const given = typeof header === 'string' ? header : (new URLSearchParams(query).get('secret') ?? '')
  const [left, right] = [Buffer.from(given.toLowerCase()), Buffer.from(secret.toLowerCase())]
  return left.length === right.length && timingSafeEqual(left, right)
}
