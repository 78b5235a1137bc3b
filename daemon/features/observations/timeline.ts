/** A person's local day as lanes, one a metric, with the notes of that day. */
import { type Static, Type } from 'typebox'
import { type Actor, can } from '../../domain/access.ts'
import { type Metric, metricNamed } from '../../domain/metric.ts'
import type { Level } from '../../domain/observation.ts'
import { OpenObject } from '../../domain/person.ts'
import { dayBounds, isDay, localDay } from '../../domain/zone.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Range, Store } from '../../store/store.ts'
import { LevelSeries, levelSeries, RawSeries, rawSeries } from './shown.ts'

export const Timeline = Type.Object({
  person_id: Type.String(),
  date: Type.String(),
  timezone: Type.String(),
  from: Timestamp,
  to: Timestamp,
  lanes: Type.Array(Type.Union([RawSeries, LevelSeries])),
  notes: Type.Array(
    Type.Object({
      ts: Timestamp,
      device: Type.String(),
      context: Type.Union([OpenObject, Type.Null()]),
      interaction: Type.Union([OpenObject, Type.Null()]),
    }),
  ),
})
export type Timeline = Static<typeof Timeline>

export interface TimelineDeps {
  store: Pick<Store, 'all' | 'get' | 'observations'>
  now: () => number
}

/** A day of numbers fits a screen in quarters of an hour; states and places have no roll-ups. */
const LEVEL: Level = '15m'
const POINTS_MAX = 5000
const NOTES_MAX = 500

const ZONE = `SELECT timezone FROM person WHERE id = :personId AND deleted_at IS NULL`
// Uses the table's own key.
const NOTES = `SELECT context_note.at AS atMs, device.id AS device, context, interaction
  FROM context_note JOIN person ON person.key = context_note.person_key
    JOIN device ON device.key = context_note.device_key
  WHERE person.id = :personId AND context_note.at >= :fromMs AND context_note.at < :toMs
  ORDER BY context_note.at, context_note.device_key LIMIT :limit`

interface NoteRow {
  atMs: number
  device: string
  context: string | null
  interaction: string | null
}

/** What the actor may see of the day `date` (today when absent) in the person's zone. Throws VALIDATION_ERROR for no day. */
export async function timelineOf(
  { actor, personId, date }: { actor: Actor; personId: string; date?: string | undefined },
  { store, now }: TimelineDeps,
): Promise<Timeline> {
  const timezone = store.get<{ timezone: string }>(ZONE, { personId })?.timezone ?? 'UTC'
  const day = date ?? localDay(now(), timezone)
  if (!isDay(day)) throw noSuchDay(day)
  const { fromMs, toMs } = dayBounds(day, timezone)
  const window = { personId, fromMs, toMs, limit: POINTS_MAX }
  const metrics = await metricsSince(fromMs, { actor, personId }, { store, now })
  const lanes = await Promise.all(metrics.map((metric) => laneOf(metric, window, store)))
  const notes = can(actor, 'read', personId, 'wellness', now())
    ? store.all<NoteRow>(NOTES, { personId, fromMs, toMs, limit: NOTES_MAX })
    : []
  return {
    person_id: personId,
    date: day,
    timezone,
    from: iso(fromMs),
    to: iso(toMs),
    lanes: lanes.filter(({ points }) => points.length > 0),
    notes: notes.map(noteOf),
  }
}

/** Metrics with a value since then that the actor may read; those that ended before cannot have one on the day. */
async function metricsSince(
  fromMs: number,
  { actor, personId }: { actor: Actor; personId: string },
  { store, now }: TimelineDeps,
): Promise<Metric[]> {
  const newest = await store.observations.latest(personId)
  return newest.flatMap(({ metric: name, atMs }) => {
    const metric = metricNamed(name)
    const isSeen = metric !== undefined && can(actor, 'read', personId, metric.class, now())
    return isSeen && atMs >= fromMs ? [metric] : []
  })
}

async function laneOf(
  metric: Metric,
  window: Omit<Range, 'metric'>,
  store: TimelineDeps['store'],
): Promise<Timeline['lanes'][number]> {
  const range = { ...window, metric: metric.name }
  if (metric.kind !== 'number') return rawSeries(metric, await store.observations.range(range))
  return levelSeries(metric, LEVEL, await store.observations.level({ ...range, level: LEVEL }))
}

function noteOf({ atMs, device, context, interaction }: NoteRow): Timeline['notes'][number] {
  const parsed = (json: string | null) => (json === null ? null : JSON.parse(json))
  return { ts: iso(atMs), device, context: parsed(context), interaction: parsed(interaction) }
}

function noSuchDay(date: string): HubError {
  return new HubError('VALIDATION_ERROR', 'The query is not valid. date: is no day, write YYYY-MM-DD.', {
    details: [{ path: 'date', message: 'is no day', value: date }],
  })
}
