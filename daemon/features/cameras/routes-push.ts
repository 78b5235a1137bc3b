/** Pictures in over HTTP: one JPEG a request, from whoever runs the camera or from the camera itself. */
import { type Static, Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'

import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { KnownCamera } from './directory.ts'
import { readForm } from './form.ts'
import { type CameraParts, changeableBy, runningOf } from './parts.ts'
import { noSuchCamera } from './register.ts'

const SENDERS: Policy = { access: 'signed-in', roles: ['owner', 'caregiver', 'coach', 'member', 'device'] }
const Query = Type.Object(
  {
    camera_id: Type.Optional(Id),
    session_id: Type.Optional(Id),
    captured_at: Type.Optional(
      Type.String({ maxLength: 64, description: 'RFC 3339 with offset, or epoch s or ms' }),
    ),
  },
  { additionalProperties: false },
)
const Taken = Type.Object(
  {
    /** Grows by one with every picture that was taken in since the hub started. */
    frame_seq: Type.Integer(),
    /** False: a newer picture of the session came before this one. */
    accepted: Type.Boolean(),
  },
  { additionalProperties: false },
)
/** As over MQTT. */
const PICTURE_BYTES = 1_048_576
const FORM_BYTES = PICTURE_BYTES + 4096
const FORM = 'multipart/form-data'
const JPEG = 'image/jpeg'
const Bytes = Type.Unknown({ description: 'One JPEG of at most 1 MB' })

/** In a scope of its own: nowhere else is a body that is no JSON taken. */
export function pushRoutes(http: Http, parts: CameraParts): void {
  void http.register(async (scope) => {
    scope.addContentTypeParser<Buffer>([JPEG, FORM], { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    frameRoute(scope, parts)
  })
}

function frameRoute(http: Http, parts: CameraParts): void {
  http.post(
    '/live/frame',
    {
      config: { policy: SENDERS },
      bodyLimit: FORM_BYTES,
      schema: {
        tags: ['live'],
        summary: 'One picture of a camera that is sent to the hub',
        querystring: Query,
        body: { content: { [JPEG]: { schema: Bytes }, [FORM]: { schema: Bytes } } },
        response: { 202: Ok(Taken) },
      },
    },
    async (request, reply) => {
      const sent = sentPicture(request.body, request.headers['content-type'] ?? '')
      const taken = takePicture(parts, request.actor, { ...sent, ...request.query })
      return reply.code(202).send(ok(parts.clock.now(), taken))
    },
  )
}

/** One JPEG, and what was said about it. */
export interface SentPicture {
  jpeg: Buffer
  camera_id?: string
  session_id?: string
  captured_at?: string
}

/**
 * Takes one JPEG from whoever may send it. Throws NOT_FOUND, CONFLICT, VALIDATION_ERROR, TOO_LARGE or UNSUPPORTED_MEDIA; a picture that
 * is older than the session's last one is refused without an error, and counted there.
 */
export function takePicture(parts: CameraParts, actor: Actor, sent: SentPicture): Static<typeof Taken> {
  const named = sent.camera_id ?? null
  refuseNoJpeg(sent.jpeg)
  const own = actor.kind === 'device' ? meant(parts, actor, named).id : named
  const capturedAtMs = capturedAt(sent.captured_at)
  const { cameraId, isNext } = admitted(parts, actor, own, { sessionId: sent.session_id, capturedAtMs })
  const camera = meant(parts, actor, cameraId)
  const counts = parts.pictureCounts
  const before = counts.get(camera.id) ?? 0
  if (!isNext) return { frame_seq: before, accepted: false }
  const { push } = runningOf(parts, camera)
  if (!push)
    throw new HubError(
      'CONFLICT',
      camera.kind === 'phone'
        ? 'This camera is a phone: it sends from the app’s page “Film with this device”.'
        : `The hub fetches the pictures of this camera itself (${camera.kind}).`,
    )
  push(sent.jpeg, parts.clock.now(), capturedAtMs ?? undefined)
  counts.set(camera.id, before + 1)
  return { frame_seq: before + 1, accepted: true }
}

function refuseNoJpeg(jpeg: Buffer): void {
  if (jpeg.length > PICTURE_BYTES)
    throw new HubError('TOO_LARGE', 'A picture may have 1 MB. Send a smaller one.')
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8)
    throw new HubError('UNSUPPORTED_MEDIA', 'This is no JPEG: it does not begin with FF D8.')
}

/** Which camera a picture of a session belongs to; outside of sessions it is as named, and always the next one. */
function admitted(
  { admitFrame }: CameraParts,
  actor: Actor,
  cameraId: string | null,
  { sessionId, capturedAtMs }: { sessionId: string | undefined; capturedAtMs: number | null },
): { cameraId: string | null; isNext: boolean } {
  if (sessionId === undefined) return { cameraId, isNext: true }
  if (!admitFrame) throw new HubError('NOT_FOUND', 'No session with this id is running.')
  return admitFrame({ actor, sessionId, cameraId, capturedAtMs })
}

function capturedAt(text: string | undefined): number | null {
  const parsed = text === undefined ? null : parseInstant(text, null)
  if (parsed === null || 'atMs' in parsed) return parsed?.atMs ?? null
  throw new HubError('VALIDATION_ERROR', `captured_at: ${parsed.wrong}.`, {
    details: [{ path: 'captured_at', message: parsed.wrong }],
  })
}

function sentPicture(body: unknown, contentType: string): SentPicture {
  if (!Buffer.isBuffer(body) || body.length === 0)
    throw new HubError('VALIDATION_ERROR', 'The request holds no picture: send one JPEG as its body.')
  const isForm = contentType.toLowerCase().startsWith(FORM)
  const form = isForm ? readForm(body, contentType) : []
  const jpeg = isForm ? form.find(({ type }) => type === JPEG)?.data : body
  if (!jpeg) throw new HubError('UNSUPPORTED_MEDIA', 'The form has no part of type image/jpeg.')
  const field = (wanted: string) => form.find(({ name }) => name === wanted)?.data.toString('utf8')
  const [cameraId, sessionId, capturedAt] = [field('camera_id'), field('session_id'), field('captured_at')]
  return {
    jpeg,
    ...(cameraId !== undefined && { camera_id: cameraId }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(capturedAt !== undefined && { captured_at: capturedAt }),
  }
}

/** A device speaks for its own camera only; a user for those that are theirs to change. */
function meant(parts: CameraParts, actor: Actor, named: string | null): KnownCamera {
  if (actor.kind !== 'device') {
    if (named !== null) return changeableBy(parts, actor, named)
    throw new HubError('VALIDATION_ERROR', 'Say whose picture this is: camera_id is missing.', {
      details: [{ path: 'camera_id', message: 'is missing' }],
    })
  }
  if (actor.type !== 'camera') throw new HubError('FORBIDDEN', 'Only a device of type camera sends pictures.')
  const own = parts.register.ofDevice(actor.deviceId)
  if (own && (named === null || named === own.id)) return own
  throw noSuchCamera()
}
