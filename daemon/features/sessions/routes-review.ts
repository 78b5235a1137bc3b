/** HTTP of looking back at a session: what happened when, where everybody ran, how fast, and side by side. */
import { Type } from 'typebox'
import { speedTable } from '../../../models/vision/kpi/pace.ts'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { OpenObject } from '../../domain/person.ts'
import type { Http } from '../../domain/route.ts'
import { SessionTag } from '../../domain/session.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { type PathColumns, readPaths, type StoredPath } from '../../store/session-paths.ts'
import { instantOf, readablePlayers, type SessionParts, seenBy, TAGS, USERS } from './parts.ts'
import type { StoredSession } from './register.ts'
import { SessionParams } from './routes.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const SLOT_MS = 100
const POINTS = { most: 5000, default: 1000 } as const
const Window = {
  from: Type.Optional(Type.String({ maxLength: 64 })),
  to: Type.Optional(Type.String({ maxLength: 64 })),
}
const PointsQuery = Type.Integer({
  minimum: 10,
  maximum: POINTS.most,
  default: POINTS.default,
  description:
    'At most so many points for each line: of a player, however often they were lost and found again',
})
const Numbers = Type.Array(orNull(Type.Number()))
const TrackQuery = Type.Object(
  { ...Window, player_id: Type.Optional(Id), points: PointsQuery },
  { additionalProperties: false },
)
const HeatQuery = Type.Object(
  {
    ...Window,
    player_id: Type.Optional(Id),
    cell_m: Type.Number({ minimum: 0.25, maximum: 10, default: 1 }),
  },
  { additionalProperties: false },
)
const SpeedQuery = Type.Object(
  { ...Window, player_id: Id, points: PointsQuery },
  { additionalProperties: false },
)
const Timeline = Type.Object({
  started_at: Timestamp,
  ended_at: orNull(Timestamp),
  tags: Type.Array(SessionTag),
  gaps: Type.Array(
    Type.Object({ from: Timestamp, to: orNull(Timestamp), reason: Type.String(), camera_id: orNull(Id) }),
  ),
  tracks: Type.Array(
    Type.Object({
      camera_id: Id,
      track_id: Type.Integer(),
      player_id: orNull(Id),
      from: Timestamp,
      to: Timestamp,
    }),
  ),
})

export function reviewRoutes(http: Http, parts: SessionParts): void {
  timelineRoute(http, parts)
  trackRoute(http, parts)
  heatRoute(http, parts)
  speedRoute(http, parts)
  compareRoute(http, parts)
}

function timelineRoute(http: Http, parts: SessionParts): void {
  const { store, now } = parts
  http.get(
    '/sessions/:sessionId/timeline',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Tags, who was seen when, and when nothing was seen',
        params: SessionParams,
        response: { 200: Ok(Timeline) },
      },
    },
    async ({ actor, params }) => {
      const session = seenBy(parts, actor, params.sessionId)
      const open = new Set(readablePlayers(parts, actor, session))
      const isOpen = ({ personId }: { personId: string | null }) =>
        personId === null ? open.size === session.playerIds.length : open.has(personId)
      const { key } = session
      const tags = store.all<{ id: string; atMs: number; label: string; personId: string | null }>(TAGGED, {
        key,
      })
      const gaps = store.all<{
        fromAtMs: number
        toAtMs: number | null
        reason: string
        camera: string | null
      }>(GAPS, { key })
      const tracks = store.all<{
        camera: string
        track: number
        personId: string | null
        firstAtMs: number
        lastAtMs: number
      }>(TRACKS, { key })
      return ok(now(), {
        started_at: iso(session.startedAtMs),
        ended_at: session.endedAtMs === null ? null : iso(session.endedAtMs),
        tags: tags
          .filter(isOpen)
          .map(({ id, atMs, label, personId }) => ({ id, label, ts: iso(atMs), player_id: personId })),
        gaps: gaps.map(({ fromAtMs, toAtMs, reason, camera }) => ({
          from: iso(fromAtMs),
          to: toAtMs === null ? null : iso(toAtMs),
          reason,
          camera_id: camera,
        })),
        tracks: tracks.filter(isOpen).map(({ camera, track, personId, firstAtMs, lastAtMs }) => ({
          ...{ camera_id: camera, track_id: track, player_id: personId },
          from: iso(firstAtMs),
          to: iso(lastAtMs),
        })),
      })
    },
  )
}

