/** Why an episode is there: gathers what was recorded around it and before it, and lets the narrator say it. */
import { type Static, Type } from 'typebox'
import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import { metricNamed } from '../../domain/metric.ts'
import type { Store } from '../../store/store.ts'
import { type Before, Fact, HISTORY_DAYS, type Known, narrate, type Seen } from './narrator.ts'
import type { EpisodeTable, StoredEpisode } from './table.ts'

export const Analysis = Type.Object(
  {
    episode_id: Type.String(),
    /** Two or three sentences. */
    text: Type.String(),
    recommendation: Type.String(),
    /** Every number of the text, with where it comes from. */
    facts: Type.Array(Fact),
    /** Who wrote it: this hub writes by rules and asks no language model. */
    narrator: Type.Object(
      { name: Type.String(), version: Type.String(), language_model: Type.Boolean() },
      { additionalProperties: false },
    ),
    note: Type.String(),
  },
  { additionalProperties: false },
)
export type Analysis = Static<typeof Analysis>

export interface AnalysisDeps {
  observations: Pick<Store['observations'], 'level'>
  table: Pick<EpisodeTable, 'rows' | 'since'>
  nameOf: (by: string) => string | null
  zoneOf: (personId: string) => string
  glucoseUnit: () => GlucoseUnit
}

const NARRATOR = { name: 'homefield-narrator', version: '1', language_model: false }
const NOTE =
  'Written by rules from what this hub recorded, without a language model. It is no diagnosis and compares only with what was set or is usual here.'
const MINUTE_MS = 60_000
const BEFORE_MS = 120 * MINUTE_MS
const STEPS_MS = 30 * MINUTE_MS
const CHANNELS_MOST = 3

/** `mayRead` says whether the reader may see a metric; what may not be seen is not told. */
export async function analyse(
  episode: StoredEpisode,
  mayRead: (metric: string) => boolean,
  deps: AnalysisDeps,
): Promise<Analysis> {
  const { personId, kind, origin, startedAtMs, resolvedAtMs } = episode
  const rows = deps.table.rows(episode.id)
  const seen = seenIn(rows, episode, mayRead)
  const metadata: unknown = JSON.parse(episode.metadata)
  const rare: unknown = Reflect.get(Object(metadata), 'one_in_hours')
  const [first] = seen
  const known: Known = {
    ...{ origin, kind, startedAtMs, resolvedAtMs, seen },
    name: deps.nameOf(`person:${personId}`) ?? 'this person',
    zone: deps.zoneOf(personId),
    glucoseUnit: deps.glucoseUnit(),
    message: rows.find((row) => row.kind === 'opened')?.text ?? '',
    before: first ? await rangeBefore(personId, first.metric, startedAtMs, deps) : null,
    steps:
      first?.metric === 'heart_rate' && mayRead('steps')
        ? await stepsBefore(personId, startedAtMs, deps)
        : null,
    earlier: earlierThan(episode, deps),
    oneInHours: origin === 'detector' && typeof rare === 'number' ? rare : null,
  }
  return { episode_id: episode.id, ...narrate(known), narrator: NARRATOR, note: NOTE }
}

/** The evidence that the episode began with, one row a metric. */
function seenIn(
  rows: ReturnType<EpisodeTable['rows']>,
  { startedAtMs }: StoredEpisode,
  mayRead: (metric: string) => boolean,
): Seen[] {
  const seen = new Map<string, Seen>()
  for (const { evidence, atMs: toldMs } of rows) {
    // Written by this feature's table from a checked list.
    const listed = JSON.parse(evidence) as {
      metric?: string
      value?: unknown
      expected?: unknown
      ts?: unknown
    }[]
    for (const { metric, value, expected, ts } of listed) {
      if (metric === undefined || typeof value !== 'number' || seen.has(metric) || !mayRead(metric)) continue
      const atMs = typeof ts === 'number' ? ts : typeof ts === 'string' ? Date.parse(ts) : toldMs
      const measuredMs = Number.isFinite(atMs) ? atMs : startedAtMs
      seen.set(metric, {
        metric,
        value,
        expected: typeof expected === 'number' ? expected : null,
        atMs: measuredMs,
      })
    }
  }
  return [...seen.values()].slice(0, CHANNELS_MOST)
}

async function rangeBefore(
  personId: string,
  metric: string,
  startedAtMs: number,
  { observations }: AnalysisDeps,
): Promise<Before | null> {
  if (metricNamed(metric)?.kind !== 'number') return null
  const toMs = Math.floor(startedAtMs / MINUTE_MS) * MINUTE_MS
  const window = { fromMs: toMs - BEFORE_MS, toMs }
  const { points } = await observations.level({ personId, metric, ...window, level: '1m', limit: 200 })
  const means = points.map(({ mean }) => mean)
  return means.length < 2 ? null : { metric, low: Math.min(...means), high: Math.max(...means), ...window }
}

async function stepsBefore(
  personId: string,
  startedAtMs: number,
  { observations }: AnalysisDeps,
): Promise<Known['steps']> {
  const toMs = Math.floor(startedAtMs / MINUTE_MS) * MINUTE_MS
  const window = { fromMs: toMs - STEPS_MS, toMs }
  const { points } = await observations.level({
    personId,
    metric: 'steps',
    ...window,
    level: '1m',
    limit: 40,
  })
  if (points.length === 0) return null
  return { count: Math.round(points.reduce((all, { mean, count }) => all + mean * count, 0)), ...window }
}

function earlierThan(
  { id, personId, kind, startedAtMs }: StoredEpisode,
  { table }: AnalysisDeps,
): Known['earlier'] {
  const before = table
    .since(personId, kind, startedAtMs - HISTORY_DAYS * 24 * 60 * MINUTE_MS)
    .filter((one) => one.id !== id && one.startedAtMs < startedAtMs)
  const last = before.at(-1)
  if (!last) return null
  const { startedAtMs: lastMs, resolvedAtMs } = last
  const lastedMinutes =
    resolvedAtMs === null ? null : Math.max(1, Math.round((resolvedAtMs - lastMs) / MINUTE_MS))
  return { count: before.length, lastMs, lastedMinutes }
}
