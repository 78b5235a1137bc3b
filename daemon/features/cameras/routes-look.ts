/** Pictures out over plain HTTP: the newest one, and one after the other. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Http } from '../../domain/route.ts'
import { HubError } from '../../kernel/errors.ts'
import type { KnownCamera } from './directory.ts'
import { type CameraParts, runningOf, seenBy } from './parts.ts'
import { CameraParams, USERS } from './routes.ts'

const Rate = Type.Object(
  { fps: Type.Number({ minimum: 0.1, maximum: 30, default: 10 }) },
  { additionalProperties: false },
)
const TAGS = ['cameras']
/** An older picture is not what the camera sees now. */
const STALE_MS = 10_000
const BOUNDARY = 'homefield-picture'
const Bytes = Type.Unknown({ description: 'Binary' })

export function lookRoutes(http: Http, parts: CameraParts): void {
  http.get(
    '/cameras/:cameraId/snapshot.jpg',
    {
      config: { policy: USERS, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'The newest picture, not older than 10 s',
        params: CameraParams,
        response: { 200: { description: 'One picture', content: { 'image/jpeg': { schema: Bytes } } } },
      },
    },
    async ({ actor, params }, reply) => {
      const camera = seenBy(parts, actor, params.cameraId)
      const picture = await runningOf(parts, camera).picture()
      const ageMs = picture === null ? null : parts.clock.now() - picture.capturedAtMs
      if (!picture || ageMs === null || ageMs > STALE_MS) throw noPicture(parts, camera)
      return reply
        .header('cache-control', 'no-store')
        .header('x-captured-at', new Date(picture.capturedAtMs).toISOString())
        .type('image/jpeg')
        .send(Buffer.from(picture.jpeg.buffer, picture.jpeg.byteOffset, picture.jpeg.byteLength))
    },
  )
  http.get(
    '/cameras/:cameraId/stream.mjpeg',
    {
      config: { policy: USERS, envelope: false },
      exposeHeadRoute: false,
      schema: {
        tags: TAGS,
        summary: 'Pictures as they come, at most fps a second; a slow reader misses some',
        params: CameraParams,
        querystring: Rate,
        response: {
          200: { description: 'Pictures', content: { 'multipart/x-mixed-replace': { schema: Bytes } } },
        },
      },
    },
    async (request, reply) => {
      const camera = seenBy(parts, request.actor, request.params.cameraId)
      show(parts, camera, request, reply, request.query.fps)
    },
  )
}

function show(
  parts: CameraParts,
  camera: KnownCamera,
  request: FastifyRequest,
  reply: FastifyReply,
  fps: number,
): void {
  const { raw } = reply
  const running = runningOf(parts, camera)
  const { actor } = request
  let stop = () => {}
  const end = () => {
    stop()
    raw.end()
  }
  const forget = parts.viewers.add({ actor, cameraId: camera.id, expiresAtMs: expiryOf(parts, request), end })
  reply.hijack()
  raw.writeHead(200, {
    ...headersOf(reply),
    'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}`,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  raw.flushHeaders()
  stop = running.show(raw, { fps, boundary: BOUNDARY })
  const { socket } = request
  const gone = () => {
    raw.off('close', gone)
    socket.off('close', gone)
    stop()
    forget()
  }
  raw.on('close', gone)
  // An answer that waits behind another one on the same connection never hears that the connection is gone.
  socket.on('close', gone)
}

/** When the token that a request came with runs out; null for what has no end of its own. */
export function expiryOf(parts: CameraParts, { headers }: FastifyRequest): number | null {
  const token = /^Bearer +([^ ]+)$/i.exec(headers.authorization ?? '')?.[1]
  return token === undefined ? null : parts.expiryOf(token)
}

function noPicture({ watch }: CameraParts, { id }: KnownCamera): HubError {
  const state = watch.of(id)?.state()
  const reason = state?.reason?.message ?? 'It has not sent one within the last 10 s.'
  return new HubError('OVERLOADED', `There is no picture of this camera now. ${reason}`, {
    retryAfterS: 5,
    details: state?.reason ? [{ path: state.reason.code, message: state.reason.message }] : [],
  })
}

function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]))
}
