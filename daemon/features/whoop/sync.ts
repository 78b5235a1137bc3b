/** Fetches what is new at WHOOP's, page by page, from where the last fetch ended. */

import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { WhoopClient } from './client.ts'
import type { Connections } from './connections.ts'
import { type Land, type Landed, noneLanded } from './landing.ts'

export interface SyncOptions {
  /** How far back; absent: from where the last one ended. */
  days?: number
  signal?: AbortSignal
  progress?: (fraction: number, stage: string) => void
}

export type Sync = (personId: string, options?: SyncOptions) => Promise<Landed & { records: number }>

export interface SyncDeps {
  connections: Connections
  client: Pick<WhoopClient, 'get'>
  land: Land
  now: () => number
}

const PATHS = ['/v2/cycle', '/v2/recovery', '/v2/activity/sleep', '/v2/activity/workout'] as const
const PAGE = 25
const DAY_MS = 86_400_000
const FIRST_DAYS = 30
/** Scores come late and are corrected: so much is asked for once more. */
const OVERLAP_MS = 3 * DAY_MS
/** 25 a page: more than ten years of one collection. */
const PAGES_MAX = 200

export function createSync({ connections, client, land, now }: SyncDeps): Sync {
  async function page(personId: string, path: string, signal?: AbortSignal): Promise<unknown> {
    const token = await connections.accessToken(personId)
    try {
      return await client.get(path, token, signal)
    } catch (cause) {
      if (!(cause instanceof HubError) || cause.code !== 'UNAUTHENTICATED') throw cause
      // It may have run out early; a fresh one that is not taken either is WHOOP's last word.
      return client.get(path, await connections.accessToken(personId, token), signal)
    }
  }

  async function collection(
    personId: string,
    path: string,
    fromMs: number,
    landed: Landed,
    signal?: AbortSignal,
  ) {
    let next: string | null = null
    let records = 0
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      signal?.throwIfAborted()
      const query = new URLSearchParams({
        limit: String(PAGE),
        start: iso(fromMs),
        ...(next === null ? {} : { nextToken: next }),
      })
      const body: unknown = await page(personId, `/developer${path}?${query}`, signal)
      const found: unknown = Object(body).records
      const documents = Array.isArray(found) ? found : []
      await land(personId, documents, landed)
      records += documents.length
      const after: unknown = Object(body).next_token
      if (typeof after !== 'string' || after === '' || after === next) return records
      next = after
    }
    return records
  }

  return async (personId, { days, signal, progress } = {}) => {
    const startedMs = now()
    const known = connections.find(personId)?.syncedUntilMs ?? null
    const usual = known === null ? startedMs - FIRST_DAYS * DAY_MS : known - OVERLAP_MS
    const fromMs = days === undefined ? usual : startedMs - days * DAY_MS
    const landed = noneLanded()
    let records = 0
    try {
      for (const [index, path] of PATHS.entries()) {
        progress?.(index / PATHS.length, path.split('/').at(-1) ?? path)
        records += await collection(personId, path, fromMs, landed, signal)
      }
    } catch (cause) {
      // Words for the household; a stop of the hub is none of its business.
      if (cause instanceof HubError) await connections.noteError(personId, cause.message)
      throw cause
    }
    await connections.noteSync(personId, startedMs)
    return { ...landed, records }
  }
}
