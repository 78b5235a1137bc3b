/** Before a camera is added: a look at its address, and who on the network is a camera. */
import { Type } from 'typebox'
import { CAMERA_KINDS, CameraReason, CameraStream } from '../../domain/camera.ts'
import type { Http } from '../../domain/route.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { readAddress } from './address.ts'
import type { CameraParts } from './parts.ts'
import { ADDERS, Password, Url, Username } from './routes.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const SignIn = { username: Type.Optional(Username), password: Type.Optional(Password) }

const Look = Type.Object(
  { kind: Type.Optional(Type.Enum([...CAMERA_KINDS])), url: Url, ...SignIn },
  { additionalProperties: false },
)
const Seen = Type.Union([
  Type.Object({
    ok: Type.Literal(true),
    stream: CameraStream,
    first_frame_ms: Type.Number(),
    preview_jpeg_base64: Type.String(),
  }),
  Type.Object({ ok: Type.Literal(false), problem: CameraReason }),
])
const Found = Type.Object({
  found: Type.Array(
    Type.Object({
      name: Type.String(),
      address: Type.String(),
      xaddr: Type.String(),
      hardware: orNull(Type.String()),
    }),
  ),
})
const Streams = Type.Object({
  streams: Type.Array(
    Type.Object({
      name: Type.String(),
      uri: Type.String(),
      codec: orNull(Type.String()),
      width: orNull(Type.Integer()),
      height: orNull(Type.Integer()),
    }),
  ),
})
const TAGS = ['cameras']
/** Each look opens a connection and a decoder. */
const LOOKS_MAX = 2

export function seekRoutes(http: Http, { clock, footage }: CameraParts): void {
  const oneOf = limited(LOOKS_MAX)
  http.post(
    '/cameras/probe',
    {
      config: { policy: ADDERS },
      schema: {
        tags: TAGS,
        summary: 'Look through a camera once, without keeping it',
        body: Look,
        response: { 200: Ok(Seen) },
      },
    },
    async ({ body: { kind, url, username, password } }) => {
      const address = readAddress(url)
      if (address.kind === 'file' || (kind !== undefined && kind !== address.kind))
        throw new HubError('VALIDATION_ERROR', 'Only rtsp, rtsps, http and https can be looked at.')
      const typed =
        username === undefined && password === undefined
          ? null
          : { username: username ?? '', password: password ?? '' }
      const credentials = typed ?? address.credentials
      const seen = await oneOf(() => footage.probe({ kind: address.kind, url: address.url, credentials }))
      if ('problem' in seen) return ok(clock.now(), { ok: false as const, problem: seen.problem })
      return ok(clock.now(), {
        ok: true as const,
        stream: seen.stream,
        first_frame_ms: Math.round(seen.firstFrameMs),
        preview_jpeg_base64: Buffer.from(seen.previewJpeg).toString('base64'),
      })
    },
  )
  http.post(
    '/cameras/discover',
    {
      config: { policy: ADDERS },
      schema: {
        tags: TAGS,
        summary: 'Ask the network who is a camera (ONVIF)',
        body: Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]),
        response: { 200: Ok(Found) },
      },
    },
    async () => ok(clock.now(), { found: await oneOf(() => footage.discover()) }),
  )
  http.post(
    '/cameras/discover/streams',
    {
      config: { policy: ADDERS },
      schema: {
        tags: TAGS,
        summary: 'Streams of a camera that was found',
        body: Type.Object({ xaddr: Url, ...SignIn }, { additionalProperties: false }),
        response: { 200: Ok(Streams) },
      },
    },
    async ({ body: { xaddr, username, password } }) => {
      if (readAddress(xaddr).kind !== 'mjpeg')
        throw new HubError('VALIDATION_ERROR', 'xaddr is the http address that discovery gave.')
      const isTyped = username !== undefined || password !== undefined
      const credentials = isTyped ? { username: username ?? '', password: password ?? '' } : null
      return ok(clock.now(), { streams: await oneOf(() => footage.streams({ xaddr, credentials })) })
    },
  )
}

/** Runs at most `most` at once; throws OVERLOADED beyond. */
function limited(most: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let running = 0
  return async (work) => {
    if (running >= most)
      throw new HubError('OVERLOADED', 'The hub is looking for cameras already. Try again shortly.', {
        retryAfterS: 10,
      })
    running += 1
    try {
      return await work()
    } finally {
      running -= 1
    }
  }
}
