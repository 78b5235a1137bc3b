/** The table of planned events. */
import type { CalendarEvent, PlannedFor } from '../../domain/calendar.ts'
import { HubError } from '../../kernel/errors.ts'
import type { SqlParams, Store } from '../../store/store.ts'

export interface EventTable {
  find(id: string): CalendarEvent | null
  /** Every event of a person's own or a group's that begins before `toMs` and, when it is not repeated, ends after `fromMs`. */
  within(of: PlannedFor, window: { fromMs: number; toMs: number }): CalendarEvent[]
  /** Rejects with CONFLICT when the id is taken or the calendar is full, NOT_FOUND when whom it is for is not there. */
  add(event: CalendarEvent): Promise<void>
  change(event: CalendarEvent): Promise<void>
  /** Once more is nothing. */
  remove(id: string): Promise<void>
}

type Row = Omit<CalendarEvent, 'drills' | 'aiGenerated'> & { drills: string; aiGenerated: number }

/** Events of one person or group; what is repeated counts once. */
const EVENTS_MAX = 2000
const SELECT = `SELECT e.id, p.id AS personId, e.group_id AS groupId, e.title, e.event_type AS eventType, e.start_at AS startMs,
    e.end_at AS endMs, e.timezone, e.rrule, e.drills, e.ai_generated AS aiGenerated, e.created_by AS createdBy,
    e.created_at AS createdAtMs, e.updated_at AS updatedAtMs
  FROM calendar_event e LEFT JOIN person p ON p.key = e.person_key AND p.deleted_at IS NULL`
const THERE = `(p.id IS NOT NULL OR e.group_id IS NOT NULL)`
const OF = `(p.id = :personId OR e.group_id = :groupId)`
const COUNT = `SELECT count(*) AS total FROM calendar_event e LEFT JOIN person p ON p.key = e.person_key WHERE ${OF}`
const ADD = `INSERT INTO calendar_event (id, person_key, group_id, title, event_type, start_at, end_at, timezone, rrule, drills,
    ai_generated, created_by, created_at, updated_at)
  SELECT :id, (SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL), :groupId, :title, :eventType, :startMs, :endMs,
    :timezone, :rrule, :drills, :aiGenerated, :createdBy, :createdAtMs, :updatedAtMs`
const CHANGE = `UPDATE calendar_event SET title = :title, event_type = :eventType, start_at = :startMs, end_at = :endMs,
    timezone = :timezone, rrule = :rrule, drills = :drills, ai_generated = :aiGenerated, updated_at = :updatedAtMs
  WHERE id = :id`

export function createEventTable({ store }: { store: Pick<Store, 'all' | 'get' | 'write'> }): EventTable {
  return {
    find(id) {
      const row = store.get<Row>(`${SELECT} WHERE e.id = :id AND ${THERE}`, { id })
      return row ? eventOf(row) : null
    },
    within: ({ personId, groupId }, { fromMs, toMs }) =>
      store
        .all<Row>(
          `${SELECT} WHERE ${OF} AND ${THERE} AND e.start_at < :toMs AND (e.rrule IS NOT NULL OR e.end_at > :fromMs)
           ORDER BY e.start_at, e.id`,
          { personId, groupId, fromMs, toMs },
        )
        .map(eventOf),
    async add(event) {
      const { personId, groupId, id } = event
      if (store.get('SELECT 1 FROM calendar_event WHERE id = :id', { id }))
        throw new HubError('CONFLICT', 'There is an event with this id already.')
      if ((store.get<{ total: number }>(COUNT, { personId, groupId })?.total ?? 0) >= EVENTS_MAX)
        throw new HubError('CONFLICT', `A calendar has at most ${EVENTS_MAX} events. Remove one first.`)
      await store.write([{ sql: ADD, params: paramsOf(event), expect: 1 }])
    },
    async change({ personId, groupId, createdBy, createdAtMs, ...event }) {
      const {
        personId: _p,
        groupId: _g,
        createdBy: _b,
        createdAtMs: _c,
        ...params
      } = paramsOf({
        ...event,
        ...{ personId, groupId, createdBy, createdAtMs },
      })
      await store.write([{ sql: CHANGE, params, expect: 1 }])
    },
    async remove(id) {
      await store.write([{ sql: 'DELETE FROM calendar_event WHERE id = :id', params: { id } }])
    },
  }
}

function paramsOf({ drills, aiGenerated, ...event }: CalendarEvent) {
  return { ...event, drills: JSON.stringify(drills), aiGenerated: aiGenerated ? 1 : 0 } satisfies SqlParams
}

function eventOf({ drills, aiGenerated, ...row }: Row): CalendarEvent {
  // Written by this table from a list.
  return { ...row, drills: JSON.parse(drills) as unknown[], aiGenerated: aiGenerated === 1 }
}
