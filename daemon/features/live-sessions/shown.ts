/** A running session as its watchers see it. */
import { type Static, Type } from 'typebox'
import { type Actor, can } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { KPI_REASONS, Kpis } from '../../domain/kpi.ts'
import { RECORDING_REASONS, RECORDING_STATES } from '../../domain/recording.ts'
import { seesWholeSession } from '../../domain/session.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'
import type { Running } from './running.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const closed = { additionalProperties: false }

export const SeenPhone = Type.Object(
  {
    user_id: Id,
    /** Of the user whose phone it is. */
    name: Type.String(),
    state: Type.Enum(['waiting', 'taken', 'refused']),
    /** The camera that it is once it was taken. */
    camera_id: orNull(Id),
  },
  closed,
)

export const LiveMetrics = Type.Object(
  {
    session_id: Id,
    at: Timestamp,
    elapsed_s: Type.Number(),
    cameras: Type.Array(
      Type.Object(
        {
          camera_id: Id,
          status: Type.Enum(['online', 'offline', 'gone']),
          calibrated: Type.Boolean(),
          /** It stands differently than when it was calibrated: no metres until somebody looks after it. */
          moved: Type.Boolean(),
          frames_out_of_order: Type.Integer(),
          /** Whether its video is being kept, and why not when it was asked for. */
          recording: Type.Enum([...RECORDING_STATES]),
          recording_reason: orNull(Type.Enum([...RECORDING_REASONS])),
          recorded_files: Type.Integer(),
          recorded_bytes: Type.Integer(),
          /** Pictures that came and could not be kept. */
          recording_lost: Type.Integer(),
        },
        closed,
      ),
    ),
    players: Type.Array(
      Type.Object(
        {
          player_id: Id,
          /** Where the player is seen now. */
          tracks: Type.Array(Type.Object({ camera_id: Id, track_id: Type.Integer() }, closed)),
          kpis: Kpis,
        },
        closed,
      ),
    ),
    /** Everybody who is seen now, known or not. */
    tracks: Type.Array(
      Type.Object(
        {
          camera_id: Id,
          track_id: Type.Integer(),
          player_id: orNull(Id),
          x: orNull(Type.Number()),
          y: orNull(Type.Number()),
          speed: orNull(Type.Number()),
          /** Why there are no metres. */
          reason: orNull(Type.Enum([...KPI_REASONS])),
          /** Players lost before whom it may be, nearest first; one alone where it is clear. */
          maybe: Type.Array(Id),
        },
        closed,
      ),
    ),
    /** Phones that want to film, or do; told to who sees all of the session. */
    phones: Type.Array(SeenPhone),
    /** The mark that everybody has to see: video is being kept now. */
    recording: Type.Boolean(),
    /** Pictures analysed for this session since the hub started. */
    pictures: Type.Integer(),
    out_of_order: Type.Integer(),
    /** Steps of 100 ms that the disk did not take. */
    lost: Type.Integer(),
  },
  closed,
)
export type LiveMetrics = Static<typeof LiveMetrics>

export interface Around {
  cameras: LiveMetrics['cameras']
  phones: LiveMetrics['phones']
}

export function metricsOf(running: Running, { cameras, phones }: Around, nowMs: number): LiveMetrics {
  const { pictures, outOfOrder, lost } = running.stats()
  return {
    session_id: running.id,
    at: iso(nowMs),
    elapsed_s: Math.round((running.time(nowMs) - running.startedAtMs) / 100) / 10,
    cameras,
    players: running.players().map(({ personId, tracks, kpis }) => ({
      player_id: personId,
      tracks: tracks.map(({ cameraId, trackId }) => ({ camera_id: cameraId, track_id: trackId })),
      kpis,
    })),
    tracks: running.tracks().map(({ cameraId, trackId, personId, place, speedMps, reason, maybe }) => ({
      ...{ camera_id: cameraId, track_id: trackId, player_id: personId, reason, maybe: [...maybe] },
      x: place && Math.round(place.x * 100) / 100,
      y: place && Math.round(place.y * 100) / 100,
      speed: speedMps,
    })),
    phones,
    recording: cameras.some(({ recording }) => recording === 'recording'),
    ...{ pictures, lost, out_of_order: outOfOrder },
  }
}

/** The same as this actor may see it: of people whose training is closed to them, and of who is not named yet, there is nothing. */
export function metricsFor(actor: Actor, running: Running, around: Around, nowMs: number): LiveMetrics {
  const metrics = metricsOf(running, around, nowMs)
  if (seesWholeSession(actor, running.access(), nowMs)) return metrics
  const isOpen = (personId: string | null) =>
    personId !== null && can(actor, 'read', personId, 'training', nowMs)
  return {
    ...metrics,
    phones: [],
    players: metrics.players.filter(({ player_id: id }) => isOpen(id)),
    tracks: metrics.tracks.filter(({ player_id: id }) => isOpen(id)),
  }
}
