/**
 * The contract between a hub and the cloud service: addresses, limits, questions and answers of the local-edge API.
 *
 * - Every request but `/status` of the service itself is signed by the hub (`signing.ts`), every answer of the service is signed by
 *   the service. An answer without a valid signature acknowledges nothing, whatever its status: a captive portal answers 200, too.
 * - Rows are idempotent one by one, by (hub, epoch, lane, seq): a batch may be sent again in any other cut.
 * - Watermarks only ever speak of a lane: everything up to and including it is in Postgres.
 */
import { type Static, Type } from 'typebox'
import { RollupPack } from './pack.ts'
import { Hlc, LANES, type Row } from './rows.ts'

export const PATHS = {
  register: '/api/local-edge/register',
  sync: '/api/local-edge/sync',
  status: '/api/local-edge/status',
  process: '/api/local-edge/process',
  shape: '/api/local-edge/shape',
  keys: '/api/local-edge/keys',
} as const

/** Version of this contract. The cloud takes this one and the two before it. */
export const SCHEMA = 1
export const SCHEMAS_BACK = 2

/** Above these the cloud answers 413: split the batch and send the halves. */
export const LIMITS = {
  compressedBytes: 1024 * 1024,
  inflatedBytes: 16 * 1024 * 1024,
  rows: 5000,
} as const
/** Brotli quality that paid off: the next ones save less than 2 %. */
export const BROTLI_QUALITY = 5

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])
const Id = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })
const EpochMs = Type.Integer()
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** 32 bytes of an Ed25519 public key, base64url. */
const PublicKey = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const Signature = Type.String({ pattern: '^[A-Za-z0-9_-]{86}$' })
const Token = Type.String({ minLength: 1, maxLength: 64 })

/**
 * Joins a hub to a household, signed with the key it names (`homefield-hub: new`). Sent again with the same code and key it gives
 * the same answer; a code works for one key only, and for a limited time.
 */
export const RegisterRequest = Type.Object({
  /** As shown in the cloud, without the part behind the dot. */
  code: Type.String({ minLength: 8, maxLength: 64 }),
  public_key: PublicKey,
  name: Type.String({ minLength: 1, maxLength: 100 }),
  version: Type.String({ maxLength: 40 }),
  schema: Type.Integer({ minimum: 1 }),
})
export type RegisterRequest = Static<typeof RegisterRequest>

/** Replaces the hub's key: the request is signed with the old one, `proof` is `rotationText` signed with the new one. */
export const RotateRequest = Type.Object({ public_key: PublicKey, proof: Signature })
export type RotateRequest = Static<typeof RotateRequest>

export const RegisterAnswer = Type.Object({
  hub_id: Id,
  household_id: Id,
  household_name: Type.String(),
  /** The epoch to begin with. */
  epoch: Type.Integer({ minimum: 1 }),
  schema: Type.Object({ min: Type.Integer(), max: Type.Integer() }),
  /** What the service signs its answers with from now on: keep it. */
  server_key: PublicKey,
  server_time: EpochMs,
})
export type RegisterAnswer = Static<typeof RegisterAnswer>

/**
 * A piece of one lane, brotli (or gzip, or plain) JSON. `rollups` holds roll-ups column by column, which packs several times better
 * than rows; together the two have no sequence number twice, and their order does not matter.
 */
export const SyncRequest = Type.Object({
  hub: Id,
  epoch: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
  lane: Type.Enum([...LANES]),
  /** What the hub has stored as acknowledged: the rows follow directly behind it. */
  prev: Seq,
  /** The greatest sequence number the hub ever gave, in whatever lane. */
  max_seq: Seq,
  /** What the last acknowledgement of this lane and epoch carried; null before the first. */
  token: orNull(Token),
  schema: Type.Integer({ minimum: 1 }),
  rows: Type.Array(Type.Unknown(), {
    description: 'Row, checked one by one; with the packed ones LIMITS.rows at most',
  }),
  rollups: Type.Optional(Type.Array(RollupPack, { maxItems: 100 })),
  /**
   * The batch holds every row of the lane up to this number, so the watermark moves there; left out: to the greatest number sent.
   * With coalescing the last rows of a stretch may have moved further up.
   */
  upto: Type.Optional(Seq),
})
export type SyncRequest = Static<typeof SyncRequest>
export type SyncRow = Static<typeof Row>

/** What the hub shall do besides: an unknown `type` is ignored. */
export const Directive = Type.Object({
  /** `erase`: purge `subject`, answer with an `erasure_done` row. `resend`: lower the watermark of `lane` to `from`. */
  type: Type.String(),
  subject: Type.Optional(Type.String()),
  lane: Type.Optional(Type.String()),
  from: Type.Optional(Type.Integer()),
})
export type Directive = Static<typeof Directive>

/** 200: all is in Postgres. 422: the same, but the rows named were set aside; the watermark moved over them. */
export const SyncAnswer = Type.Object({
  watermark: Seq,
  /** Store it with the watermark, in one transaction. */
  token: Token,
  server_time: EpochMs,
  directives: Type.Array(Directive),
  quarantined: Type.Array(Type.Object({ seq: Seq, kind: Type.String(), reason: Type.String() })),
  /** Rows acknowledged and not kept, because their person is erased. */
  dropped: Type.Integer(),
})
export type SyncAnswer = Static<typeof SyncAnswer>

