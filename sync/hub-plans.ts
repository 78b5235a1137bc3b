/** Units of writes for what happens seldom: somebody is switched on, somebody is erased, too much waits. */
import { hlcAt } from './clock.ts'
import { DAY_MS, planFeed, planFeedAll } from './hub-state.ts'
import { canonicalJson, withoutErased } from './merge.ts'
import type { DataClass, HubStore, Statement, SyncPorts } from './ports.ts'
import type { Entity } from './rows.ts'

interface Choice {
  class: DataClass
  raw: boolean
}

const PERSON = '(SELECT key FROM person WHERE id = :personId)'
const GROUPS = `SELECT group_id FROM group_member WHERE person_key = ${PERSON}`
const SERIES_KEY = `person || '/' || metric || '/' || device || '/' ||`

/** Puts everything that is newly switched on into the feed: several units, so that nothing waits long behind one. */
export function planBackfill(
  personId: string,
  choices: readonly Choice[],
  before: ReadonlyMap<DataClass, boolean>,
  { metricsOf }: Pick<SyncPorts, 'metricsOf'>,
): Statement[][] {
  const whose = { personId }
  const units: Statement[][] = []
  const fresh = choices.filter(({ class: dataClass }) => !before.has(dataClass))
  if (before.size === 0 && choices.length > 0)
    units.push([
      ...planFeedAll('now', 'group', `SELECT DISTINCT group_id AS key FROM (${GROUPS})`, whose),
      ...planFeedAll('now', 'consent', `SELECT id AS key FROM consent WHERE person_key = ${PERSON}`, whose),
    ])
  for (const { class: dataClass } of fresh) {
    if (dataClass === 'training')
      units.push([
        ...planFeedAll(
          'now',
          'calendar',
          `SELECT id AS key FROM calendar_event WHERE person_key = ${PERSON} OR group_id IN (${GROUPS})`,
          whose,
        ),
        ...planFeedAll(
          'state',
          'session',
          `SELECT s.id AS key FROM session s JOIN session_player sp ON sp.session_key = s.key WHERE sp.person_key = ${PERSON}`,
          whose,
        ),
        ...planFeedAll(
          'state',
          'session_kpi',
          `SELECT s.id || ':' || :personId AS key FROM session s JOIN session_player sp ON sp.session_key = s.key
           WHERE sp.person_key = ${PERSON}`,
          whose,
        ),
      ])
    for (const kind of ['episode', 'alert'])
      units.push(
        planFeedAll(
          'now',
          kind,
          `SELECT id AS key FROM ${kind} WHERE person_key = ${PERSON} AND class = :dataClass`,
          {
            ...whose,
            dataClass,
          },
        ),
      )
    for (const metric of metricsOf(dataClass))
      for (const [level, kind] of [
        [60, 'rollup_hour'],
        [1440, 'rollup_day'],
      ] as const)
        units.push(
          planFeedAll(
            'state',
            kind,
            `SELECT ${SERIES_KEY} start AS key FROM rollup WHERE level = :level AND person = ${PERSON} AND metric = :metric`,
            { ...whose, level, metric },
          ),
        )
  }
  for (const { class: dataClass, raw } of choices) {
    if (!raw || before.get(dataClass) === true) continue
    for (const metric of metricsOf(dataClass))
      units.push(
        planFeedAll(
          'bulk',
          'raw_chunk',
          `SELECT ${SERIES_KEY} day AS key FROM sealed_day WHERE person = ${PERSON} AND metric = :metric AND chunk IS NOT NULL`,
          { ...whose, metric },
        ),
      )
  }
  return units
}

interface ErasedDeps {
  store: HubStore
  nowMs: number
  enrolled: boolean
}

