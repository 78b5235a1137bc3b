/** Reads the household's feed as Electric's shape protocol serves it, and goes on where the last merged rows left off. */
import {
  type ChangeMessage,
  isChangeMessage,
  type Message,
  type Offset,
  type Row,
  ShapeStream,
} from '@electric-sql/client'
import { Compile } from 'typebox/compile'
import type { Entities } from './entities.ts'
import type { HubClient } from './hub-client.ts'
import type { HubIdentity } from './hub-state.ts'
import type { Statement, SyncPorts } from './ports.ts'
import { FeedRow, PATHS } from './wire.ts'

export interface Puller {
  /** Reads until `signal` ends it or the stream fails; resolves with why. `heard`: the feed was read up to its end. */
  follow(signal: AbortSignal, heard: () => void): Promise<string>
}

export interface PullerDeps extends Pick<SyncPorts, 'store' | 'clock' | 'log' | 'failpoints' | 'silentMs'> {
  identity(): HubIdentity
  client(): HubClient
  entities: Entities
  /** Fetches the keys of persons whom other hubs or the cloud enrolled. */
  fetchKeys(): Promise<void>
  onErase(subjects: readonly string[]): void
  /** The feed is read up to its end. */
  onCaughtUp(): void
}

const ROWS_A_UNIT = 200
/** A stream says something every half minute, and its reader waits a minute at most before it asks again. */
const SILENT_MS = 120_000
const TRIES = 5
const rowCheck = Compile(FeedRow)
const PLACE = 'UPDATE sync_hub SET shape_handle = :handle, shape_offset = :offset'

const STAGE = `INSERT INTO sync_incoming (kind, id, subject, hlc, body) VALUES (:kind, :id, :subject, :hlc, :body)
  ON CONFLICT (kind, id) DO UPDATE SET subject = excluded.subject, hlc = excluded.hlc, body = excluded.body`
const NOTHING_INCOMING: Statement = { sql: 'DELETE FROM sync_incoming' }

interface Change {
  kind: string
  id: string
  /** Null: the feed shows it no more. */
  row: FeedRow | null
}

/** A feed that is read from its beginning is put aside until it is whole. */
interface Reading {
  isWhole: boolean
}

/**
 * Every row is merged by a join, so a row that comes twice, late or in another order changes nothing. A feed that has to be read
 * anew is read beside what is known, on disk, and taken over in one unit: ended half way, the hub shows what it showed before.
 */
