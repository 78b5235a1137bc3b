/** What travels from a hub to the cloud, row by row: kinds, their lanes and their bodies. */
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { HLC_PATTERN } from './clock.ts'

/**
 * Three orders that do not wait for each other: what people must hear of at once, what is derived from closed stretches, what is
 * large. Inside a lane rows are applied in the order of their sequence numbers.
 */
export const LANES = ['now', 'state', 'bulk'] as const
export type Lane = (typeof LANES)[number]

/** Which lane the rows of a kind travel in. */
export const LANE_OF = {
  erasure: 'now',
  erasure_done: 'now',
  subject_key: 'now',
  consent: 'now',
  person: 'now',
  group: 'now',
  calendar: 'now',
  alert: 'now',
  episode: 'now',
  gap: 'now',
  rollup_hour: 'state',
  rollup_day: 'state',
  session: 'state',
  session_kpi: 'state',
  insight: 'state',
  rollup_minute: 'bulk',
  raw_chunk: 'bulk',
} as const satisfies Record<string, Lane>
export type RowKind = keyof typeof LANE_OF

/** Edited in both places, merged field by field (`merge.ts`), sent down to every hub of the household. */
export const ENTITY_KINDS = ['calendar', 'person', 'group'] as const
export type EntityKind = (typeof ENTITY_KINDS)[number]

/** Fields of an entity about a person that are sealed with that person's key wherever they are written. */
export const SEALED_FIELDS: Readonly<Record<EntityKind, readonly string[]>> = {
  calendar: ['title', 'drills', 'notes'],
  person: ['name', 'birth_date', 'diabetes_type', 'preferences', 'school_events'],
  group: [],
}

const RowId = Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,200}$' })
const SubjectId = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'Id of the person it is about',
})
const EpochMs = Type.Integer({ minimum: -62_135_596_800_000, maximum: 253_402_300_799_999 })
const Count = Type.Integer({ minimum: 0 })
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })
export const Hlc = Type.String({ pattern: HLC_PATTERN, maxLength: 81 })
const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

/** A value and when it was set. Personal values are `{"enc": base64}`, sealed with the subject's key (`seal.ts`). */
export const Register = Type.Tuple([Type.Unknown(), Hlc])
export type Register = Static<typeof Register>

/**
 * An entity that several replicas edit. `subject` is the person it is about: it goes with them. A group's members are fields
 * `member:<person id>`, a deletion is the field `deleted`.
 */
export const Entity = Type.Object({
  subject: orNull(SubjectId),
  fields: Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9_:-]{0,99}$' }), Register, {
    maxProperties: 500,
  }),
})
export type Entity = Static<typeof Entity>

/** Who may see what of whom; said once, withdrawn once. `grant` is null when the withdrawal came first. */
export const Consent = Type.Object({
  subject: SubjectId,
  grant: orNull(
    Type.Object({
      /** User of the hub, or `cloud:<token id>` for a reader in the cloud. */
      grantee: Type.String({ minLength: 1, maxLength: 100 }),
      class: Type.Enum(['wellness', 'glucose', 'training', 'media']),
      action: Type.Enum(['read', 'write']),
      expires_at: orNull(EpochMs),
      granted: Hlc,
    }),
  ),
  /** When it was withdrawn: null while it holds. */
  revoked: orNull(Hlc),
})
export type Consent = Static<typeof Consent>

/** Everything about this person goes, everywhere and for good. */
export const Erasure = Type.Object({
  subject: SubjectId,
  requested_at: EpochMs,
  /** `hub:<hub id>` or `cloud:<token id>`: where it was asked for. */
  requested_by: Type.String({ minLength: 1, maxLength: 100 }),
})
export type Erasure = Static<typeof Erasure>

/** A hub has purged the person: what "erased in both places" is told from. */
export const ErasureDone = Type.Object({ subject: SubjectId, purged_at: EpochMs })
export type ErasureDone = Static<typeof ErasureDone>

const KeyBytes = Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' })
/** Two hubs that were apart may both have made a key for one person; more than this many were never made honestly. */
export const MOST_OTHER_KEYS = 32
/**
 * The key that the person's fields and chunks are sealed with: 32 bytes. The first one that arrives is the household's: everybody
 * seals with it from then on. `others` are those that came later; what was sealed with them stays as it is and is opened with them.
 */
export const SubjectKey = Type.Object({
  subject: SubjectId,
  key: KeyBytes,
  others: Type.Optional(Type.Array(KeyBytes, { maxItems: MOST_OTHER_KEYS })),
})
export type SubjectKey = Static<typeof SubjectKey>

/**
 * One closed bucket of one series: absolute statistics in integers of 1/scale of the metric's unit, never increments. What would
 * leave 2^53 is null. `bins` is the sparse histogram at the metric's quantum, or its sketch, in the store's own coding.
 */
export const Rollup = Type.Object({
  subject: SubjectId,
  device: Type.String({ minLength: 1, maxLength: 100 }),
  metric: Type.String({ minLength: 1, maxLength: 100 }),
  scale: Type.Integer({ minimum: 1 }),
  start: EpochMs,
  n: Count,
  sum: Type.Integer(),
  sum_sq: orNull(Type.Integer()),
  min: Type.Integer(),
  min_at: EpochMs,
  max: Type.Integer(),
  max_at: EpochMs,
  first: Type.Integer(),
  first_at: EpochMs,
  last: Type.Integer(),
  last_at: EpochMs,
  covered_ms: Count,
  sum_v_dt: orNull(Type.Integer()),
  n_diff: Count,
  sum_sq_diff: orNull(Type.Integer()),
  bins: Base64,
})
export type Rollup = Static<typeof Rollup>