const TAGGED = `SELECT tag.id, at AS atMs, label, person.id AS personId
  FROM session_tag tag LEFT JOIN person ON person.key = tag.person_key
  WHERE session_key = :key ORDER BY at, tag.id`
const GAPS = `SELECT from_at AS fromAtMs, to_at AS toAtMs, reason, camera FROM session_gap
  WHERE session_key = :key ORDER BY from_at, id`
const TRACKS = `SELECT camera, track, person.id AS personId, first_at AS firstAtMs, last_at AS lastAtMs
  FROM session_track LEFT JOIN person ON person.key = person_key
  WHERE session_key = :key ORDER BY first_at, camera, track`

interface Asked {
  from?: string
  to?: string
  player_id?: string
}

/** Paths of the players that the actor may read; of tracks that nobody named only for who may see all players. */
function pathsFor(
  parts: SessionParts,
  actor: Actor,
  id: string,
  asked: Asked,
): { session: StoredSession; paths: StoredPath[] } {
  const session = seenBy(parts, actor, id)
  const open = readablePlayers(parts, actor, session)
  if (asked.player_id !== undefined && !open.includes(asked.player_id))
    throw new HubError('NOT_FOUND', 'This person took no part in the session.')
  const all = open.length === session.playerIds.length && asked.player_id === undefined
  const window = {
    ...(asked.from !== undefined && { fromSlot: Math.ceil(instantOf('from', asked.from) / SLOT_MS) }),
    ...(asked.to !== undefined && { toSlot: Math.ceil(instantOf('to', asked.to) / SLOT_MS) }),
    ...(!all && { players: asked.player_id === undefined ? open : [asked.player_id] }),
  }
  return { session, paths: readPaths(parts.store, session.key, window) }
}

function trackRoute(http: Http, parts: SessionParts): void {
  const { now } = parts
  const Lines = Type.Object({
    tracks: Type.Array(
      Type.Object({
        camera_id: Id,
        track_id: Type.Integer(),
        player_id: orNull(Id),
        from: Timestamp,
        /** Milliseconds after `from`. */
        t_ms: Type.Array(Type.Integer()),
        x: Type.Array(Type.Number()),
        y: Type.Array(Type.Number()),
      }),
    ),
  })
  http.get(
    '/sessions/:sessionId/tracks',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Where everybody ran, in metres on the pitch; points are left out evenly',
        params: SessionParams,
        querystring: TrackQuery,
        response: { 200: Ok(Lines) },
      },
    },
    async ({ actor, params, query }) => {
      const { paths } = pathsFor(parts, actor, params.sessionId, query)
      const stepOf = evenSteps(paths, query.points)
      const tracks = paths.map((path) => {
        const { camera, track, personId, samples } = path
        const step = stepOf(path)
        const fromMs = (samples.slots[0] ?? 0) * SLOT_MS
        return {
          ...{ camera_id: camera, track_id: track, player_id: personId, from: iso(fromMs) },
          t_ms: every(samples.slots, step).map((slot) => slot * SLOT_MS - fromMs),
          x: every(samples.x, step),
          y: every(samples.y, step),
        }
      })
      return ok(now(), { tracks })
    },
  )
}

/** How many samples one point stands for, so that all tracks of a player have no more than that many together. */
function evenSteps(paths: readonly StoredPath[], points: number): (path: StoredPath) => number {
  const lineOf = ({ personId, camera, track }: StoredPath) => personId ?? `${camera}/${track}`
  const lengths = new Map<string, number>()
  for (const path of paths) lengths.set(lineOf(path), (lengths.get(lineOf(path)) ?? 0) + path.samples.length)
  return (path) => Math.max(1, Math.ceil((lengths.get(lineOf(path)) ?? 0) / points))
}

function every(values: Float64Array, step: number): number[] {
  return Array.from({ length: Math.ceil(values.length / step) }, (_, at) => values[at * step] ?? 0)
}

function heatRoute(http: Http, parts: SessionParts): void {
  const { now } = parts
  const Heat = Type.Object({
    cell_m: Type.Number(),
    /** Left lower corner of the first cell. */
    x0: Type.Number(),
    y0: Type.Number(),
    columns: Type.Integer(),
    rows: Type.Integer(),
    /** Row by row. */
    seconds: Type.Array(Type.Number()),
  })
  http.get(
    '/sessions/:sessionId/heatmap',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Seconds spent in each cell of the pitch',
        params: SessionParams,
        querystring: HeatQuery,
        response: { 200: Ok(Heat) },
      },
    },
    async ({ actor, params, query }) => {
      const { paths } = pathsFor(parts, actor, params.sessionId, query)
      return ok(now(), heatOf(paths, query.cell_m))
    },
  )
}

