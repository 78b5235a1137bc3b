/** Pictures out to a phone (WHEP) and in from one (WHIP): one offer, one answer, one address to end it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Http } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Described } from './footage.ts'
import { type CameraParts, changeableBy, runningOf, seenBy } from './parts.ts'
import { CameraParams, Nothing, USERS } from './routes.ts'
import { expiryOf } from './routes-look.ts'

const SDP = 'application/sdp'
const OFFER_BYTES = 64 * 1024
const Offer = { content: { [SDP]: { schema: Type.Unknown({ description: 'The offer' }) } } }
const Answer = { description: 'The answer', content: { [SDP]: { schema: Type.String() } } }
const ViewParams = Type.Object({ cameraId: Id, viewId: Id }, { additionalProperties: false })
const StreamParams = Type.Object({ cameraId: Id, streamId: Id }, { additionalProperties: false })
const TAGS = ['cameras']

interface Open {
  cameraId: string
  /** Who opened it: nobody else ends it, except who may change the camera. */
  actor: FastifyRequest['actor']
  close(): void
}

/** In a scope of its own: nowhere else is a body that is no JSON taken. */
export function webrtcRoutes(http: Http, parts: CameraParts): void {
  void http.register(async (scope) => {
    scope.addContentTypeParser<Buffer>(
      SDP,
      { parseAs: 'buffer', bodyLimit: OFFER_BYTES },
      (_request, body, done) => done(null, body),
    )
    viewRoutes(scope, parts)
    receiveRoutes(scope, parts)
  })
}

function viewRoutes(http: Http, parts: CameraParts): void {
  const open = new Map<string, Open>()
  http.post(
    '/cameras/:cameraId/view',
    {
      config: { policy: USERS, envelope: false },
      bodyLimit: OFFER_BYTES,
      schema: {
        tags: TAGS,
        summary: 'Look through a camera by WebRTC (WHEP)',
        params: CameraParams,
        body: Offer,
        response: { 201: Answer },
      },
    },
    async (request, reply) => {
      const camera = seenBy(parts, request.actor, request.params.cameraId)
      const offer = offerOf(request.body)
      const running = runningOf(parts, camera)
      if (!running.view) throw noWebrtc()
      const viewer = { id: null as string | null, ended: false }
      const end = () => {
        viewer.ended = true
        if (viewer.id === null) return
        open.delete(viewer.id)
        running.closeView(viewer.id)
      }
      const forget = parts.viewers.add({
        ...{ actor: request.actor, cameraId: camera.id, end },
        expiresAtMs: expiryOf(parts, request),
      })
      const answer = await running.view(offer).catch((cause: unknown) => {
        forget()
        throw cause
      })
      viewer.id = answer.id
      const stopListening = running.onViewClosed((id) => {
        if (id === answer.id) close()
      })
      const close = () => {
        stopListening()
        forget()
        end()
      }
      // The right to look may have ended while the answer was made.
      if (viewer.ended) {
        end()
        throw new HubError('UNAUTHENTICATED', 'The sign-in ended meanwhile.')
      }
      open.set(answer.id, { cameraId: camera.id, actor: request.actor, close })
      return answered(reply, `/api/v1/cameras/${camera.id}/view/${answer.id}`, answer)
    },
  )
  http.delete(
    '/cameras/:cameraId/view/:viewId',
    {
      config: { policy: USERS },
      schema: { tags: TAGS, summary: 'Stop looking', params: ViewParams, response: { 200: Ok(Nothing) } },
    },
    async ({ actor, params: { cameraId, viewId } }) => {
      seenBy(parts, actor, cameraId)
      const view = open.get(viewId)
      if (!view || view.cameraId !== cameraId || !isSame(view.actor, actor))
        throw new HubError('NOT_FOUND', 'There is no view with this id.')
      view.close()
      return ok(parts.clock.now(), {})
    },
  )
}

function receiveRoutes(http: Http, parts: CameraParts): void {
  http.post(
    '/cameras/:cameraId/webrtc',
    {
      config: { policy: USERS, envelope: false },
      bodyLimit: OFFER_BYTES,
      schema: {
        tags: TAGS,
        summary: 'Be the camera: a phone or browser sends its picture by WebRTC (WHIP)',
        params: CameraParams,
        body: Offer,
        response: { 201: Answer },
      },
    },
    async ({ actor, params, body }, reply) => {
      const camera = changeableBy(parts, actor, params.cameraId)
      const offer = offerOf(body)
      if (camera.kind !== 'phone')
        throw new HubError(
          'CONFLICT',
          `This camera is of kind ${camera.kind}; only one of kind phone takes a phone.`,
        )
      const { receive } = runningOf(parts, camera)
      if (!receive) throw noWebrtc()
      const answer = await receive(offer)
      return answered(reply, `/api/v1/cameras/${camera.id}/webrtc/${answer.id}`, answer)
    },
  )
  http.delete(
    '/cameras/:cameraId/webrtc/:streamId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Stop being the camera',
        params: StreamParams,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params: { cameraId, streamId } }) => {
      const camera = changeableBy(parts, actor, cameraId)
      runningOf(parts, camera).closeReceive(streamId)
      return ok(parts.clock.now(), {})
    },
  )
}

function offerOf(body: unknown): string {
  const offer = Buffer.isBuffer(body) ? body.toString('utf8') : ''
  if (offer.startsWith('v=0') && /^m=video /m.test(offer)) return offer
  throw new HubError('VALIDATION_ERROR', 'The body is no WebRTC offer with video.')
}

function answered(reply: FastifyReply, location: string, { sdp }: Described) {
  return reply.code(201).header('location', location).header('cache-control', 'no-store').type(SDP).send(sdp)
}

function isSame(one: FastifyRequest['actor'], other: FastifyRequest['actor']): boolean {
  if (one.kind === 'local') return other.kind === 'local'
  return one.kind === 'user' && other.kind === 'user' && one.userId === other.userId
}

function noWebrtc(): HubError {
  return new HubError('OVERLOADED', 'WebRTC is not running on this hub. Use stream.mjpeg.', {
    retryAfterS: 30,
  })
}
