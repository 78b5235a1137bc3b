/** HTTP of cameras as records: list, add, change, remove. */
import { type Static, Type } from 'typebox'
import { type Actor, maySee } from '../../domain/access.ts'
import { CAMERA_KINDS, Camera, maySeeCamera } from '../../domain/camera.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { KnownCamera } from './directory.ts'
import { type CameraParts, changeableBy, seenBy } from './parts.ts'
import type { CameraChanges } from './register.ts'
import { cameraView } from './shown.ts'

export const Url = Type.String({ minLength: 1, maxLength: 1024, description: 'rtsp, rtsps, http or https' })
export const Username = Type.String({ maxLength: 128 })
export const Password = Type.String({ maxLength: 256 })
export const CameraParams = Type.Object({ cameraId: Id }, { additionalProperties: false })
export const Nothing = Type.Object({}, { additionalProperties: false })

const Fields = {
  url: Type.Optional(Url),
  username: Type.Optional(Username),
  password: Type.Optional(Password),
  device_id: Type.Optional(Type.Union([Id, Type.Null()])),
  person_ids: Type.Optional(Type.Array(Id, { maxItems: 64, uniqueItems: true })),
  analyse: Type.Optional(Type.Boolean()),
  enabled: Type.Optional(Type.Boolean()),
}
const NewCamera = Type.Object(
  {
    id: Type.Optional(Id),
    name: DisplayName,
    kind: Type.Optional(Type.Enum([...CAMERA_KINDS])),
    ...Fields,
  },
  { additionalProperties: false },
)
const Changes = Type.Object({ name: Type.Optional(DisplayName), ...Fields }, { additionalProperties: false })

export const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
export const ADDERS: Policy = { access: 'signed-in', roles: ['owner', 'coach'] }
const TAGS = ['cameras']

export function cameraRoutes(http: Http, parts: CameraParts): void {
  readRoutes(http, parts)
  addRoute(http, parts)
  changeRoutes(http, parts)
}

function readRoutes(http: Http, parts: CameraParts): void {
  const { register, clock } = parts
  http.get(
    '/cameras',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Cameras I may see',
        querystring: PageQuery,
        response: { 200: OkPage(Camera) },
      },
    },
    async ({ actor, query }) => {
      const seen = register.all().filter((camera) => maySeeCamera(actor, camera, clock.now()))
      const page = seen.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      const shown = page.map((camera) => shownTo(parts, actor, camera))
      return okPage(clock.now(), shown, query, seen.length)
    },
  )
  http.get(
    '/cameras/:cameraId',
    {
      config: { policy: USERS },
      schema: { tags: TAGS, summary: 'One camera', params: CameraParams, response: { 200: Ok(Camera) } },
    },
    async ({ actor, params }) => {
      const camera = seenBy(parts, actor, params.cameraId)
      return ok(clock.now(), shownTo(parts, actor, camera))
    },
  )
}

function addRoute(http: Http, parts: CameraParts): void {
  const { register, watch, clock } = parts
  http.post(
    '/cameras',
    {
      config: { policy: ADDERS },
      schema: {
        tags: TAGS,
        summary: 'Add a camera; it is fetched from at once',
        body: NewCamera,
        response: { 201: Ok(Camera) },
      },
    },
    async ({ actor, body }, reply) => {
      const changes = changesOf(body)
      refuseBeyondReach(parts, actor, changes)
      if (body.kind === 'file' || body.url?.startsWith('file:')) refuseFiles(actor)
      const addedBy = actor.kind === 'user' ? actor.userId : null
      const camera = await register.add(
        { ...changes, id: body.id, kind: body.kind, name: body.name },
        addedBy,
      )
      await watch.follow(camera.id)
      return reply.code(201).send(ok(clock.now(), shownTo(parts, actor, camera)))
    },
  )
}

function changeRoutes(http: Http, parts: CameraParts): void {
  const { register, watch, viewers, senders, clock } = parts
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/cameras/:cameraId',
    config: { policy: USERS },
    schema: {
      tags: TAGS,
      summary: 'Change a camera; absent fields stay',
      params: CameraParams,
      body: Changes,
      response: { 200: Ok(Camera) },
    },
    handler: async ({ actor, params: { cameraId }, body }) => {
      const before = changeableBy(parts, actor, cameraId)
      const changes = changesOf(body)
      refuseBeyondReach(parts, actor, changes)
      // An address of another kind never fits, so a file stays with whoever may name files.
      if (before.kind === 'file' && body.url !== undefined) refuseFiles(actor)
      const camera = await register.change(cameraId, changes)
      await watch.follow(cameraId)
      for (const guests of [viewers, senders]) {
        if (camera.enabled) guests.recheck()
        else guests.endCamera(cameraId)
      }
      return ok(clock.now(), shownTo(parts, actor, camera))
    },
  })
  http.delete(
    '/cameras/:cameraId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Remove a camera and how to sign in to it',
        params: CameraParams,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params: { cameraId } }) => {
      changeableBy(parts, actor, cameraId)
      await register.remove(cameraId)
      await watch.follow(cameraId)
      for (const guests of [viewers, senders]) guests.endCamera(cameraId)
      return ok(clock.now(), {})
    },
  )
}

/** Nobody ties a camera to people or devices that they do not know of. */
function refuseBeyondReach({ device, clock }: CameraParts, actor: Actor, changes: CameraChanges): void {
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return
  const known = (personId: string | null) => personId !== null && maySee(actor, personId, clock.now())
  if (!(changes.personIds ?? []).every(known))
    throw new HubError('NOT_FOUND', 'There is no person with this id.')
  const { deviceId } = changes
  if (deviceId != null && !known(device(deviceId)?.personId ?? null))
    throw new HubError('NOT_FOUND', 'There is no device with this id.')
}

/** Whoever names a file makes the hub read it. */
function refuseFiles(actor: Actor): void {
  if (actor.kind === 'local') return
  throw new HubError('FORBIDDEN', 'A file as a camera is added on the box itself: homefield camera add.')
}

/** A camera may film people whom the caller knows nothing of. */
function shownTo({ watch, isRecorded, clock }: CameraParts, actor: Actor, camera: KnownCamera): Camera {
  const view = cameraView(camera, watch.of(camera.id), isRecorded?.(camera.id) ?? false)
  return { ...view, person_ids: view.person_ids.filter((personId) => maySee(actor, personId, clock.now())) }
}

function changesOf(body: Static<typeof Changes>): CameraChanges {
  const { device_id: deviceId, person_ids: personIds, ...same } = body
  return { ...same, deviceId, personIds }
}