/** One sealed stretch of one series, lossless: leaves only where the owner opted in for person and class. */
export const RawChunk = Type.Object({
  subject: SubjectId,
  device: Type.String({ minLength: 1, maxLength: 100 }),
  metric: Type.String({ minLength: 1, maxLength: 100 }),
  start: EpochMs,
  end: EpochMs,
  n: Count,
  /** How the bytes inside are coded, for example `series-1+br`. */
  codec: Type.String({ minLength: 1, maxLength: 40 }),
  /** Sealed with the subject's key. */
  enc: Base64,
})
export type RawChunk = Static<typeof RawChunk>

/** What all rows about happenings share; what is personal in them (title, message, evidence) lies in `enc`, as sealed JSON. */
const happening = { enc: Type.Optional(orNull(Base64)) }

export const Episode = Type.Object({
  subject: SubjectId,
  kind: Type.String({ maxLength: 100 }),
  class: Type.String({ maxLength: 40 }),
  severity: Type.String({ maxLength: 40 }),
  state: Type.String({ maxLength: 40 }),
  started_at: EpochMs,
  resolved_at: orNull(EpochMs),
  ...happening,
})
export type Episode = Static<typeof Episode>

export const Alert = Type.Object({
  subject: SubjectId,
  episode: orNull(RowId),
  kind: Type.String({ maxLength: 100 }),
  class: Type.String({ maxLength: 40 }),
  state: Type.String({ maxLength: 40 }),
  created_at: EpochMs,
  acknowledged_at: orNull(EpochMs),
  ...happening,
})
export type Alert = Static<typeof Alert>

/** A session has one owner hub and no subject; who was in it stands in its `session_kpi` rows, key `<session>:<person>`. */
export const Session = Type.Object({
  session_type: Type.String({ maxLength: 40 }),
  title: orNull(Type.String({ maxLength: 500 })),
  group: orNull(RowId),
  started_at: EpochMs,
  ended_at: orNull(EpochMs),
})
export type Session = Static<typeof Session>

export const SessionKpi = Type.Object({
  subject: SubjectId,
  session: RowId,
  started_at: EpochMs,
  ...happening,
})
export type SessionKpi = Static<typeof SessionKpi>

export const Insight = Type.Object({
  subject: SubjectId,
  kind: Type.String({ maxLength: 100 }),
  at: EpochMs,
  ...happening,
})
export type Insight = Static<typeof Insight>

/** Something will never come: which series, which stretch, why. */
export const Gap = Type.Object({
  subject: orNull(SubjectId),
  /** What is missing: `raw_chunk`, `rollup_minute`, `track`, or a series as `person/metric/device`. */
  series: Type.String({ minLength: 1, maxLength: 300 }),
  from: EpochMs,
  to: EpochMs,
  why: Type.String({ minLength: 1, maxLength: 300 }),
  rows: Type.Optional(Count),
})
export type Gap = Static<typeof Gap>

/** The body of every known kind; unknown fields are kept and returned untouched. */
export const BODIES = {
  erasure: Erasure,
  erasure_done: ErasureDone,
  subject_key: SubjectKey,
  consent: Consent,
  person: Entity,
  group: Entity,
  calendar: Entity,
  alert: Alert,
  episode: Episode,
  gap: Gap,
  rollup_hour: Rollup,
  rollup_day: Rollup,
  session: Session,
  session_kpi: SessionKpi,
  insight: Insight,
  rollup_minute: Rollup,
  raw_chunk: RawChunk,
} as const satisfies Record<RowKind, object>

/**
 * One row: the full state of `key` as of sequence number `seq` (skipped versions do no harm). `body` null: it is gone on the hub.
 * Keys: an entity, consent, episode, alert, session, insight its id; an erasure, its answer and a subject's key the subject;
 * a roll-up or chunk `<subject>:<device>:<metric>:<start>` (`seriesKey`); a session's KPIs `<session>:<person>`.
 */
export const Row = Type.Object({
  seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  kind: Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' }),
  /** Version of the body's form. */
  v: Type.Integer({ minimum: 1, maximum: 1000 }),
  key: RowId,
  body: orNull(Type.Record(Type.String(), Type.Unknown())),
})
export type Row = Static<typeof Row>

/** The key of a roll-up or chunk. */
export function seriesKey({
  subject,
  device,
  metric,
  start,
}: Pick<Rollup, 'subject' | 'device' | 'metric' | 'start'>): string {
  return `${subject}:${device}:${metric}:${start}`
}

export function isKnownKind(kind: string): kind is RowKind {
  return Object.hasOwn(LANE_OF, kind)
}

export const rowCheck = Compile(Row)
const bodyChecks = new Map(Object.entries(BODIES).map(([kind, schema]) => [kind, Compile(schema)]))

/** Why a body is not what its kind promises; null when it is, and for kinds that are not known here. */
export function bodyFault(kind: string, body: unknown): string | null {
  const check = bodyChecks.get(kind)
  if (!check || check.Check(body)) return null
  const [error] = check.Errors(body)
  return error ? `${error.instancePath || 'body'} ${error.message}` : 'body does not fit its kind'
}
