/** Episodes: something about a person that others have to know of, from its first evidence until somebody resolves it. */
import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { type Actor, DATA_CLASSES } from './access.ts'
import { Id } from './id.ts'

export const EPISODE_STATES = ['open', 'acknowledged', 'escalated', 'resolved'] as const
export type EpisodeState = (typeof EPISODE_STATES)[number]

export const SEVERITIES = ['warning', 'urgent'] as const
export type Severity = (typeof SEVERITIES)[number]

export const ORIGINS = ['rule', 'detector', 'person'] as const
export type Origin = (typeof ORIGINS)[number]

export const EPISODE_ACTIONS = ['acknowledge', 'escalate', 'resolve', 'reopen'] as const
export type EpisodeAction = (typeof EPISODE_ACTIONS)[number]

/** Evidence of the same kind this soon after an episode was resolved opens that one again instead of a new one. */
export const MERGE_WINDOW_MS = 15 * 60_000

const FROM: Readonly<Record<EpisodeAction, readonly EpisodeState[]>> = {
  acknowledge: ['open', 'escalated'],
  escalate: ['open', 'acknowledged'],
  resolve: ['open', 'acknowledged', 'escalated'],
  reopen: ['resolved'],
}
const TO: Readonly<Record<EpisodeAction, EpisodeState>> = {
  acknowledge: 'acknowledged',
  escalate: 'escalated',
  resolve: 'resolved',
  reopen: 'open',
}

/** The state after an action, null where the state does not allow it. */
export function afterAction(state: EpisodeState, action: EpisodeAction): EpisodeState | null {
  return FROM[action].includes(state) ? TO[action] : null
}

/** What new evidence of the same person and kind does to an episode. */
export type Merge = 'joins' | 'worsens' | 'reopens' | 'new'

/** Whether evidence at `atMs` belongs to `episode`; a warning that turns urgent has to be told anew. */
export function mergeOf(
  episode: { state: EpisodeState; severity: Severity; resolvedAtMs: number | null } | null,
  severity: Severity,
  atMs: number,
): Merge {
  if (!episode) return 'new'
  if (episode.state !== 'resolved') {
    return severity === 'urgent' && episode.severity === 'warning' ? 'worsens' : 'joins'
  }
  return atMs - (episode.resolvedAtMs ?? 0) < MERGE_WINDOW_MS ? 'reopens' : 'new'
}

/** One value that speaks for an episode, with what was expected where the source knows. */
export const Evidence = Type.Object(
  {
    metric: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    value: Type.Optional(Type.Union([Type.Number(), Type.String({ maxLength: 200 }), Type.Null()])),
    unit: Type.Optional(Type.String({ maxLength: 32 })),
    ts: Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Number()])),
    expected: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    note: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
)
export type Evidence = Static<typeof Evidence>

export const ROW_KINDS = [
  'opened',
  'evidence',
  'cleared',
  'told',
  'acknowledged',
  'escalated',
  'resolved',
  'reopened',
  'worsened',
  'changed',
  'note',
  'unheard',
] as const
export type RowKind = (typeof ROW_KINDS)[number]

/** One thing that happened in an episode: who did what when. */
export const TimelineRow = Type.Object(
  {
    number: Type.Integer(),
    ts: Timestamp,
    kind: Type.Enum([...ROW_KINDS]),
    /** A user, `rule:…`, `detector:…`, `device:…` or `hub`. */
    by: Type.String(),
    by_name: Type.Union([Type.String(), Type.Null()]),
    text: Type.Union([Type.String(), Type.Null()]),
    evidence: Type.Array(Evidence),
  },
  { additionalProperties: false },
)
export type TimelineRow = Static<typeof TimelineRow>

const nullable = Type.Union([Timestamp, Type.Null()])

export const Episode = Type.Object(
  {
    id: Id,
    person_id: Id,
    kind: Type.String(),
    class: Type.Enum([...DATA_CLASSES]),
    severity: Type.Enum([...SEVERITIES]),
    title: Type.String(),
    state: Type.Enum([...EPISODE_STATES]),
    /** The same word under the name that the seed's clients read. */
    status: Type.Enum([...EPISODE_STATES]),
    origin: Type.Enum([...ORIGINS]),
    origin_id: Type.Union([Type.String(), Type.Null()]),
    started_at: Timestamp,
    last_evidence_at: Timestamp,
    acknowledged_at: nullable,
    escalated_at: nullable,
    resolved_at: nullable,
    reopened: Type.Integer(),
    revision: Type.Integer(),
    metadata: Type.Record(Type.String(), Type.Unknown()),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false },
)
export type Episode = Static<typeof Episode>

/** An episode with everything that happened in it. */
export const EpisodeWithTimeline = Type.Object(
  { ...Episode.properties, timeline: Type.Array(TimelineRow) },
  { additionalProperties: false },
)

/** Who did something, as it is written down: `user:<id>`, `device:<id>`, `rule:<id>`, `detector:<name>` or `hub`. */
export function signatureOf(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return `user:${actor.userId}`
    case 'device':
      return `device:${actor.deviceId}`
    default:
      return 'hub'
  }
}
