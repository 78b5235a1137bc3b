/** What hubs and the cloud both edit, between the hub's tables and their form with an instant for every field. */
import { createHybridClock, type HybridClock, hlcAt } from './clock.ts'
import { createEntityRows } from './entity-rows.ts'
import { createEntitySeals } from './entity-seals.ts'
import { planWrite, zoneIn } from './entity-tables.ts'
import type { FeedEntry, HubIdentity, SyncState } from './hub-state.ts'
import {
  canonicalJson,
  DELETED_FIELD,
  edited,
  fieldOf,
  isDeleted,
  latestEdit,
  MEMBER_FIELD,
  mergeConsent,
  mergeEntity,
  withoutErased,
} from './merge.ts'
import type { DataClass, Statement, SyncPorts } from './ports.ts'
import { bodyFault, type Consent, ENTITY_KINDS, type Entity, type EntityKind } from './rows.ts'
import { FEED_KINDS, type FeedRow } from './wire.ts'

export interface Entities {
  /** Gives every edit that was made here since the last time its instant; true when there may be more. */
  stamp(): Promise<boolean>
  /**
   * Merges rows of the household's feed and writes what they changed, in one unit with `more`. Answers who is to be erased. Rejects
   * when the tables changed in between: then nothing was written.
   */
  apply(rows: readonly FeedRow[], more: readonly Statement[]): Promise<string[]>
  /** The same for a whole feed that was read beside what is known (`sync_incoming`). */
  swap(more: readonly Statement[]): Promise<string[]>
  /** Whether sealed fields among them cannot be opened yet. */
  missingKeys(rows: readonly Pick<FeedRow, 'kind' | 'subject' | 'body'>[]): boolean
  /** Whether some that are kept wait for their key. */
  waitsForKeys(): boolean
  /** Writes what became readable with new keys of these persons. */
  unfold(subjects: readonly string[]): Promise<void>
  clock(): HybridClock
}

export interface EntitiesDeps
  extends Pick<SyncPorts, 'store' | 'clock' | 'canRepeat' | 'isZone' | 'changed'> {
  state: SyncState
  identity(): HubIdentity
  isShared(personId: string, dataClass: DataClass | 'any'): boolean
}

const STAMPED_AT_ONCE = 200
export const STAMPED_KINDS: readonly string[] = [...ENTITY_KINDS, 'consent']
const EDITS = `SELECT seq, kind, key FROM sync_feed WHERE kind IN (${STAMPED_KINDS.map((kind) => `'${kind}'`).join(', ')})
  AND seq > (SELECT stamped_seq FROM sync_hub) ORDER BY seq LIMIT :limit`
const KEEP = `INSERT INTO sync_entity (kind, id, subject, body) VALUES (:kind, :id, :subject, :body)
  ON CONFLICT (kind, id) DO UPDATE SET subject = excluded.subject, body = excluded.body`
/** Until it is written into the hub's own tables. */
const UNPLACED = 'UPDATE sync_entity SET placed = 0 WHERE kind = :kind AND id = :id'
const INCOMING = `SELECT '' AS household_id, kind, id, subject, hlc, body FROM sync_incoming
  ORDER BY CASE kind WHEN 'erasure' THEN 0 WHEN 'person' THEN 1 WHEN 'group' THEN 2 ELSE 3 END, kind, id LIMIT :limit`
const ROWS_A_SWAP = 2000
/** What is merged stays although the feed does not show it: a cloud that was restored gets it back from here. The rest is the cloud's. */
const SWEEP: Statement = {
  sql: `DELETE FROM sync_entity WHERE kind NOT IN (${STAMPED_KINDS.map((kind) => `'${kind}'`).join(', ')})
    AND (kind, id) NOT IN (SELECT kind, id FROM sync_incoming)`,
}
const CONSENT = `SELECT p.id AS subject, u.id AS grantee, c.class, c.action, c.expires_at, c.created_at AS updatedAtMs
  FROM consent c JOIN user u ON u.key = c.user_key JOIN person p ON p.key = c.person_key WHERE c.id = :id`
/** Kept in their merged form only, perhaps for want of a key. */
const WAITING = `SELECT kind, subject, body FROM sync_entity WHERE subject IS NOT NULL AND body LIKE '%"enc"%'
  AND (kind = 'calendar' AND id NOT IN (SELECT id FROM calendar_event) OR kind = 'person' AND id NOT IN (SELECT id FROM person))
  ORDER BY kind, id LIMIT 1000`
