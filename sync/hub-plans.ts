/** Units of writes for what happens seldom: somebody is switched on, somebody is erased, too much waits. */
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

/** When more waits than the disk was promised to: the oldest chunks go, and a gap says so. */
export function planTrim(
  store: HubStore,
  { limits, clock, newId }: Pick<SyncPorts, 'limits' | 'clock' | 'newId'>,
): Statement[] {
  const waiting = store.all<{ seq: number; key: string }>(
    `SELECT seq, key FROM sync_feed WHERE lane = 'bulk' AND seq > coalesce((SELECT acked FROM sync_lane WHERE lane = 'bulk'), 0)
     ORDER BY seq DESC LIMIT -1 OFFSET :most`,
    { most: limits.waitingBulk },
  )
  const [newest] = waiting
  if (!newest) return []
  const days = waiting.map(({ key }) => Number(key.split('/')[3]))
  return [
    { sql: `DELETE FROM sync_feed WHERE lane = 'bulk' AND seq <= :seq`, params: { seq: newest.seq } },
    {
      sql: `INSERT INTO sync_gap (id, subject, series, from_at, to_at, why, rows, at)
        VALUES (:id, NULL, 'raw_chunk', :fromAt, :toAt, 'more waited for the cloud than this hub keeps', :rows, :nowMs)`,
      params: {
        ...{ id: newId(), rows: waiting.length, nowMs: clock.now() },
        ...{ fromAt: Math.min(...days), toAt: Math.max(...days) + DAY_MS },
      },
    },
  ]
}