/**
 * 409, nothing was applied.
 * - `gap`: the cloud knows less than `prev` (it was restored). Lower the watermark to `watermark`, take `token`, send again.
 * - `rolled_back`: the hub's numbers were used before (it was restored). Begin epoch `next_epoch` at 0 with no token, send everything.
 * - `forked`: two machines live with this identity. Stop, say so, register again with a new key.
 */
export const SyncConflict = Type.Object({
  reason: Type.Enum(['gap', 'rolled_back', 'forked']),
  watermark: Seq,
  token: orNull(Token),
  next_epoch: Type.Integer({ minimum: 1 }),
  server_time: EpochMs,
})
export type SyncConflict = Static<typeof SyncConflict>

/**
 * Every other refusal. 400 `invalid`; 401 `unknown_hub`, `signature`, `clock` (send again at once with `challenge` as nonce),
 * 403 `revoked`, `code`; 413 `too_large`; 426 `schema` (update the hub); 429 and 503 with `Retry-After`.
 */
export const Refusal = Type.Object({
  reason: Type.String(),
  message: Type.String(),
  server_time: EpochMs,
  challenge: Type.Optional(Type.String()),
  schema: Type.Optional(Type.Object({ min: Type.Integer(), max: Type.Integer() })),
})
export type Refusal = Static<typeof Refusal>

/** What the cloud knows of a lane of the hub that asks. */
export const LaneStatus = Type.Object({
  lane: Type.String(),
  epoch: Type.Integer(),
  watermark: Seq,
  /** When a batch was applied last. */
  applied_at: orNull(EpochMs),
  rows: Type.Integer({ description: 'Applied since the hub was registered' }),
  bytes: Type.Integer({ description: 'Received, as compressed' }),
  quarantined: Type.Integer(),
  last_error: orNull(Type.String()),
})
export const StatusAnswer = Type.Object({
  hub_id: Id,
  household_id: Id,
  epoch: Type.Integer(),
  schema: Type.Object({ min: Type.Integer(), max: Type.Integer() }),
  server_time: EpochMs,
  lanes: Type.Array(LaneStatus),
  erasures: Type.Array(
    Type.Object({
      subject: Type.String(),
      requested_at: EpochMs,
      cloud_purged_at: orNull(EpochMs),
      hubs_waiting: Type.Array(Type.String()),
    }),
  ),
})
export type StatusAnswer = Static<typeof StatusAnswer>

/** Keys of the household's persons, base64; a hub takes those of persons it did not enrol itself. */
export const KeysAnswer = Type.Object({
  keys: Type.Record(Type.String(), Type.String()),
  /** Keys that other hubs had made before they knew the household's: for opening only. */
  others: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  server_time: EpochMs,
})
export type KeysAnswer = Static<typeof KeysAnswer>

export const JOB_STATES = ['offered', 'running', 'done', 'failed'] as const
/**
 * With `kind`: offers a job to the hubs of the household. With `state`: says how far this hub is with one. Both are idempotent by
 * `job_id`: a job that is done or failed stays as it is, and the answer is always the job as it stands.
 */
export const ProcessRequest = Type.Object({
  job_id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  kind: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
  subject: Type.Optional(orNull(Id)),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** When nobody need begin or answer any more; a day after the offer unless it says otherwise, a month at most. */
  deadline: Type.Optional(EpochMs),
  /** `declined`: nothing of the subject leaves this hub; once all hubs say so, the job has failed. */
  state: Type.Optional(Type.Enum([...JOB_STATES, 'declined'])),
  result: Type.Optional(Type.Unknown()),
})
export type ProcessRequest = Static<typeof ProcessRequest>

/** A job as the answer and the feed show it. `params` and `result` of a job about a person are sealed values (`{"enc"}`). */
export const Job = Type.Object({
  job_id: Type.String(),
  kind: Type.String(),
  subject: orNull(Id),
  params: Type.Unknown(),
  state: Type.Enum([...JOB_STATES]),
  /** Hub that took it; the first one to say `running`, `done` or `failed`. */
  hub: orNull(Type.String()),
  result: Type.Unknown(),
  offered_at: EpochMs,
  deadline: orNull(EpochMs),
  ended_at: orNull(EpochMs),
  /** Hubs that let nothing of the subject leave; left out while there are none. */
  declined: Type.Optional(Type.Array(Type.String())),
})
export type Job = Static<typeof Job>

/**
 * The one shape of a hub, served by the gatekeeper: the household's feed. The client sends `offset`, `handle`, `live`, `live_sse`,
 * `cursor` and `log`, everything else comes from its identity. Values are text, `body` is JSON text. Rows are keyed by (kind, id),
 * not by the message's key.
 */
export const FEED_TABLE = 'household_feed'
export const FEED_COLUMNS = ['household_id', 'kind', 'id', 'subject', 'hlc', 'body'] as const
/** Bodies: an Entity for calendar, person, group; Consent; Erasure; Job. A kind that a hub does not know is kept aside, not dropped. */
export const FEED_KINDS = ['calendar', 'person', 'group', 'consent', 'erasure', 'job'] as const
export const FeedRow = Type.Object({
  household_id: Type.String(),
  kind: Type.String(),
  id: Type.String(),
  subject: orNull(Type.String()),
  /** Latest edit inside the body; '' for kinds without a clock. */
  hlc: Type.Union([Hlc, Type.Literal('')]),
  body: Type.String({ description: 'JSON' }),
})
export type FeedRow = Static<typeof FeedRow>
