/** HTTP of live sessions: started and tagged by whoever may see the training of all their players, stopped by them unless they play, and always by who began them. */
import { type Static, Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import { LiveStarted, LiveWish } from '../../domain/live-wish.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { MOST_TAGS, SessionTag } from '../../domain/session.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { type LiveParts, refuseBeyondReach, type StartWish } from './parts.ts'
import { phoneRoutes } from './routes-phones.ts'
import type { Running } from './running.ts'
import { LiveMetrics, metricsFor } from './shown.ts'

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const TAGS = ['live']
const closed = { additionalProperties: false }
const Params = Type.Object({ sessionId: Id }, closed)
const Which = Type.Object({ session_id: Id }, closed)
const Stopped = Type.Object({ session_id: Id, stopped_at: Timestamp }, closed)
const Status = Type.Object({
  session_id: Id,
  state: Type.Enum(['running', 'stopped']),
  metrics: Type.Union([LiveMetrics, Type.Null()]),
})
const RecordingWish = Type.Object(
  {
    record: Type.Boolean(),
    record_minors: Type.Optional(
      Type.Boolean({ default: false, description: 'An owner gives leave to record players under 18' }),
    ),
  },
  closed,
)
const RecordingSet = Type.Object({ record: Type.Boolean(), record_minors: Type.Boolean() }, closed)
const Room = Type.Object(
  { free_bytes: Type.Integer(), kept_free_bytes: Type.Integer(), has_room: Type.Boolean() },
  closed,
)
const Assignment = Type.Object(
  {
    camera_id: Id,
    track_id: Type.Integer({ minimum: 1 }),
    player_id: Type.Union([Id, Type.Null()], { description: 'Null: it is nobody known' }),
  },
  closed,
)
const Assigned = Type.Object(
  {
    ...Assignment.properties,
    /** Files of video that were erased, because a minor whom nobody may record turned out to be in them. */
    erased_files: Type.Integer(),
  },
  closed,
)
const NewTag = Type.Object(
  {
    label: Type.String({ minLength: 1, maxLength: 200 }),
    ts: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Number()])),
    player_id: Type.Optional(Id),
  },
  closed,
)
/** Phones' clocks are off by a little. */
const AHEAD_MS = 5000

export function liveRoutes(http: Http, parts: LiveParts): void {
  startRoute(http, parts)
  stopRoute(http, parts)
  statusRoute(http, parts)
  recordingRoutes(http, parts)
  phoneRoutes(http, parts)
  assignRoute(http, parts)
  tagRoute(http, parts)
}

function startRoute(http: Http, parts: LiveParts): void {
  const { clock } = parts
  http.post(
    '/live/start',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'Start a live session in front of cameras that I may see, of players whose training I may see',
        body: LiveWish,
        response: { 201: Ok(LiveStarted) },
      },
    },
    async ({ actor, body }, reply) => {
      return reply.code(201).send(ok(clock.now(), startedOf(await parts.start(actor, wishOf(body)))))
    },
  )
}

/** What was asked, in the hub's own words. */
export function wishOf(asked: LiveWish): StartWish {
  const named = [...(asked.player_id === undefined ? [] : [asked.player_id]), ...(asked.player_ids ?? [])]
  return {
    ...{ id: asked.session_id, title: asked.title, groupId: asked.group_id, cameraIds: asked.camera_ids },
    playerIds: [...new Set(named)],
    ...{ record: asked.record ?? false, recordMinors: asked.record_minors ?? false },
  }
}

export function startedOf({ id, startedAtMs }: Running): LiveStarted {
  return { session_id: id, started_at: iso(startedAtMs), topic: `session:${id}` }
}

function stopRoute(http: Http, parts: LiveParts): void {
  const { clock } = parts
  http.post(
    '/live/stop',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Stop a live session; its KPIs are kept with it',
        body: Which,
        response: { 200: Ok(Stopped) },
      },
    },
    async ({ actor, body }) => {
      await parts.stop(parts.stoppableBy(actor, body.session_id))
      return ok(clock.now(), { session_id: body.session_id, stopped_at: iso(clock.now()) })
    },
  )
}

