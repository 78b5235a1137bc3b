/** Pictures out to a phone (WHEP) and in from one (WHIP): one offer, one answer, one address to end it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Http } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Described, Running } from './footage.ts'
import { type CameraParts, runningOf, seenBy, sentBy } from './parts.ts'
import { CameraParams, Nothing, USERS } from './routes.ts'
import { expiryOf } from './routes-look.ts'
import type { Viewers } from './viewers.ts'

const SDP = 'application/sdp'
const OFFER_BYTES = 64 * 1024
const Offer = { content: { [SDP]: { schema: Type.Unknown({ description: 'The offer' }) } } }
const Answer = { description: 'The answer', content: { [SDP]: { schema: Type.String() } } }
const ViewParams = Type.Object({ cameraId: Id, viewId: Id }, { additionalProperties: false })
const StreamParams = Type.Object({ cameraId: Id, streamId: Id }, { additionalProperties: false })
const TAGS = ['cameras']

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
  const calls = createCalls(parts, parts.viewers)
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
      const answer = await calls.open(request, camera.id, running, {
        make: () => running.view(offer),
        close: running.closeView,
      })
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
      calls.end(viewId, cameraId, actor)
      return ok(parts.clock.now(), {})
    },
  )
}

function receiveRoutes(http: Http, parts: CameraParts): void {
  const calls = createCalls(parts, parts.senders)
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
    async (request, reply) => {
      const camera = sentBy(parts, request.actor, request.params.cameraId)
      const offer = offerOf(request.body)
      const running = runningOf(parts, camera)
      const { receive } = running
      if (!receive) {
        const message = `This camera is of kind ${camera.kind}; only one of kind phone takes a phone's picture.`
        throw new HubError('CONFLICT', message)
      }
      const answer = await calls.open(request, camera.id, running, {
        make: () => receive(offer),
        close: running.closeReceive,
      })
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
      sentBy(parts, actor, cameraId)
      calls.end(streamId, cameraId, actor)
      return ok(parts.clock.now(), {})
    },
  )
}

interface Call {
  cameraId: string
  /** Who opened it: nobody else ends it. */
  actor: FastifyRequest['actor']
  end(): void
}

interface Line {
  make(): Promise<Described>
  close(id: string): void
}

/** Ended connections whose ids are remembered: whoever hangs up a moment after the camera did has done nothing wrong. */
const ENDED_KEPT = 64

/** Connections that were answered: each ends with the right to it, when either side hangs up, or when it is told to. */
function createCalls(parts: CameraParts, guests: Viewers) {
  const calls = new Map<string, Call>()
  const ended = new Map<string, Call>()

  function remember(id: string, call: Call): void {
    calls.delete(id)
    ended.set(id, call)
    for (const oldest of ended.keys()) {
      if (ended.size <= ENDED_KEPT) return
      ended.delete(oldest)
    }
  }

  return {
    async open(request: FastifyRequest, cameraId: string, running: Running, line: Line): Promise<Described> {
      const { actor } = request
      let id: string | null = null
      let isOver = false
      let stopListening = () => {}
      const end = () => {
        isOver = true
        stopListening()
        forget()
        if (id === null) return
        remember(id, { cameraId, actor, end: () => undefined })
        line.close(id)
      }
      const forget = guests.add({ actor, cameraId, expiresAtMs: expiryOf(parts, request), end })
      try {
        const answer = await line.make()
        id = answer.id
        // The right to it may have ended while the answer was made.
        if (isOver) {
          line.close(id)
          throw new HubError('UNAUTHENTICATED', 'Your access ended meanwhile.')
        }
        calls.set(id, { cameraId, actor, end })
        stopListening = running.onOver((over) => {
          if (over === id) end()
        })
        return answer
      } catch (cause) {
        forget()
        throw cause
      }
    },
    end(id: string, cameraId: string, actor: FastifyRequest['actor']): void {
      const call = calls.get(id) ?? ended.get(id)
      if (!call || call.cameraId !== cameraId || !isSame(call.actor, actor))
        throw new HubError('NOT_FOUND', 'There is no connection with this id.')
      call.end()
    },
  }
}

function offerOf(body: unknown): string {
  if (Buffer.isBuffer(body) && body.length > 0) return body.toString('utf8')
  throw new HubError('VALIDATION_ERROR', 'The request holds no offer: send one as application/sdp.')
}

function answered(reply: FastifyReply, location: string, { sdp }: Described) {
  return reply.code(201).header('location', location).header('cache-control', 'no-store').type(SDP).send(sdp)
}

function isSame(one: FastifyRequest['actor'], other: FastifyRequest['actor']): boolean {
  if (one.kind === 'local') return other.kind === 'local'
  return one.kind === 'user' && other.kind === 'user' && one.userId === other.userId
}