/** Persons before what is planned for them. */
const KEPT_OF = `SELECT kind, id, body FROM sync_entity WHERE subject = :subject ORDER BY kind <> 'person', id`
/** Persons and groups come before what is planned for them. */
const ORDER: readonly string[] = ['erasure', 'person', 'group', 'calendar', 'consent']

interface Merging {
  erased: Set<string>
  toErase: string[]
  kinds: Set<string>
  writes: Statement[]
  conflicts: number
  /** Persons and groups that this unit brings, which tables do not show yet. */
  arriving: Map<string, { timezone: string }>
}

export function createEntities(deps: EntitiesDeps): Entities {
  const { store, state, identity } = deps
  const { sealed, opened } = createEntitySeals(state)
  const { tableRow, leaves } = createEntityRows(deps)
  let held: { node: string; clock: HybridClock } | null = null
  const hlc = (): HybridClock => {
    const { hubId: node, hlc: last } = identity()
    // Another household is another clock.
    if (held?.node !== node) held = { node, clock: createHybridClock({ now: deps.clock.now, node, last }) }
    return held.clock
  }
  const kept = <Body>(kind: string, id: string): Body | null => {
    const row = store.get<{ body: string }>('SELECT body FROM sync_entity WHERE kind = :kind AND id = :id', {
      kind,
      id,
    })
    return row ? (JSON.parse(row.body) as Body) : null
  }
  const isPlaced = (kind: string, id: string) =>
    store.get('SELECT 1 FROM sync_entity WHERE kind = :kind AND id = :id AND placed = 1', { kind, id }) !==
    undefined
  const keep = (kind: string, id: string, subject: string | null, body: object): Statement => ({
    sql: KEEP,
    params: { kind, id, subject, body: canonicalJson(body) },
  })

  /** The entity with what was edited here; null when there is nothing new in it. */
  function stamped(kind: EntityKind, id: string): Entity | null {
    const before = kept<Entity>(kind, id)
    const row = tableRow(kind, id)
    if (!row) {
      if (!before || isDeleted(before) || !isPlaced(kind, id)) return null
      return changed(before, { [DELETED_FIELD]: true })
    }
    if (!before && !leaves(kind, row)) return null
    const fields = sealed(kind, row.subject, row.fields, before)
    if (!before)
      return edited({ subject: row.subject, fields: {} }, fields, hlcAt(row.updatedAtMs, identity().hubId))
    const gone = Object.keys(before.fields).filter(
      (name) => name.startsWith(MEMBER_FIELD) && !(name in fields),
    )
    const removed = Object.fromEntries(gone.map((name) => [name, null]))
    const revived = isDeleted(before) ? { [DELETED_FIELD]: false } : {}
    return changed(before, { ...fields, ...removed, ...revived })
  }

  function changed(before: Entity, changes: Record<string, unknown>): Entity | null {
    const differs = Object.entries(changes).some(
      ([name, value]) => canonicalJson(fieldOf(before, name) ?? null) !== canonicalJson(value ?? null),
    )
    if (!differs) return null
    const latest = latestEdit(before)
    if (latest !== '') hlc().follow(latest)
    return edited(before, changes, hlc().tick())
  }

  function stampedConsent(id: string): Consent | null {
    const before = kept<Consent>('consent', id)
    const row = store.get<Record<string, unknown> & { subject: string; updatedAtMs: number }>(CONSENT, { id })
    if (!row) return before && before.revoked === null ? { ...before, revoked: hlc().tick() } : null
    if (before || !deps.isShared(row.subject, 'any')) return null
    const { subject, updatedAtMs, ...grant } = row
    const granted = hlcAt(updatedAtMs, identity().hubId)
    return { subject, grant: { ...grant, granted } as Consent['grant'], revoked: null }
  }

  async function stamp(): Promise<boolean> {
    const edits = store.all<FeedEntry>(EDITS, { limit: STAMPED_AT_ONCE })
    if (edits.length === 0) return false
    const writes: Statement[] = []
    for (const { kind, key } of edits) {
      if (kind === 'consent') {
        const body = stampedConsent(key)
        if (body) writes.push(keep(kind, key, body.subject, body))
      } else {
        const body = stamped(kind as EntityKind, key)
        if (body) writes.push(keep(kind, key, body.subject, body))
      }
    }
    await store.write([
      ...writes,
      {
        sql: 'UPDATE sync_hub SET stamped_seq = :seq, hlc = coalesce(:hlc, hlc)',
        params: { seq: edits.at(-1)?.seq ?? 0, hlc: hlc().last() },
      },
    ])
    return edits.length === STAMPED_AT_ONCE
  }

  function mergeRow(row: FeedRow, body: unknown, into: Merging): void {
    const { kind, id } = row
    if (kind === 'erasure') {
      if (!into.erased.has(id)) into.toErase.push(id)
      into.erased.add(id)
    } else if (kind === 'consent') mergeConsentRow(id, body as Consent, into)
    else if (isEntityKind(kind)) mergeEntityRow(kind, id, body as Entity, into)
    else into.writes.push(keep(kind, id, row.subject, body as object))
  }

  function mergeEntityRow(kind: EntityKind, id: string, incoming: Entity, into: Merging): void {
    const before = kept<Entity>(kind, id)
    const merged = withoutErased(before ? mergeEntity(before, incoming) : incoming, into.erased)
    if (merged === null) return
    const latest = latestEdit(incoming)
    if (latest !== '') hlc().follow(latest)
    if (before && canonicalJson(before) === canonicalJson(merged)) return
    into.writes.push(keep(kind, id, merged.subject, merged))
    if (before && canonicalJson(merged) !== canonicalJson(incoming)) into.conflicts += 1
    if (!before) into.writes.push({ sql: UNPLACED, params: { kind, id } })
    into.writes.push(...tableWrites(kind, id, merged, into))
    // The cloud has it like that already: nothing to send back.
    if (canonicalJson(merged) === canonicalJson(incoming))
      into.writes.push({
        sql: 'DELETE FROM sync_feed WHERE kind = :kind AND key = :id',
        params: { kind, id },
      })
  }

  function tableWrites(kind: EntityKind, id: string, merged: Entity, into: Merging): Statement[] {
    const fields = opened(merged)
    if (fields === null) return []
    const planned = planWrite(
      { kind, id, subject: merged.subject, fields, before: tableRow(kind, id) },
      { ...deps, arriving: into.arriving, nowMs: deps.clock.now() },
    )
    if (planned.length === 0) return []
    into.kinds.add(kind)
    if (kind !== 'calendar')
      into.arriving.set(`${kind} ${id}`, { timezone: zoneIn(fields['timezone'], deps) ?? 'UTC' })
    return [
      ...planned,
      { sql: 'UPDATE sync_entity SET placed = 1 WHERE kind = :kind AND id = :id', params: { kind, id } },
    ]
  }

  function mergeConsentRow(id: string, incoming: Consent, into: Merging): void {
    if (into.erased.has(incoming.subject)) return
    const before = kept<Consent>('consent', id)
    const merged = before ? mergeConsent(before, incoming) : incoming
    if (before && canonicalJson(before) === canonicalJson(merged)) return
    into.writes.push(keep('consent', id, merged.subject, merged))
    const { grant } = merged
    if (merged.revoked !== null) {
      into.writes.push({ sql: 'DELETE FROM consent WHERE id = :id', params: { id } })
      into.kinds.add('consent')
    } else if (grant !== null) {
      into.writes.push({
        sql: `INSERT INTO consent (id, user_key, person_key, class, action, expires_at, created_at)
          SELECT :id, u.key, p.key, :class, :action, :expiresAt, :nowMs FROM user u, person p
          WHERE u.id = :grantee AND p.id = :subject AND p.deleted_at IS NULL
          ON CONFLICT DO NOTHING`,
        params: {
          ...{ id, grantee: grant.grantee, subject: merged.subject, nowMs: deps.clock.now() },
          ...{ class: grant.class, action: grant.action, expiresAt: grant.expires_at },
        },
      })
      into.kinds.add('consent')
    }
    if (canonicalJson(merged) === canonicalJson(incoming))
      into.writes.push({ sql: `DELETE FROM sync_feed WHERE kind = 'consent' AND key = :id`, params: { id } })
  }

  let last: Promise<unknown> = Promise.resolve()
  /** One after another: two that begin from the same state would undo each other. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  return {
    stamp: () => inTurn(stamp),
    clock: hlc,
    missingKeys,
    waitsForKeys: () => missingKeys(store.all(WAITING)),
    unfold: (subjects) => inTurn(() => unfold(subjects)),
    apply: (rows, more) => inTurn(() => applyUnit(rows, more)),
    swap: (more) => inTurn(() => swap(more)),
  }

  function missingKeys(rows: readonly Pick<FeedRow, 'kind' | 'subject' | 'body'>[]): boolean {
    return rows.some(({ kind, subject, body }) => {
      if (subject === null || !isEntityKind(kind) || !body.includes('"enc"')) return false
      const entity = bodyIn({ kind, body })
      return entity !== null && opened(entity as Entity) === null
    })
  }

  async function unfold(subjects: readonly string[]): Promise<void> {
    while (await stamp()) {
      // What was edited here must not be written over.
    }
    const into = newMerging([])
    for (const subject of subjects)
      for (const { kind, id, body } of store.all<{ kind: string; id: string; body: string }>(KEPT_OF, {
        subject,
      }))
        if (isEntityKind(kind)) into.writes.push(...tableWrites(kind, id, JSON.parse(body) as Entity, into))
    if (into.writes.length > 0) await store.write(into.writes)
    if (into.kinds.size > 0) deps.changed(into.kinds)
  }

  /** A whole feed that was read beside what is known: in one unit, or in few when it is larger than memory should have to hold. */
  async function swap(more: readonly Statement[]): Promise<string[]> {
    const toErase: string[] = []
    for (let isFirst = true; ; isFirst = false) {
      const rows = store.all<FeedRow>(INCOMING, { limit: ROWS_A_SWAP })
      const isLast = rows.length < ROWS_A_SWAP
      const taken = isLast
        ? [{ sql: 'DELETE FROM sync_incoming' }, ...more]
        : rows.map(({ kind, id }) => ({
            sql: 'DELETE FROM sync_incoming WHERE kind = :kind AND id = :id',
            params: { kind, id },
          }))
      toErase.push(...(await applyUnit(rows, [...(isFirst ? [SWEEP] : []), ...taken])))
      if (isLast) return toErase
    }
  }

  async function applyUnit(rows: readonly FeedRow[], more: readonly Statement[]): Promise<string[]> {
    while (await stamp()) {
      // All that was edited here has its instant before it is compared.
    }
    const into = newMerging(state.erased())
    for (const row of lastOfEach(rows).sort((one, other) => place(one.kind) - place(other.kind))) {
      const body = bodyIn(row)
      if (body !== null) mergeRow(row, body, into)
    }
    if (into.arriving.size > 0) placeWaiting(into)
    for (const subject of into.toErase)
      into.writes.push({
        sql: `INSERT INTO sync_subject (subject, erased_at, erased_by) VALUES (:subject, :nowMs, 'cloud')
          ON CONFLICT (subject) DO UPDATE SET erased_at = coalesce(erased_at, :nowMs), erased_by = coalesce(erased_by, 'cloud')`,
        params: { subject, nowMs: deps.clock.now() },
      })
    await store.write([
      ...into.writes,
      {
        sql: 'UPDATE sync_hub SET hlc = coalesce(:hlc, hlc), conflicts = conflicts + :conflicts, pulled_at = :nowMs',
        params: { hlc: hlc().last(), conflicts: into.conflicts, nowMs: deps.clock.now() },
      },
      ...more,
    ])
    if (into.kinds.size > 0) deps.changed(into.kinds)
    return into.toErase
  }

  /** Events that came before the person or the group they are for. */
  function placeWaiting(into: Merging): void {
    const written = new Set(into.writes.map(({ params }) => params?.['id']))
    const waiting = store.all<{ id: string; body: string }>(
      `SELECT id, body FROM sync_entity
       WHERE kind = 'calendar' AND id NOT IN (SELECT id FROM calendar_event) ORDER BY id LIMIT 10000`,
    )
    for (const { id, body } of waiting)
      if (!written.has(id)) into.writes.push(...tableWrites('calendar', id, JSON.parse(body) as Entity, into))
  }
}

function newMerging(erased: Iterable<string>): Merging {
  return {
    erased: new Set(erased),
    toErase: [],
    kinds: new Set(),
    writes: [],
    conflicts: 0,
    arriving: new Map(),
  }
}

function isEntityKind(kind: string): kind is EntityKind {
  return (ENTITY_KINDS as readonly string[]).includes(kind)
}

function place(kind: string): number {
  const at = ORDER.indexOf(kind)
  return at < 0 ? ORDER.length : at
}

/** Of several versions of a row the last: each is whole. */
function lastOfEach(rows: readonly FeedRow[]): FeedRow[] {
  return [...new Map(rows.map((row) => [`${row.kind} ${row.id}`, row])).values()]
}

/** The body of a feed row, null when it is not what its kind promises: what comes from outside is looked at before it is believed. */
function bodyIn({ kind, body }: Pick<FeedRow, 'kind' | 'body'>): unknown {
  try {
    const value = JSON.parse(body) as unknown
    if (typeof value !== 'object' || value === null) return null
    const known = (FEED_KINDS as readonly string[]).includes(kind) && kind !== 'job'
    return known && bodyFault(kind, value) !== null ? null : value
  } catch {
    return null
  }
}
