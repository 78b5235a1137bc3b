/** HTTP of a meal's photo; whoever may read or write the meal may do so with its photo. */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type Action, maySee } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Drawing } from './drawing.ts'
import type { Shelf, StoredPhoto } from './shelf.ts'

export interface PhotoRoutesDeps {
  shelf: Shelf
  drawing: Drawing
  now: () => number
  /** Whose meal it is; null for one that is not there any more. */
  eaterOf: (mealId: string) => string | null
}

export const PHOTO_BYTES_MAX = 10 * 1024 ** 2
const USERS: Policy = { access: 'signed-in', roles: ['owner', 'caregiver', 'coach', 'member'] }
const TAGS = ['records']
const URL_OF_PHOTO = '/meals/:mealId/photo'
const Params = Type.Object({ mealId: Id }, { additionalProperties: false })
const Query = Type.Object(
  { size: Type.Enum(['full', 'thumb'], { default: 'full', description: 'thumb: 320 pixels at most' }) },
  { additionalProperties: false },
)
const Photo = Type.Object(
  {
    meal_id: Id,
    width: Type.Integer(),
    height: Type.Integer(),
    bytes: Type.Integer(),
    thumb_bytes: Type.Integer(),
    created_at: Timestamp,
  },
  { additionalProperties: false },
)
const Nothing = Type.Object({}, { additionalProperties: false })

export function photoRoutes(http: Http, deps: PhotoRoutesDeps): void {
  // Here a body is a picture, whatever its sender calls it; the type is looked at after the right to send it.
  void http.register(async (inner: Http) => {
    inner.removeAllContentTypeParsers()
    inner.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    uploadRoute(inner, deps)
  })
  fetchRoute(http, deps)
  removeRoute(http, deps)
}

/** Throws NOT_FOUND for a meal of somebody out of sight as for one that is not there. */
function allow(request: FastifyRequest, mealId: string, action: Action, { eaterOf, now }: PhotoRoutesDeps) {
  const personId = eaterOf(mealId)
  if (personId === null || !maySee(request.actor, personId, now()))
    throw new HubError('NOT_FOUND', 'There is no meal with this id.')
  request.authorize(personId, action, 'glucose')
}

function uploadRoute(http: Http, deps: PhotoRoutesDeps): void {
  const { shelf, drawing, now, eaterOf } = deps
  http.post(
    URL_OF_PHOTO,
    {
      config: { policy: USERS },
      bodyLimit: PHOTO_BYTES_MAX,
      schema: {
        tags: TAGS,
        summary:
          'The photo of a meal: a JPEG or PNG as the body, redrawn as JPEG without what its file says of place and camera',
        params: Params,
        response: { 201: Ok(Photo) },
      },
    },
    async (request, reply) => {
      const { params, headers } = request
      const body: unknown = request.body
      allow(request, params.mealId, 'write', deps)
      const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
      if (type !== 'image/jpeg' && type !== 'image/png')
        throw new HubError(
          'UNSUPPORTED_MEDIA',
          'Send the photo itself as the body, as image/jpeg or image/png.',
        )
      if (!(body instanceof Uint8Array) || body.length === 0)
        throw new HubError('VALIDATION_ERROR', 'The request has no photo.')
      const redrawn = await drawing.redraw(body)
      const photo = await shelf.put(params.mealId, redrawn)
      // The meal may have been taken back while its photo was drawn.
      if (eaterOf(params.mealId) === null) {
        await shelf.remove(params.mealId)
        throw new HubError('GONE', 'The meal was deleted meanwhile.')
      }
      return reply.code(201).send(ok(now(), shown(photo)))
    },
  )
}

function fetchRoute(http: Http, deps: PhotoRoutesDeps): void {
  http.get(
    URL_OF_PHOTO,
    {
      config: { policy: USERS, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'The photo of a meal, or its thumbnail',
        params: Params,
        querystring: Query,
        response: {
          200: { description: 'The photo', content: { 'image/jpeg': { schema: Type.Unknown() } } },
          304: Type.Null({ description: 'The one you have' }),
        },
      },
    },
    async (request, reply) => {
      const { params, query, headers } = request
      allow(request, params.mealId, 'read', deps)
      const photo = deps.shelf.find(params.mealId)
      if (!photo) throw noPhoto()
      const tag = `"${photo.file}-${query.size}"`
      void reply.header('etag', tag).header('cache-control', 'private, no-cache')
      const seen = (headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
      if (seen.includes(tag) || seen.includes('*')) return reply.code(304).send(null)
      const bytes = await deps.shelf.read(photo, query.size)
      if (!bytes) throw noPhoto()
      return reply
        .header('content-type', 'image/jpeg')
        .header('x-content-type-options', 'nosniff')
        .send(bytes)
    },
  )
}

function removeRoute(http: Http, deps: PhotoRoutesDeps): void {
  http.delete(
    URL_OF_PHOTO,
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Remove the photo of a meal',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async (request) => {
      allow(request, request.params.mealId, 'write', deps)
      await deps.shelf.remove(request.params.mealId)
      return ok(deps.now(), {})
    },
  )
}

function noPhoto(): HubError {
  return new HubError('NOT_FOUND', 'The meal has no photo.')
}

function shown(photo: StoredPhoto) {
  return {
    meal_id: photo.mealId,
    width: photo.width,
    height: photo.height,
    bytes: photo.fullBytes,
    thumb_bytes: photo.thumbBytes,
    created_at: iso(photo.createdAtMs),
  }
}