/** Destroys the key, forgets what was kept for the cloud, and says there that it is done; answers how many rows went. */
export async function planErasedSubject(
  personId: string,
  { store, nowMs, enrolled }: ErasedDeps,
): Promise<number> {
  const isKnown =
    store.get('SELECT 1 FROM sync_subject WHERE subject = :personId', { personId }) !== undefined
  const erased = new Set([personId])
  const groups = store
    .all<{ id: string; body: string }>(`SELECT id, body FROM sync_entity WHERE kind = 'group'`)
    .flatMap(({ id, body }): Statement[] => {
      const left = withoutErased(JSON.parse(body) as Entity, erased)
      const text = canonicalJson(left)
      if (left === null || text === body) return []
      return [
        {
          sql: `UPDATE sync_entity SET body = :text WHERE kind = 'group' AND id = :id`,
          params: { id, text },
        },
      ]
    })
  const held = store.get<{ held: number }>(
    'SELECT count(*) AS held FROM sync_entity WHERE subject = :personId',
    {
      personId,
    },
  )
  const whose = { personId }
  const feedOf = (condition: string): Statement => ({
    sql: `DELETE FROM sync_feed WHERE ${condition}`,
    params: whose,
  })
  const OWN = `(SELECT key || '/%' FROM person WHERE id = :personId)`
  await store.write([
    { sql: 'DELETE FROM sync_entity WHERE subject = :personId', params: whose },
    { sql: 'DELETE FROM sync_incoming WHERE subject = :personId', params: whose },
    { sql: 'DELETE FROM sync_job WHERE subject = :personId', params: whose },
    ...groups,
    { sql: `DELETE FROM sync_choice WHERE person_key = ${PERSON}`, params: whose },
    { sql: 'DELETE FROM sync_aside' },
    { sql: 'DELETE FROM sync_gap WHERE subject = :personId', params: whose },
    { sql: `DELETE FROM sync_later WHERE key LIKE ${OWN}`, params: whose },
    feedOf(`kind IN ('rollup_hour', 'rollup_day', 'raw_chunk') AND key LIKE ${OWN}`),
    feedOf(`kind IN ('person', 'subject_key') AND key = :personId`),
    feedOf(`kind = 'session_kpi' AND key LIKE '%:' || :personId`),
    ...(isKnown
      ? [
          {
            sql: `UPDATE sync_subject SET sealed_key = NULL, erased_at = coalesce(erased_at, :nowMs),
                erased_by = coalesce(erased_by, 'hub'), hub_purged_at = coalesce(hub_purged_at, :nowMs)
              WHERE subject = :personId`,
            params: { personId, nowMs },
          },
          ...(enrolled ? planFeed('now', 'erasure_done', personId) : []),
        ]
      : []),
  ])
  return (held?.held ?? 0) + (isKnown ? 1 : 0)
}

/** A stretch of a series that will never be sent. */
export interface Lost {
  subject: string
  /** `person/metric/device`. */
  series: string
  fromMs: number
  toMs: number
}

/** One gap a series: it travels before everything else, so that the cloud knows what not to wait for. */
export function planGaps(
  lost: readonly Lost[],
  why: string,
  { clock, newId }: Pick<SyncPorts, 'clock' | 'newId'>,
): Statement[] {
  const bySeries = new Map<string, Lost & { rows: number }>()
  for (const one of lost) {
    const gap = bySeries.get(one.series)
    if (!gap) bySeries.set(one.series, { ...one, rows: 1 })
    else {
      gap.fromMs = Math.min(gap.fromMs, one.fromMs)
      gap.toMs = Math.max(gap.toMs, one.toMs)
      gap.rows += 1
    }
  }
  return [...bySeries.values()].map((gap) => ({
    sql: `INSERT INTO sync_gap (id, subject, series, from_at, to_at, why, rows, at)
      VALUES (:id, :subject, :series, :fromMs, :toMs, :why, :rows, :nowMs)`,
    params: { ...gap, why, id: newId(), nowMs: clock.now() },
  }))
}

const TRIMMED_AT_ONCE = 2000
const BULK_WAITS = `lane = 'bulk' AND seq > coalesce((SELECT acked FROM sync_lane WHERE lane = 'bulk'), 0)`
/** The day is what follows the last stroke of a key. */
const OLDEST_BULK = `SELECT seq, key FROM sync_feed WHERE ${BULK_WAITS} AND seq > :inHand
  ORDER BY CAST(substr(key, length(rtrim(key, '-0123456789')) + 1) AS INTEGER), seq LIMIT :many`

