/** A hub as the cloud sees it: signs what it asks, believes only what is signed. For tests of the cloud's side. */

import { randomBytes } from 'node:crypto'
import { brotliCompressSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import {
  answerText,
  HUB_HEADER,
  isSignedBy,
  NONCE_HEADER,
  newSigningKey,
  requestText,
  SERVER_SIGNATURE_HEADER,
  SERVER_TIME_HEADER,
  SIGNATURE_HEADER,
  type SigningKey,
  signText,
  TIME_HEADER,
} from '../../sync/signing.ts'
import { PATHS, SCHEMA, type SyncRequest } from '../../sync/wire.ts'

/** Takes requests as `inject` does; several instances may stand behind one. */
export type Door = Pick<FastifyInstance, 'inject'>

export interface Heard {
  status: number
  // The tests say what they expect of it.
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  body: any
  headers: Record<string, unknown>
  /** Whether the service signed it with the key it showed at registration. */
  signed: boolean
}

export interface TestHub {
  id: string
  household: string
  key: SigningKey
  ask(method: 'GET' | 'POST', path: string, body?: unknown, more?: AskMore): Promise<Heard>
  sync(batch: Partial<SyncRequest>, more?: AskMore): Promise<Heard>
  /** Sends rows as the next batch of a lane, and keeps what the acknowledgement says. */
  push(lane: SyncRequest['lane'], rows: readonly unknown[], more?: Partial<SyncRequest>): Promise<Heard>
  lanes: Map<string, { prev: number; token: string | null }>
  epoch: number
}

export interface AskMore {
  nonce?: string
  timeMs?: number
  key?: SigningKey
  hub?: string
  /** Another instance than the one it registered with. */
  door?: Door
  /** Sent as they are instead of the compressed body. */
  raw?: Buffer
  headers?: Record<string, string>
}

interface HubDeps {
  door: Door
  code: string
  now(): number
}

export async function registerHub({ door, code, now }: HubDeps, key = newSigningKey()): Promise<TestHub> {
  const registration = {
    code,
    public_key: key.publicKey,
    name: 'Clubhouse',
    version: '1.0.0',
    schema: SCHEMA,
  }
  const first = await ask(
    { door, now, key, hub: 'new', serverKey: null },
    'POST',
    PATHS.register,
    registration,
  )
  if (first.status !== 200) throw new Error(`not registered: ${JSON.stringify(first.body)}`)
  const lanes = new Map<string, { prev: number; token: string | null }>()
  const hub: TestHub = {
    id: first.body.hub_id,
    household: first.body.household_id,
    key,
    lanes,
    epoch: first.body.epoch,
    ask: (method, path, body, more = {}) =>
      ask(
        {
          door: more.door ?? door,
          now,
          key: more.key ?? hub.key,
          hub: more.hub ?? hub.id,
          serverKey: first.body.server_key,
        },
        method,
        path,
        body,
        more,
      ),
    sync: (batch, more) =>
      hub.ask(
        'POST',
        PATHS.sync,
        {
          hub: hub.id,
          epoch: hub.epoch,
          lane: 'state',
          prev: 0,
          max_seq: 1_000_000,
          token: null,
          schema: SCHEMA,
          rows: [],
          ...batch,
        },
        more,
      ),
    async push(lane, rows, more = {}) {
      const at = lanes.get(lane) ?? { prev: 0, token: null }
      const heard = await hub.sync({ lane, ...at, rows: [...rows], ...more })
      if (heard.signed && (heard.status === 200 || heard.status === 422))
        lanes.set(lane, { prev: heard.body.watermark, token: heard.body.token })
      return heard
    },
  }
  return hub
}

interface AskDeps {
  door: Door
  now(): number
  key: SigningKey
  hub: string
  serverKey: string | null
}

async function ask(
  { door, now, key, hub, serverKey }: AskDeps,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  { nonce = randomBytes(12).toString('base64url'), timeMs = now(), raw, headers = {} }: AskMore = {},
): Promise<Heard> {
  const bytes = raw ?? (body === undefined ? Buffer.alloc(0) : brotliCompressSync(JSON.stringify(body)))
  const signature = signText(key.pem, requestText({ method, path, body: bytes, timeMs, nonce, hub }))
  const answer = await door.inject({
    method,
    url: path,
    headers: {
      ...(method === 'POST' ? { 'content-type': 'application/json', 'content-encoding': 'br' } : {}),
      [HUB_HEADER]: hub,
      [TIME_HEADER]: String(timeMs),
      [NONCE_HEADER]: nonce,
      [SIGNATURE_HEADER]: signature,
      ...headers,
    },
    ...(bytes.length > 0 ? { payload: bytes } : {}),
  })
  const text = answerText({
    status: answer.statusCode,
    nonce,
    body: answer.rawPayload,
    timeMs: Number(answer.headers[SERVER_TIME_HEADER]),
  })
  const shownKey =
    serverKey ?? (answer.statusCode === 200 ? (answer.json() as { server_key: string }).server_key : '')
  return {
    status: answer.statusCode,
    body: answer.headers['content-type']?.toString().includes('json') ? answer.json() : answer.body,
    headers: answer.headers,
    signed: isSignedBy(shownKey, text, String(answer.headers[SERVER_SIGNATURE_HEADER] ?? '')),
  }
}