export function createPuller(deps: PullerDeps): Puller {
  async function applyAll(changes: readonly Change[], place: readonly Statement[]): Promise<void> {
    const rows = changes.flatMap(({ row }) => row ?? [])
    if (deps.entities.missingKeys(rows)) await deps.fetchKeys()
    for (let at = 0; at < changes.length || at === 0; at += ROWS_A_UNIT) {
      const isLast = at + ROWS_A_UNIT >= changes.length
      const some = changes.slice(at, at + ROWS_A_UNIT)
      const gone = some.filter(({ row }) => row === null).map(forget)
      await applied(
        some.flatMap(({ row }) => row ?? []),
        [...gone, ...(isLast ? place : [])],
      )
      deps.failpoints.hit('hub.applied')
    }
  }

  async function stageAll(changes: readonly Change[]): Promise<void> {
    const rows = changes.flatMap(({ row }) => row ?? [])
    if (deps.entities.missingKeys(rows)) await deps.fetchKeys()
    // What is to be forgotten is forgotten without waiting for the rest.
    const erasures = rows.filter(({ kind }) => kind === 'erasure')
    if (erasures.length > 0) await applied(erasures, [])
    for (let at = 0; at < changes.length; at += ROWS_A_UNIT) {
      await deps.store.write(changes.slice(at, at + ROWS_A_UNIT).map(stage))
      deps.failpoints.hit('hub.staged')
    }
  }

  /** Tables may change between reading and writing them: then it is merged anew. */
  async function applied(rows: readonly FeedRow[], more: readonly Statement[]): Promise<void> {
    await again(() => deps.entities.apply(rows, more))
  }

  async function again(apply: () => Promise<string[]>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        deps.onErase(await apply())
        return
      } catch (cause) {
        if (tries >= TRIES) throw cause
      }
    }
  }

  return {
    async follow(signal, heard) {
      try {
        // The key of something that is kept may have come to the cloud since.
        if (deps.entities.waitsForKeys()) await deps.fetchKeys()
        if (deps.identity().shapeOffset === null) await deps.store.write([NOTHING_INCOMING])
      } catch (cause) {
        return cause instanceof Error ? cause.message : String(cause)
      }
      const { address, shapeHandle, shapeOffset } = deps.identity()
      const isKnown = shapeHandle !== null && shapeOffset !== null
      const reading: Reading = { isWhole: isKnown }
      return new Promise((resolve) => {
        const ending = new AbortController()
        let hearing: Promise<void> = Promise.resolve()
        const end = (why: string) => {
          if (ending.signal.aborted) return
          ending.abort()
          stopLooking()
          // What is in hand is not in the way of the next reading.
          hearing.then(
            () => resolve(why),
            () => resolve(why),
          )
        }
        const line = listenedTo(deps.client().fetch, deps.clock.monotonic)
        const silentMs = deps.silentMs ?? SILENT_MS
        // A line that died without a word would be waited at for ever.
        const stopLooking = deps.clock.every(silentMs / 4, () => {
          if (deps.clock.monotonic() - line.heardMs() > silentMs) end('the line is silent')
        })
        if (signal.aborted) return end('aborted')
        signal.addEventListener('abort', () => end('aborted'), { once: true })
        const stream = new ShapeStream<Row>({
          url: new URL(PATHS.shape, address).href,
          fetchClient: line.fetch,
          liveSse: true,
          signal: ending.signal,
          backoffOptions: { initialDelay: 1000, maxDelay: 60_000, multiplier: 2 },
          // Stored by the statement below, from this client.
          ...(isKnown ? { handle: shapeHandle, offset: shapeOffset as Offset } : {}),
          onError: (cause) => end(cause instanceof Error ? cause.message : String(cause)),
        })
        stream.subscribe(
          (messages) => {
            if (ending.signal.aborted) return
            const place = { handle: stream.shapeHandle ?? null, offset: stream.lastOffset }
            hearing = hearing.then(async () => {
              if (await hear(messages, place, reading)) heard()
            })
            return hearing.catch((cause: unknown) =>
              end(cause instanceof Error ? cause.message : String(cause)),
            )
          },
          (cause) => end(cause.message),
        )
      })
    },
  }

  async function hear(
    messages: readonly Message[],
    place: { handle: string | null; offset: string },
    reading: Reading,
  ): Promise<boolean> {
    const controls = messages.map(({ headers }) => ('control' in headers ? headers.control : ''))
    if (controls.includes('must-refetch')) {
      reading.isWhole = false
      await deps.store.write([NOTHING_INCOMING, { sql: PLACE, params: { handle: null, offset: null } }])
      return false
    }
    const changes = lastOfEach(messages.filter(isChangeMessage).flatMap(changeIn))
    const isCaughtUp = controls.includes('up-to-date')
    const stored = isCaughtUp ? [{ sql: PLACE, params: place }] : []
    if (reading.isWhole) await applyAll(changes, stored)
    else {
      await stageAll(changes)
      if (isCaughtUp) await again(() => deps.entities.swap(stored))
      reading.isWhole = isCaughtUp
    }
    if (isCaughtUp) deps.onCaughtUp()
    return isCaughtUp
  }

  function changeIn({ headers, value }: ChangeMessage<Row>): Change[] {
    const { kind, id } = value
    if (headers.operation === 'delete')
      return typeof kind === 'string' && typeof id === 'string' ? [{ kind, id, row: null }] : []
    const { body, ...rest } = value
    const row: unknown = { ...rest, body: typeof body === 'string' ? body : JSON.stringify(body) }
    if (rowCheck.Check(row)) return [{ kind: row.kind, id: row.id, row }]
    deps.log.warn({}, 'a row of the feed is not what it should be and is passed over')
    return []
  }
}

/** Notes when something was asked or heard last. */
function listenedTo(ask: typeof fetch, monotonic: () => number) {
  let heardMs = monotonic()
  const note = () => {
    heardMs = monotonic()
  }
  const noting: typeof fetch = async (input, init) => {
    note()
    const answer = await ask(input, init)
    note()
    if (!answer.body) return answer
    const body = answer.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, passed) {
          note()
          passed.enqueue(chunk)
        },
      }),
    )
    return new Response(body, answer)
  }
  return { fetch: noting, heardMs: () => heardMs }
}

/** A chunk of the log may show one row several times, each time as a whole. */
function lastOfEach(changes: readonly Change[]): Change[] {
  return [...new Map(changes.map((change) => [`${change.kind} ${change.id}`, change])).values()]
}

function stage({ kind, id, row }: Change): Statement {
  if (row === null)
    return { sql: 'DELETE FROM sync_incoming WHERE kind = :kind AND id = :id', params: { kind, id } }
  const { subject, hlc, body } = row
  return { sql: STAGE, params: { kind, id, subject, hlc, body } }
}

/** What is merged ends by its own field or by an erasure, never by a row that is not shown any more. */
function forget({ kind, id }: Change): Statement {
  return {
    sql: `DELETE FROM sync_entity WHERE kind = :kind AND id = :id AND kind NOT IN ('calendar', 'person', 'group', 'consent')`,
    params: { kind, id },
  }
}