/** When more waits than the disk was promised to: the oldest days of single values go, and gaps say so. Nothing else is ever given up. */
export function planTrim(
  { lostIn, inHand }: { lostIn(key: string): Lost | null; inHand: number },
  ports: Pick<SyncPorts, 'store' | 'limits' | 'clock' | 'newId'>,
): Statement[] {
  const { store, limits } = ports
  const waiting = store.get<{ many: number }>(`SELECT count(*) AS many FROM sync_feed WHERE ${BULK_WAITS}`)
  const over = (waiting?.many ?? 0) - limits.waitingBulk
  if (over <= 0) return []
  const oldest = store.all<{ seq: number; key: string }>(OLDEST_BULK, {
    inHand,
    many: Math.min(over, TRIMMED_AT_ONCE),
  })
  return [
    {
      sql: 'DELETE FROM sync_feed WHERE seq IN (SELECT value FROM json_each(:seqs))',
      params: { seqs: JSON.stringify(oldest.map(({ seq }) => seq)) },
    },
    ...planGaps(
      oldest.flatMap(({ key }) => lostIn(key) ?? []),
      'more waited for the cloud than this hub keeps',
      ports,
    ),
  ]
}

/** What the cloud has held for so long is not kept for sending it again; the tables still have it. */
const FEED_DAYS = 30
/** Longer than any hub is promised to be away. */
const TOMBSTONE_DAYS = 400
const PRUNED_AT_ONCE = 5000

/** Forgets entries of closed stretches that the cloud has held for a month, and deletions that everybody has heard of. */
export function planPrune({ store, clock }: Pick<SyncPorts, 'store' | 'clock'>): Statement[] {
  const day = Math.floor(clock.now() / DAY_MS)
  const marked = store.get('SELECT 1 FROM sync_mark WHERE day = :day', { day })
  const plan: Statement[] = marked
    ? []
    : [
        {
          sql: `INSERT INTO sync_mark (lane, day, acked)
            SELECT lane, :day, acked FROM sync_lane WHERE lane <> 'now' ON CONFLICT DO NOTHING`,
          params: { day },
        },
        {
          sql: `DELETE FROM sync_entity WHERE kind IN ('calendar', 'group') AND json_extract(body, '$.fields.deleted[0]') = 1
            AND json_extract(body, '$.fields.deleted[1]') < :beforeHlc`,
          params: { beforeHlc: hlcAt((day - TOMBSTONE_DAYS) * DAY_MS, '') },
        },
      ]
  const due = store.all<{ lane: string; upto: number }>(
    `SELECT l.lane, min(l.acked, max(m.acked)) AS upto FROM sync_mark m JOIN sync_lane l ON l.lane = m.lane
     WHERE l.lane IN ('state', 'bulk') AND m.day <= :day GROUP BY l.lane, l.acked HAVING min(l.acked, max(m.acked)) > l.pruned`,
    { day: day - FEED_DAYS },
  )
  for (const { lane, upto } of due) {
    const last = store.get<{ seq: number }>(
      'SELECT seq FROM sync_feed WHERE lane = :lane AND seq <= :upto ORDER BY seq LIMIT 1 OFFSET :many',
      { lane, upto, many: PRUNED_AT_ONCE },
    )
    const params = { lane, upto: last?.seq ?? upto }
    plan.push(
      { sql: 'DELETE FROM sync_feed WHERE lane = :lane AND seq <= :upto', params },
      { sql: 'UPDATE sync_lane SET pruned = :upto WHERE lane = :lane', params },
    )
    if (!last)
      plan.push({
        sql: 'DELETE FROM sync_mark WHERE lane = :lane AND day < :day',
        params: { lane, day: day - FEED_DAYS },
      })
  }
  return plan
}
