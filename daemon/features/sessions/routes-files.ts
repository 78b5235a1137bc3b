/** HTTP of a session's files. Pictures and videos need the media of every player, other files their training. */
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { type Actor, can } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { Http } from '../../domain/route.ts'
import { mayChangeSession, seesWholeSession } from '../../domain/session.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { StoredFile } from './files.ts'
import { changeableBy, type SessionParts, seenBy, TAGS, USERS } from './parts.ts'
import type { StoredSession } from './register.ts'
import { SessionParams } from './routes.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const FileParams = Type.Object({ sessionId: Id, attachmentId: Id }, { additionalProperties: false })
const Query = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 200, default: 'file' }) },
  { additionalProperties: false },
)
const Attachment = Type.Object(
  {
    id: Id,
    name: Type.String(),
    media_type: Type.String(),
    bytes: Type.Integer(),
    /** The camera that it was recorded from. */
    camera_id: orNull(Id),
    from: orNull(Timestamp),
    to: orNull(Timestamp),
    created_at: Timestamp,
  },
  { additionalProperties: false },
)
const Nothing = Type.Object({}, { additionalProperties: false })
/** Above the limit of files, which speaks for itself. */
const BODY_LIMIT = Number.MAX_SAFE_INTEGER
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,100}$/

export function fileRoutes(http: Http, parts: SessionParts): void {
  // A file is no JSON, whatever its sender calls it: here every body is taken as it comes.
  void http.register(async (inner: Http) => {
    inner.removeAllContentTypeParsers()
    inner.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    uploadRoute(inner, parts)
  })
  listRoute(http, parts)
  fetchRoute(http, parts)
  removeRoute(http, parts)
}

function uploadRoute(http: Http, parts: SessionParts): void {
  const { files, now, newId } = parts
  http.post(
    '/sessions/:sessionId/attachments',
    {
      config: { policy: USERS },
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: TAGS,
        summary: 'Add a file to a session: its bytes are the body, of the type that the header names',
        params: SessionParams,
        querystring: Query,
        response: { 201: Ok(Attachment) },
      },
    },
    async ({ actor, params, query, headers, body }, reply) => {
      const session = changeableBy(parts, actor, params.sessionId)
      const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
      if (!MEDIA_TYPE.test(mediaType) || mediaType.startsWith('multipart/'))
        throw new HubError(
          'UNSUPPORTED_MEDIA',
          'Send the file itself as the body, and its type as content-type.',
        )
      if (!(body instanceof Readable)) throw new HubError('VALIDATION_ERROR', 'The request has no file.')
      const announced = Number(headers['content-length'])
      const file = await files.receive(
        {
          id: newId(),
          sessionKey: session.key,
          name: query.name.replace(/^.*[/\\]/, '') || 'file',
          mediaType,
          ...{ camera: null, fromAtMs: null, toAtMs: null },
          createdBy: actor.kind === 'user' ? actor.userId : null,
          createdAtMs: now(),
        },
        body,
        Number.isSafeInteger(announced) ? announced : null,
      )
      return reply.code(201).send(ok(now(), shown(file)))
    },
  )
}

function listRoute(http: Http, parts: SessionParts): void {
  const { files, now } = parts
  http.get(
    '/sessions/:sessionId/attachments',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Files of a session that I may open, recordings among them',
        params: SessionParams,
        response: { 200: Ok(Type.Array(Attachment)) },
      },
    },
    async ({ actor, params }) => {
      const session = seenBy(parts, actor, params.sessionId)
      const open = files.list(session.key).filter((file) => mayOpen(actor, session, file, now()))
      return ok(now(), open.map(shown))
    },
  )
}

function fetchRoute(http: Http, parts: SessionParts): void {
  http.get(
    '/sessions/:sessionId/attachments/:attachmentId',
    {
      config: { policy: USERS, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'The bytes of a file, or a range of them',
        params: FileParams,
        response: {
          200: { description: 'The file', content: { '*/*': { schema: Type.Unknown() } } },
          206: { description: 'The range', content: { '*/*': { schema: Type.Unknown() } } },
        },
      },
    },
    async ({ actor, params, headers }, reply) => {
      const file = openedBy(parts, actor, params)
      const range = rangeOf(headers.range, file.bytes)
      void reply
        .header('content-type', file.mediaType)
        .header('accept-ranges', 'bytes')
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`)
        .header('x-content-type-options', 'nosniff')
        .header('cache-control', 'private, no-store')
        .header('content-length', range.to - range.from + 1)
      if (range.partial)
        void reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${file.bytes}`)
      return reply.send(parts.files.read(file, range))
    },
  )
}

function removeRoute(http: Http, parts: SessionParts): void {
  http.delete(
    '/sessions/:sessionId/attachments/:attachmentId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Remove a file of a session',
        params: FileParams,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params }) => {
      const file = openedBy(parts, actor, params)
      changeableBy(parts, actor, params.sessionId)
      await parts.files.remove(file)
      return ok(parts.now(), {})
    },
  )
}

function openedBy(
  parts: SessionParts,
  actor: Actor,
  { sessionId, attachmentId }: { sessionId: string; attachmentId: string },
): StoredFile {
  const session = seenBy(parts, actor, sessionId)
  const file = parts.files.get(session.key, attachmentId)
  if (file && mayOpen(actor, session, file, parts.now())) return file
  throw new HubError('NOT_FOUND', 'The session has no such file.')
}

function mayOpen(actor: Actor, session: StoredSession, { mediaType }: StoredFile, nowMs: number): boolean {
  if (!seesWholeSession(actor, session, nowMs)) return false
  if (!/^(image|video|audio)\//.test(mediaType)) return true
  if (session.playerIds.length === 0) return mayChangeSession(actor, session, nowMs)
  return session.playerIds.every((personId) => can(actor, 'read', personId, 'media', nowMs))
}

/** One range of bytes; a header that asks for anything else is passed over, as it may be. Throws OUT_OF_RANGE beyond the end. */
function rangeOf(header: string | undefined, bytes: number): { from: number; to: number; partial: boolean } {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return { from: 0, to: bytes - 1, partial: false }
  const from = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const to = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (from > to) throw new HubError('OUT_OF_RANGE', `The file has ${bytes} bytes.`)
  return { from, to, partial: true }
}

function shown(file: StoredFile) {
  return {
    ...{
      id: file.id,
      name: file.name,
      media_type: file.mediaType,
      bytes: file.bytes,
      camera_id: file.camera,
    },
    from: file.fromAtMs === null ? null : iso(file.fromAtMs),
    to: file.toAtMs === null ? null : iso(file.toAtMs),
    created_at: iso(file.createdAtMs),
  }
}
