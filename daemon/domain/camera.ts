import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { type Actor, can } from './access.ts'
import { Id } from './id.ts'

/** How a camera's pictures reach the hub: fetched by the hub (`rtsp`, `mjpeg`, `file`) or sent to it (`mqtt`, `push`, `phone`). */
export const CAMERA_KINDS = ['rtsp', 'mjpeg', 'mqtt', 'push', 'phone', 'file'] as const
export type CameraKind = (typeof CAMERA_KINDS)[number]

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

/** What its stream gives; null: not known yet. */
export const CameraStream = Type.Object(
  {
    /** `landmarks`: no picture comes, only where joints are. */
    codec: Type.Enum(['h264', 'hevc', 'jpeg', 'raw', 'landmarks']),
    width: orNull(Type.Integer()),
    height: orNull(Type.Integer()),
    /** Measured. */
    fps: orNull(Type.Number()),
    declared_fps: orNull(Type.Number()),
    keyframe_interval_s: orNull(Type.Number()),
    /** How well it is known when a picture was taken. */
    clock: Type.Enum(['synchronised', 'relative', 'arrival']),
  },
  { additionalProperties: false },
)
export type CameraStream = Static<typeof CameraStream>

const ModelUsed = Type.Object(
  { name: Type.String(), version: orNull(Type.String()) },
  { additionalProperties: false },
)

/** What the models make of its pictures. */
export const CameraVision = Type.Object(
  {
    state: Type.Enum(['off', 'starting', 'running', 'failed']),
    detector: orNull(ModelUsed),
    pose: orNull(ModelUsed),
    fps: orNull(Type.Number()),
    age_ms_p50: orNull(Type.Number()),
    age_ms_p99: orNull(Type.Number()),
    people: orNull(Type.Integer()),
    /** What the user should know, such as a better model pack. */
    note: orNull(Type.String()),
  },
  { additionalProperties: false },
)
export type CameraVision = Static<typeof CameraVision>

/** Why a camera gives no pictures: a word for programs, a sentence for the owner. */
export const CameraReason = Type.Object(
  { code: Type.String(), message: Type.String() },
  { additionalProperties: false },
)
export type CameraReason = Static<typeof CameraReason>

/** A camera as the API shows it; how to sign in to it is never part of it. */
export const Camera = Type.Object(
  {
    id: Id,
    name: Type.String(),
    kind: Type.Enum([...CAMERA_KINDS]),
    /** Without user and password. */
    url: orNull(Type.String()),
    /** Whose frames it shows, for kind `mqtt`. */
    device_id: orNull(Id),
    /** Whom it films; who may see their media may see it. */
    person_ids: Type.Array(Id),
    analyse: Type.Boolean(),
    enabled: Type.Boolean(),
    has_credentials: Type.Boolean(),
    status: Type.Enum(['connecting', 'online', 'offline', 'disabled']),
    reason: orNull(CameraReason),
    /** Since when it has this status. */
    since: Timestamp,
    last_frame_at: orNull(Timestamp),
    stream: orNull(CameraStream),
    restarts: Type.Integer(),
    frames: Type.Integer(),
    dropped: Type.Integer(),
    vision: orNull(CameraVision),
    /** Whether its video is being kept now. */
    recording: Type.Boolean(),
    /** The user who added it; null: root on the box. */
    added_by: orNull(Id),
    /** The user who films with their own phone, and the running session that they film for; null: nobody does. */
    lent_by: orNull(Id),
    lent_to: orNull(Id),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false },
)
export type Camera = Static<typeof Camera>

/** What decides who may see a camera. */
export interface CameraAccess {
  addedBy: string | null
  personIds: readonly string[]
  /** The user whose phone it is, and the running session that it was taken for. */
  lender?: string | null
  lentTo?: string | null
}

/** The owner, whoever added it or films with it, and users to whom the media of everybody it films is open. */
export function maySeeCamera(actor: Actor, camera: CameraAccess, nowMs: number): boolean {
  if (maySendFor(actor, camera, nowMs)) return true
  const { personIds } = camera
  if (actor.kind !== 'user' || personIds.length === 0) return false
  return personIds.every((personId) => can(actor, 'read', personId, 'media', nowMs))
}

/**
 * Whether they may send its pictures: the owner, whoever added it, and whoever lent it, for as long as its session runs and they may
 * write the training of somebody it films.
 */
export function maySendFor(actor: Actor, camera: CameraAccess, nowMs: number): boolean {
  if (mayChangeCamera(actor, camera)) return true
  const { lender = null, lentTo = null, personIds } = camera
  if (actor.kind !== 'user' || lentTo === null || actor.userId !== lender) return false
  return personIds.some((personId) => can(actor, 'write', personId, 'training', nowMs))
}

/** The owner and whoever added it. */
export function mayChangeCamera(actor: Actor, { addedBy }: CameraAccess): boolean {
  if (actor.kind === 'local') return true
  return actor.kind === 'user' && (actor.role === 'owner' || actor.userId === addedBy)
}
