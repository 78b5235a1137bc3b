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

export interface PullerDeps extends Pick<SyncPorts, 'log' | 'failpoints'> {
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
const TRIES = 5
const rowCheck = Compile(FeedRow)
const PLACE = 'UPDATE sync_hub SET shape_handle = :handle, shape_offset = :offset'

/**
 * Every row is merged by a join, so a row that comes twice, late or in another order changes nothing. For the same reason a feed
 * that has to be read anew needs no second generation beside the first: what is known stays while it is read again.
 */
export function createPuller(deps: PullerDeps): Puller {
  async function applyAll(rows: readonly FeedRow[], place: readonly Statement[]): Promise<void> {
    if (deps.entities.missingKeys(rows)) await deps.fetchKeys()
    for (let at = 0; at < rows.length || at === 0; at += ROWS_A_UNIT) {
      const isLast = at + ROWS_A_UNIT >= rows.length
      deps.onErase(await applied(rows.slice(at, at + ROWS_A_UNIT), isLast ? place : []))
      deps.failpoints.hit('hub.applied')
    }
  }

  /** Tables may change between reading and writing them: then it is merged anew. */
  async function applied(rows: readonly FeedRow[], place: readonly Statement[]): Promise<string[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await deps.entities.apply(rows, place)
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
      } catch (cause) {
        return cause instanceof Error ? cause.message : String(cause)
      }
      const { address, shapeHandle, shapeOffset } = deps.identity()
      const isKnown = shapeHandle !== null && shapeOffset !== null
      return new Promise((resolve) => {
        const ending = new AbortController()
        const end = (why: string) => {
          ending.abort()
          resolve(why)
        }
        if (signal.aborted) return end('aborted')
        signal.addEventListener('abort', () => end('aborted'), { once: true })
        const stream = new ShapeStream<Row>({
          url: new URL(PATHS.shape, address).href,
          fetchClient: deps.client().fetch,
          liveSse: true,
          signal: ending.signal,
          backoffOptions: { initialDelay: 1000, maxDelay: 60_000, multiplier: 2 },
          // Stored by the statement below, from this client.
          ...(isKnown ? { handle: shapeHandle, offset: shapeOffset as Offset } : {}),
          onError: (cause) => end(cause instanceof Error ? cause.message : String(cause)),
        })
        stream.subscribe(
          async (messages) => {
            try {
              const place = { handle: stream.shapeHandle ?? null, offset: stream.lastOffset }
              if (await hear(messages, place)) heard()
            } catch (cause) {
              end(cause instanceof Error ? cause.message : String(cause))
            }
          },
          (cause) => end(cause.message),
        )
      })
    },
  }

  async function hear(
    messages: readonly Message[],
    place: { handle: string | null; offset: string },
  ): Promise<boolean> {
    const controls = messages.map(({ headers }) => ('control' in headers ? headers.control : ''))
    if (controls.includes('must-refetch')) {
      await deps.entities.apply([], [{ sql: PLACE, params: { handle: null, offset: null } }])
      return false
    }
    const rows = messages.filter(isChangeMessage).flatMap(rowIn)
    const isWhole = controls.includes('up-to-date')
    await applyAll(rows, isWhole ? [{ sql: PLACE, params: place }] : [])
    if (isWhole) deps.onCaughtUp()
    return isWhole
  }

  function rowIn({ headers, value }: ChangeMessage<Row>): FeedRow[] {
    if (headers.operation === 'delete') return []
    const { body, ...rest } = value
    const row: unknown = { ...rest, body: typeof body === 'string' ? body : JSON.stringify(body) }
    if (rowCheck.Check(row)) return [row]
    deps.log.warn({}, 'a row of the feed is not what it should be and is passed over')
    return []
  }
}
