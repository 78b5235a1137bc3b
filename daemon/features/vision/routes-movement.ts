/** Tracks and poses of a camera over a window of time. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { type MovementPage, type MovementWindow, readMovement } from '../../store/movement/reading.ts'
import type { Store } from '../../store/store.ts'

export interface MovementRoutesDeps {
  store: Pick<Store, 'all'>
  now: () => number
  maySeeCamera: (actor: Actor, cameraId: string) => boolean
}

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const WINDOW_MS = 60_000
/** Stretches of ten seconds in one answer: about five minutes of six players. */
const LIMIT = { default: 200, most: 1000 } as const

const Params = Type.Object({ cameraId: Id }, { additionalProperties: false })
const Window = {
  from: Type.Optional(Type.String({ description: 'Inclusive; RFC 3339 with offset, or epoch s or ms' })),
  to: Type.Optional(Type.String({ description: 'Exclusive; absent: now' })),
  step_ms: Type.Integer({
    minimum: 0,
    maximum: 60_000,
    default: 0,
    description: 'Least time between samples',
  }),
  limit: Type.Integer({
    minimum: 1,
    maximum: LIMIT.most,
    default: LIMIT.default,
    description: 'Stored stretches of about ten seconds of one track that are read',
  }),
  track_id: Type.Optional(Type.Integer({ minimum: 1 })),
}
const TrackQuery = Type.Object(Window, { additionalProperties: false })

const Numbers = Type.Array(Type.Number())
const Track = Type.Object({
  track_id: Type.Integer(),
  kind: Type.Enum(['person', 'ball']),
  width: Type.Integer({ description: 'Of the picture that places are measured in, pixels' }),
  height: Type.Integer(),
  samples: Type.Array(Type.Object({ at: Timestamp, box: Numbers, score: Type.Number() })),
})
const PosedTrack = Type.Object({
  ...Track.properties,
  samples: Type.Array(
    Type.Object({
      at: Timestamp,
      box: Numbers,
      score: Type.Number(),
      keypoints: Type.Union([Type.Array(Numbers), Type.Null()], {
        description: "COCO's 17 as [x, y, score]; null: the body was not found in this picture",
      }),
    }),
  ),
})
const page = <Of extends typeof Track | typeof PosedTrack>(tracks: Of) =>
  Ok(
    Type.Object({
      camera_id: Id,
      tracks: Type.Array(tracks),
      next_from: Type.Union([Timestamp, Type.Null()]),
    }),
  )

export function movementRoutes(http: Http, deps: MovementRoutesDeps): void {
  http.get(
    '/cameras/:cameraId/tracks',
    {
      config: { policy: USERS },
      schema: {
        tags: ['vision'],
        summary: 'Where people and the ball were in the picture; boxes are [x, y, width, height]',
        params: Params,
        querystring: TrackQuery,
        response: { 200: page(Track) },
      },
    },
    async ({ actor, params, query }) => {
      const { tracks, ...rest } = read(deps, actor, params.cameraId, query, false)
      const bare = tracks.map((track) => ({
        ...track,
        samples: track.samples.map(({ keypoints: _, ...sample }) => sample),
      }))
      return ok(deps.now(), { ...rest, tracks: bare })
    },
  )
  http.get(
    '/cameras/:cameraId/poses',
    {
      config: { policy: USERS },
      schema: {
        tags: ['vision'],
        summary: 'The same of people, with their joints',
        params: Params,
        querystring: TrackQuery,
        response: { 200: page(PosedTrack) },
      },
    },
    async ({ actor, params, query }) => ok(deps.now(), read(deps, actor, params.cameraId, query, true)),
  )
}

interface Asked {
  from?: string
  to?: string
  step_ms: number
  limit: number
  track_id?: number
}

function read(deps: MovementRoutesDeps, actor: Actor, cameraId: string, asked: Asked, joints: boolean) {
  if (!deps.maySeeCamera(actor, cameraId)) throw new HubError('NOT_FOUND', 'There is no camera with this id.')
  const toMs = asked.to === undefined ? deps.now() + 1 : instantOf('to', asked.to)
  const fromMs = asked.from === undefined ? toMs - WINDOW_MS : instantOf('from', asked.from)
  if (fromMs > toMs) throw invalid('from', 'lies after to')
  const window: MovementWindow = {
    cameraId,
    fromMs,
    toMs,
    joints,
    chunks: asked.limit,
    stepMs: asked.step_ms,
    ...(asked.track_id !== undefined && { trackId: asked.track_id }),
  }
  return shown(cameraId, readMovement(deps.store, window))
}

function shown(cameraId: string, { tracks, nextFromMs }: MovementPage) {
  return {
    camera_id: cameraId,
    next_from: nextFromMs === null ? null : iso(nextFromMs),
    tracks: tracks.map(({ kind, trackId, width, height, samples }) => ({
      ...{ track_id: trackId, kind, width, height },
      samples: samples.map(({ atMs, box, score, joints }) => ({
        at: iso(atMs),
        box: [box.x, box.y, box.w, box.h],
        score: thousandths(score),
        keypoints: joints?.map((joint) => [joint.x, joint.y, thousandths(joint.score)]) ?? null,
      })),
    })),
  }
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000
}

function instantOf(path: string, text: string): number {
  const parsed = parseInstant(text, null)
  if ('wrong' in parsed) throw invalid(path, parsed.wrong)
  return parsed.atMs
}

function invalid(path: string, message: string): HubError {
  return new HubError('VALIDATION_ERROR', `The query is not valid. ${path}: ${message}.`, {
    details: [{ path, message }],
  })
}
