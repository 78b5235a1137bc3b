/** What the cloud may ask a hub to do: a closed list, because whoever holds the cloud must not get at anything else in the house. */
import { type Static, type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'

const Nothing = Type.Object({}, { additionalProperties: false })
const TARGETS = ['stress', 'sleep_duration', 'heart_rate', 'hrv_rmssd', 'activity'] as const
const Days = Type.Object(
  { days: Type.Optional(Type.Integer({ minimum: 1, maximum: 31, description: 'Default 7' })) },
  { additionalProperties: false },
)
const Targets = Type.Object(
  { targets: Type.Optional(Type.Array(Type.Enum([...TARGETS]), { minItems: 1, maxItems: TARGETS.length })) },
  { additionalProperties: false },
)

interface EdgeJob {
  params: TSchema
  /** Whether it is about one person, about everybody, or as the offer says. */
  about: 'person' | 'everybody' | 'either'
  /** What of the person must leave the house for the answer to leave; null: the answer tells nothing of anybody. */
  tells: 'wellness' | 'glucose' | 'training' | 'media' | 'any' | null
}

export const EDGE_JOBS = {
  /** Adds the last days up anew; answers with how many. */
  recompute_daily: { params: Days, about: 'either', tells: null },
  /** Learns anew what is usual for everybody. */
  calibrate: { params: Nothing, about: 'everybody', tells: null },
  /** Everything of the person that may leave is sent once more. */
  send_again: { params: Nothing, about: 'person', tells: 'any' },
  /** The person's next 24 hours as the hub's model expects them. */
  forecast: { params: Targets, about: 'person', tells: 'wellness' },
} as const satisfies Record<string, EdgeJob>
export type EdgeJobKind = keyof typeof EDGE_JOBS
export type EdgeJobParams = Static<typeof Days> & Static<typeof Targets>

const checks = new Map(Object.entries(EDGE_JOBS).map(([kind, { params }]) => [kind, Compile(params)]))

export function isEdgeJob(kind: string): kind is EdgeJobKind {
  return Object.hasOwn(EDGE_JOBS, kind)
}

/** Why nobody can be asked this; null when somebody can. */
export function edgeJobFault(kind: string, subject: string | null, params: unknown): string | null {
  if (!isEdgeJob(kind)) return `Hubs do ${Object.keys(EDGE_JOBS).join(', ')}, not "${kind.slice(0, 60)}".`
  const { about } = EDGE_JOBS[kind]
  if (about === 'person' && subject === null) return `${kind} needs a subject.`
  if (about === 'everybody' && subject !== null) return `${kind} has no subject.`
  const check = checks.get(kind)
  if (check?.Check(params)) return null
  const [error] = check?.Errors(params) ?? []
  return `params${error?.instancePath ?? ''} ${error?.message ?? 'do not fit'}`
}
