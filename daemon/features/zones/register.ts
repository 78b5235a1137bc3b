/** The tables of community zones: where they lie, who belongs by hand, and who is counted today. */
import type { Shape } from '../../domain/place.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store, Write } from '../../store/store.ts'

export interface Zone {
  id: string
  name: string
  shape: Shape
  isByPosition: boolean
  createdAtMs: number
  updatedAtMs: number
  countedAtMs: number | null
  removedAtMs: number | null
  /** Persons who belong by hand. */
  members: string[]
  /** Persons who are counted. */
  counted: string[]
}

export type ZoneDraft = Pick<Zone, 'name' | 'shape' | 'isByPosition' | 'members'>

export interface Register {
  /** The oldest first, without those that were removed. */
  all(): Zone[]
  /** Also those that were removed within the day. */
  remembered(): Zone[]
  get(zoneId: string): Zone | undefined
  /** Throws NOT_FOUND where a member is no person, CONFLICT where the id is taken or there are too many. */
  add(zoneId: string, draft: ZoneDraft): Promise<Zone>
  change(zoneId: string, draft: ZoneDraft): Promise<Zone>
  remove(zoneId: string): Promise<void>
  count(zoneId: string, personIds: readonly string[]): Promise<void>
  /** Lets go of what was removed before this instant. */
  forget(beforeMs: number): Promise<void>
}

interface ZoneRow {
  id: string
  name: string
  shape: string
  byPosition: number
  createdAtMs: number
  updatedAtMs: number
  countedAtMs: number | null
  removedAtMs: number | null
}

const ZONES_MAX = 64
const ZONES = `SELECT id, name, shape, by_position AS byPosition, created_at AS createdAtMs, updated_at AS updatedAtMs,
    counted_at AS countedAtMs, removed_at AS removedAtMs
  FROM community_zone ORDER BY created_at, id`
const MEMBERS = `SELECT m.zone_id AS zoneId, p.id AS personId FROM community_member m JOIN person p ON p.key = m.person_key
  WHERE p.deleted_at IS NULL ORDER BY m.zone_id, p.id`
const COUNTED = `SELECT m.zone_id AS zoneId, p.id AS personId FROM community_counted m JOIN person p ON p.key = m.person_key
  WHERE p.deleted_at IS NULL ORDER BY m.zone_id, p.id`
const ADD = `INSERT INTO community_zone (id, name, shape, by_position, created_at, updated_at)
  VALUES (:id, :name, :shape, :byPosition, :nowMs, :nowMs)`
const CHANGE = `UPDATE community_zone SET name = :name, shape = :shape, by_position = :byPosition, updated_at = :nowMs
  WHERE id = :id`
const ADD_MEMBER = `INSERT INTO community_member (zone_id, person_key)
  SELECT :id, key FROM person WHERE id = :personId AND deleted_at IS NULL`
const NO_MEMBERS = 'DELETE FROM community_member WHERE zone_id = :id'
const ADD_COUNTED = `INSERT INTO community_counted (zone_id, person_key)
  SELECT :id, key FROM person WHERE id = :personId AND deleted_at IS NULL`
const NONE_COUNTED = 'DELETE FROM community_counted WHERE zone_id = :id'
const COUNTED_AT = 'UPDATE community_zone SET counted_at = :nowMs WHERE id = :id'
const KNOWN = 'SELECT 1 FROM person WHERE id = :personId AND deleted_at IS NULL'

export function createRegister({
  store,
  now,
}: {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
}): Register {
  function remembered(): Zone[] {
    const members = store.all<{ zoneId: string; personId: string }>(MEMBERS)
    const counted = store.all<{ zoneId: string; personId: string }>(COUNTED)
    const of = (zoneId: string, rows: typeof members) =>
      rows.filter((row) => row.zoneId === zoneId).map(({ personId }) => personId)
    return store.all<ZoneRow>(ZONES).map(({ byPosition, shape, ...row }) => ({
      ...row,
      // Written by this table from a checked shape.
      shape: JSON.parse(shape) as Shape,
      isByPosition: byPosition === 1,
      members: of(row.id, members),
      counted: of(row.id, counted),
    }))
  }
  const all = () => remembered().filter(({ removedAtMs }) => removedAtMs === null)
  const get = (zoneId: string) => all().find(({ id }) => id === zoneId)

  function existing(zoneId: string): Zone {
    const zone = get(zoneId)
    if (!zone) throw noSuchZone()
    return zone
  }

  /** Checks before anything is written: an unknown member leaves no half zone behind. */
  function membersOf(id: string, { members }: ZoneDraft): Write[] {
    for (const personId of members)
      if (!store.get(KNOWN, { personId })) throw new HubError('NOT_FOUND', 'There is no person with this id.')
    return [...new Set(members)].map((personId) => ({ sql: ADD_MEMBER, params: { id, personId }, expect: 1 }))
  }

  const paramsOf = (id: string, { name, shape, isByPosition }: ZoneDraft) => ({
    ...{ id, name, shape: JSON.stringify(shape), byPosition: isByPosition ? 1 : 0, nowMs: now() },
  })

  return {
    all,
    remembered,
    get,
    async add(id, draft) {
      const known = remembered()
      if (known.some((zone) => zone.id === id))
        throw new HubError('CONFLICT', 'There is a zone with this id.')
      if (known.length >= ZONES_MAX)
        throw new HubError('CONFLICT', `There are ${ZONES_MAX} zones. Remove one; it makes room a day later.`)
      await store.write([{ sql: ADD, params: paramsOf(id, draft) }, ...membersOf(id, draft)])
      return existing(id)
    },
    async change(id, draft) {
      existing(id)
      await store.write([
        { sql: CHANGE, params: paramsOf(id, draft) },
        { sql: NO_MEMBERS, params: { id } },
        ...membersOf(id, draft),
      ])
      return existing(id)
    },
    async remove(id) {
      existing(id)
      const sql = 'UPDATE community_zone SET removed_at = :nowMs WHERE id = :id'
      await store.write([{ sql, params: { id, nowMs: now() } }])
    },
    async count(id, personIds) {
      await store.write([
        { sql: NONE_COUNTED, params: { id } },
        ...personIds.map((personId) => ({ sql: ADD_COUNTED, params: { id, personId } })),
        { sql: COUNTED_AT, params: { id, nowMs: now() } },
      ])
    },
    async forget(beforeMs) {
      const gone = 'SELECT id FROM community_zone WHERE removed_at < :beforeMs'
      const params = { beforeMs }
      await store.write([
        { sql: `DELETE FROM community_member WHERE zone_id IN (${gone})`, params },
        { sql: `DELETE FROM community_counted WHERE zone_id IN (${gone})`, params },
        { sql: 'DELETE FROM community_zone WHERE removed_at < :beforeMs', params },
      ])
    },
  }
}

export function noSuchZone(): HubError {
  return new HubError('NOT_FOUND', 'There is no zone with this id.')
}