function heatOf(paths: readonly StoredPath[], cellM: number) {
  const all = paths.map(({ samples }) => samples)
  const ends = boundsOf(all)
  if (ends === null) return { cell_m: cellM, x0: 0, y0: 0, columns: 0, rows: 0, seconds: [] }
  const x0 = Math.floor(ends.left / cellM) * cellM
  const y0 = Math.floor(ends.bottom / cellM) * cellM
  const columns = Math.floor((ends.right - x0) / cellM) + 1
  const rows = Math.floor((ends.top - y0) / cellM) + 1
  const slots = new Uint32Array(columns * rows)
  for (const { x, y, length } of all)
    for (let index = 0; index < length; index++) {
      const row = Math.floor(((y[index] ?? 0) - y0) / cellM)
      const at = row * columns + Math.floor(((x[index] ?? 0) - x0) / cellM)
      slots[at] = (slots[at] ?? 0) + 1
    }
  return {
    cell_m: cellM,
    x0,
    y0,
    columns,
    rows,
    seconds: [...slots].map((count) => (count * SLOT_MS) / 1000),
  }
}

function boundsOf(all: readonly PathColumns[]) {
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y, length } of all)
    for (let index = 0; index < length; index++) {
      const [atX, atY] = [x[index] ?? 0, y[index] ?? 0]
      if (atX < left) left = atX
      if (atX > right) right = atX
      if (atY < bottom) bottom = atY
      if (atY > top) top = atY
    }
  return left > right ? null : { left, bottom, right, top }
}

function speedRoute(http: Http, parts: SessionParts): void {
  const { now } = parts
  const Speed = Type.Object({
    player_id: Id,
    from: orNull(Timestamp),
    t_ms: Type.Array(Type.Integer()),
    /** m/s: the highest of each stretch, so that a sprint is never left out; null where nothing was seen. */
    max: Numbers,
    mean: Numbers,
  })
  http.get(
    '/sessions/:sessionId/speed',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: "A player's speed over the session",
        params: SessionParams,
        querystring: SpeedQuery,
        response: { 200: Ok(Speed) },
      },
    },
    async ({ actor, params, query }) => {
      const { paths } = pathsFor(parts, actor, params.sessionId, query)
      return ok(now(), { player_id: query.player_id, ...speedOf(paths, query.points) })
    },
  )
}

function speedOf(paths: readonly StoredPath[], points: number) {
  const table = speedTable(paths.map(({ samples }) => samples))
  const ends = table.ends()
  if (ends === null) return { from: null, t_ms: [], max: [], mean: [] }
  const { first, last } = ends
  const step = Math.max(1, Math.ceil((last - first + 1) / points))
  const bins = Array.from({ length: Math.ceil((last - first + 1) / step) }, () => ({
    count: 0,
    sum: 0,
    max: 0,
  }))
  table.each((slot, speed) => {
    const bin = bins[Math.floor((slot - first) / step)]
    if (!bin) return
    bin.count += 1
    bin.sum += speed
    bin.max = Math.max(bin.max, speed)
  })
  return {
    from: iso(first * SLOT_MS),
    t_ms: bins.map((_, index) => index * step * SLOT_MS),
    max: bins.map(({ count, max }) => (count > 0 ? max : null)),
    mean: bins.map(({ count, sum }) => (count > 0 ? Math.round((sum / count) * 100) / 100 : null)),
  }
}

function compareRoute(http: Http, parts: SessionParts): void {
  const { now } = parts
  const Compared = Type.Object({
    players: Type.Array(
      Type.Object({
        player_id: Id,
        rpe: orNull(Type.Number()),
        duration_minutes: orNull(Type.Number()),
        kpis: orNull(OpenObject),
      }),
    ),
  })
  http.get(
    '/sessions/:sessionId/compare',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'The KPIs of the players side by side, once the session has ended',
        params: SessionParams,
        response: { 200: Ok(Compared) },
      },
    },
    async ({ actor, params }) => {
      const session = seenBy(parts, actor, params.sessionId)
      const open = new Set(readablePlayers(parts, actor, session))
      const players = session.participants
        .filter(({ personId }) => open.has(personId))
        .map(({ personId, rpe, durationMinutes, kpis }) => ({
          ...{ player_id: personId, rpe, kpis },
          duration_minutes: durationMinutes ?? session.durationMinutes,
        }))
      return ok(now(), { players })
    },
  )
}
