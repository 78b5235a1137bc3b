/** HTTP of backups: how they stand, the recovery key, one more now, and fetching one. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Tickets } from '../../kernel/tickets.ts'
import { fingerprintWords } from '../../kernel/words.ts'
import { PASSPHRASE_MIN, recipientHash } from '../../store/backups/seal.ts'
import type { KeptBackup, Shelf } from './shelf.ts'

export interface BackupRoutesDeps {
  now: () => number
  shelf: Shelf
  downloads: Tickets<string>
  newKey(): Promise<{ key: string; recipient: string }>
  begin(asked: {
    passphrase: string | null
    media: boolean
    requestedBy: string | null
  }): Promise<{ id: string }>
}

const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const OPEN: Policy = { access: 'open' }
const TAGS = ['backup']
const WORDS_SHOWN = 4
const Words = Type.Array(Type.String(), { description: 'Stand for the key, to tell one from another' })
const One = Type.Object({
  id: Type.String(),
  at: Timestamp,
  file: Type.String(),
  bytes: Type.Integer(),
  sha256: Type.String(),
  sealed_for: Type.Enum(['key', 'passphrase']),
  media: Type.Boolean(),
  on_this_box: Type.Boolean(),
  erased_since: Type.Integer({ description: 'Persons erased after it was made, whom it still holds' }),
})
const State = Type.Object({
  key: Type.Union([Type.Object({ recipient: Type.String(), words: Words, made_at: Timestamp }), Type.Null()]),
  backups: Type.Array(One),
})
const NewKey = Type.Object({
  recovery_key: Type.String({ description: 'Shown this once; opens every backup made from now on' }),
  recipient: Type.String(),
  words: Words,
})
const Begin = Type.Object(
  {
    passphrase: Type.Optional(
      Type.String({ minLength: PASSPHRASE_MIN, maxLength: 200, description: 'Instead of the recovery key' }),
    ),
    media: Type.Boolean({ default: true, description: 'Photos and recordings too' }),
  },
  { additionalProperties: false },
)
const Params = Type.Object({ backupId: Id }, { additionalProperties: false })
const Query = Type.Object({ ticket: Type.String({ maxLength: 64 }) }, { additionalProperties: false })

export function backupRoutes(http: Http, deps: BackupRoutesDeps): void {
  const { now, shelf } = deps
  http.get(
    '/backup',
    {
      config: { policy: OWNER },
      schema: { tags: TAGS, summary: 'Backups that were made, newest first', response: { 200: Ok(State) } },
    },
    async () => {
      const key = shelf.key()
      return ok(now(), {
        key: key && {
          recipient: key.recipient,
          words: wordsOf(key.recipient),
          made_at: iso(key.madeAtMs),
        },
        backups: shelf.list().map(view),
      })
    },
  )
  http.post(
    '/backup/key',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: TAGS,
        summary: 'A new recovery key, shown once; backups of before need the old one',
        response: { 201: Ok(NewKey) },
      },
    },
    async (_request, reply) => {
      const { key, recipient } = await deps.newKey()
      reply.header('cache-control', 'no-store')
      const data = { recovery_key: key, recipient, words: wordsOf(recipient) }
      return reply.code(201).send(ok(now(), data))
    },
  )
  http.post(
    '/backup',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: TAGS,
        summary: 'Back everything up now; follow it under /jobs',
        body: Begin,
        response: { 202: Ok(Type.Object({ job_id: Type.String() })) },
      },
    },
    async ({ body, actor }, reply) => {
      const requestedBy = actor.kind === 'user' ? actor.userId : null
      const { id } = await deps.begin({ passphrase: body.passphrase ?? null, media: body.media, requestedBy })
      return reply.code(202).send(ok(now(), { job_id: id }))
    },
  )
  fileRoutes(http, deps)
}

function fileRoutes(http: Http, { now, shelf, downloads }: BackupRoutesDeps): void {
  http.post(
    '/backup/:backupId/ticket',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: TAGS,
        summary: 'A link that fetches the file once, within five minutes',
        params: Params,
        response: { 201: Ok(Type.Object({ url: Type.String() })) },
      },
    },
    async ({ params }, reply) => {
      const found = shelf.find(params.backupId)
      if (!found) throw new HubError('NOT_FOUND', 'There is no backup with this id.')
      if (found.goneAtMs !== null) throw new HubError('GONE', 'This backup is no longer on the box.')
      const url = `/api/v1/backup/${found.id}/file?ticket=${downloads.issue(found.id)}`
      reply.header('cache-control', 'no-store')
      return reply.code(201).send(ok(now(), { url }))
    },
  )
  http.get(
    '/backup/:backupId/file',
    {
      exposeHeadRoute: false,
      config: { policy: OPEN, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'The encrypted file, by a link of its ticket',
        params: Params,
        querystring: Query,
        response: {
          200: {
            description: 'An age file',
            content: { 'application/octet-stream': { schema: Type.Unknown() } },
          },
        },
      },
    },
    async ({ params, query }, reply) => {
      const found = downloads.take(query.ticket) === params.backupId ? shelf.find(params.backupId) : undefined
      if (!found || found.goneAtMs !== null)
        throw new HubError('NOT_FOUND', 'This link was used or is too old. Ask for another.')
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-length', found.bytes)
        .header('content-disposition', `attachment; filename="${found.file}"`)
        .header('cache-control', 'no-store')
        .send(createReadStream(join(shelf.folder, found.file)))
    },
  )
}

function view(backup: KeptBackup) {
  const { id, atMs, file, bytes, sha256, sealedFor, media, goneAtMs, erasedSince } = backup
  return {
    ...{ id, at: iso(atMs), file, bytes, sha256, sealed_for: sealedFor, media: media === 1 },
    ...{ on_this_box: goneAtMs === null, erased_since: erasedSince },
  }
}

function wordsOf(recipient: string): string[] {
  return [...fingerprintWords(recipientHash(recipient), WORDS_SHOWN)]
}