function statusRoute(http: Http, parts: LiveParts): void {
  const { clock } = parts
  http.get(
    '/live/:sessionId/status',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'How a live session is doing: cameras, players whose training I may see with their KPIs, and who is seen now',
        params: Params,
        response: { 200: Ok(Status) },
      },
    },
    async ({ actor, params }) => {
      if (parts.hasEnded(actor, params.sessionId))
        return ok(clock.now(), { session_id: params.sessionId, state: 'stopped' as const, metrics: null })
      const running = parts.watchedBy(actor, params.sessionId)
      const metrics = metricsFor(actor, running, parts.around(running), clock.now())
      return ok(clock.now(), { session_id: running.id, state: 'running' as const, metrics })
    },
  )
}

function recordingRoutes(http: Http, parts: LiveParts): void {
  const { clock } = parts
  http.post(
    '/live/:sessionId/recording',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Begin or end keeping the video of a running session',
        params: Params,
        body: RecordingWish,
        response: { 200: Ok(RecordingSet) },
      },
    },
    async ({ actor, params, body: { record, record_minors: recordMinors = false } }) => {
      const running = parts.steeredBy(actor, params.sessionId)
      await parts.record(actor, running, { record, recordMinors })
      const { asked } = running
      return ok(clock.now(), { record: asked.record, record_minors: asked.recordMinors })
    },
  )
  http.get(
    '/live/recording-room',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Whether the disk has room for video, and how much of it stays free',
        response: { 200: Ok(Room) },
      },
    },
    async () => {
      const { freeBytes, keptFreeBytes } = await parts.recorder.room()
      return ok(clock.now(), {
        free_bytes: Math.round(freeBytes),
        kept_free_bytes: Math.round(keptFreeBytes),
        has_room: freeBytes >= keptFreeBytes,
      })
    },
  )
}

function assignRoute(http: Http, parts: LiveParts): void {
  const { clock } = parts
  http.post(
    '/live/:sessionId/assign',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Say which player a track is; what it did so far is theirs',
        params: Params,
        body: Assignment,
        response: { 200: Ok(Assigned) },
      },
    },
    async ({ actor, params, body }) => {
      const running = parts.steeredBy(actor, params.sessionId)
      if (body.player_id !== null) refuseBeyondReach(actor, [body.player_id], clock.now())
      const track = { cameraId: body.camera_id, trackId: body.track_id }
      const erased = await parts.assign(running, track, body.player_id)
      return ok(clock.now(), { ...body, erased_files: erased })
    },
  )
}

function tagRoute(http: Http, parts: LiveParts): void {
  const { clock, store, sessionLog, newId } = parts
  http.post(
    '/live/:sessionId/tags',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Mark a moment of a running session',
        params: Params,
        body: NewTag,
        response: { 201: Ok(SessionTag) },
      },
    },
    async ({ actor, params, body }, reply) => {
      const running = parts.runningFor(actor, params.sessionId)
      const personId = body.player_id ?? null
      if (personId !== null && !running.access().playerIds.includes(personId))
        throw new HubError('NOT_FOUND', 'This person takes no part in the session.')
      const atMs = momentOf(body, running.startedAtMs, running.time(clock.now()))
      if (sessionLog.countTags(running.key) >= MOST_TAGS)
        throw new HubError('CONFLICT', `A session has at most ${MOST_TAGS} marks. Take some away first.`)
      const tag = { id: newId(), label: body.label, personId, atMs }
      const createdBy = actor.kind === 'user' ? actor.userId : null
      await store.write([sessionLog.planTag(running.key, { ...tag, createdBy })])
      return reply
        .code(201)
        .send(ok(clock.now(), { id: tag.id, label: tag.label, ts: iso(atMs), player_id: personId }))
    },
  )
}

function momentOf({ ts }: Static<typeof NewTag>, fromMs: number, nowMs: number): number {
  if (ts === undefined) return nowMs
  const parsed = parseInstant(ts, null)
  const wrong =
    'wrong' in parsed
      ? parsed.wrong
      : parsed.atMs < fromMs || parsed.atMs > nowMs + AHEAD_MS
        ? 'lies outside of the session'
        : null
  if ('atMs' in parsed && wrong === null) return parsed.atMs
  throw new HubError('VALIDATION_ERROR', `ts: ${wrong}.`, { details: [{ path: 'ts', message: wrong ?? '' }] })
}
