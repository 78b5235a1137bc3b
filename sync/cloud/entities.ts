/** Reads and edits what hubs and people share: opened for who reads, sealed again before it is written. */
import { createHash } from 'node:crypto'
import { createHybridClock, type HybridClock, hlcMs } from '../clock.ts'
import { canonicalJson, DELETED_FIELD, edited, isDeleted, latestEdit, mergeConsent } from '../merge.ts'
import { type Consent, type Entity, type EntityKind, SEALED_FIELDS } from '../rows.ts'
import { sealJson } from '../seal.ts'
import type { Queries } from './database.ts'
import { erasedSubjects, lockHousehold, mergeIntoFeed } from './feed.ts'
import { ensureKey, type Keys, keysOf, opened } from './vault.ts'

/** An entity as an account sees it: its fields by name, opened. */
export interface ShownEntity {
  id: string
  subject: string | null
  fields: Record<string, unknown>
  /** Of this state of all its fields. */
  revision: string
  updated_at: number | null
}

export type Edited =
  | { entity: ShownEntity }
  | { fault: 'erased' | 'missing' }
  | { fault: 'changed' | 'exists'; entity: ShownEntity }

function revisionOf(body: Entity | Consent): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex').slice(0, 16)
}

function shownEntity(keys: Keys, id: string, entity: Entity): ShownEntity {
  const latest = latestEdit(entity)
  const fields = Object.entries(entity.fields).map(([name, [value]]) => [
    name,
    opened(keys, entity.subject, value),
  ])
  return {
    id,
    subject: entity.subject,
    fields: Object.fromEntries(fields),
    revision: revisionOf(entity),
    updated_at: latest === '' ? null : hlcMs(latest),
  }
}

/** Those that are not deleted, in the order of their ids. */
export async function listEntities(
  queries: Queries,
  household: string,
  kind: EntityKind,
): Promise<ShownEntity[]> {
  const { rows } = await queries.query<{ id: string; body: Entity }>(
    'SELECT id, body FROM household_feed WHERE household_id = $1 AND kind = $2 ORDER BY id LIMIT 10000',
    [household, kind],
  )
  const keys = await keysOf(queries, household)
  return rows.filter(({ body }) => !isDeleted(body)).map(({ id, body }) => shownEntity(keys, id, body))
}

/** Null for one that is not there or is deleted. */
export async function findEntity(
  queries: Queries,
  household: string,
  kind: EntityKind,
  id: string,
): Promise<ShownEntity | null> {
  const entity = await entityOf(queries, household, kind, id)
  return entity && !isDeleted(entity) ? shownEntity(await keysOf(queries, household), id, entity) : null
}

export interface EditAsked {
  kind: EntityKind
  id: string
  /** The person it is about; counts for a new entity only. */
  subject: string | null
  /** What changes; `deleted` deletes and takes that back. */
  fields: Readonly<Record<string, unknown>>
  /** Whether it is to be made; one that is there already and says something else is not edited. */
  creates: boolean
  /** What the editor has read; null: whatever it is now. */
  revision: string | null
}

/** Merges an edit into the feed; later than every edit it was made upon, whatever the clocks say. */
export async function editEntity(
  queries: Queries,
  household: string,
  { kind, id, subject, fields, creates, revision }: EditAsked,
  clock: HybridClock,
): Promise<Edited> {
  await lockHousehold(queries, household, 'exclusive')
  const before = await entityOf(queries, household, kind, id)
  if (!creates && (!before || (isDeleted(before) && fields[DELETED_FIELD] !== false)))
    return { fault: 'missing' }
  if (before && revision !== null && revision !== revisionOf(before))
    return { fault: 'changed', entity: shownEntity(await keysOf(queries, household), id, before) }
  const entity = before ?? { subject: kind === 'person' ? id : subject, fields: {} }
  const erased = await erasedSubjects(queries, household)
  if (entity.subject !== null && erased.has(entity.subject)) return { fault: 'erased' }
  const revives = before !== null && creates && isDeleted(before)
  const shown =
    before && creates && !revives ? shownEntity(await keysOf(queries, household), id, before) : null
  if (
    shown &&
    Object.entries(fields).some(([name, value]) => canonicalJson(shown.fields[name]) !== canonicalJson(value))
  )
    return { fault: 'exists', entity: shown }
  const latest = latestEdit(entity)
  if (latest !== '') clock.follow(latest)
  const asked = revives ? { [DELETED_FIELD]: false, ...fields } : fields
  const sealed = await sealedFields(queries, household, kind, entity.subject, asked)
  const body = edited(entity, sealed, clock.tick())
  await mergeIntoFeed(queries, household, [{ kind, id, body }], erased)
  return { entity: shownEntity(await keysOf(queries, household), id, body) }
}

async function sealedFields(
  queries: Queries,
  household: string,
  kind: EntityKind,
  subject: string | null,
  fields: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const names = new Set(SEALED_FIELDS[kind])
  if (subject === null) return { ...fields }
  const key = await ensureKey(queries, household, subject)
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      key && names.has(name) && value !== null ? sealJson(key, subject, value) : value,
    ]),
  )
}

async function entityOf(
  queries: Queries,
  household: string,
  kind: string,
  id: string,
): Promise<Entity | null> {
  const { rows } = await queries.query<{ body: Entity }>(
    'SELECT body FROM household_feed WHERE household_id = $1 AND kind = $2 AND id = $3',
    [household, kind, id],
  )
  return rows[0]?.body ?? null
}

export interface ShownConsent extends Consent {
  id: string
  revision: string
}

export async function listConsents(queries: Queries, household: string): Promise<ShownConsent[]> {
  const { rows } = await queries.query<{ id: string; body: Consent }>(
    `SELECT id, body FROM household_feed WHERE household_id = $1 AND kind = 'consent' ORDER BY id LIMIT 10000`,
    [household],
  )
  return rows.map(({ id, body }) => ({ id, revision: revisionOf(body), ...body }))
}

/** Grants or withdraws; null for one that is not there, `erased` for a person who is. A withdrawn one stays withdrawn, whoever grants it again. */
export async function editConsent(
  queries: Queries,
  household: string,
  id: string,
  change: Consent | 'revoke',
  clock: HybridClock,
): Promise<ShownConsent | 'erased' | null> {
  await lockHousehold(queries, household, 'exclusive')
  const before = (await listConsents(queries, household)).find((one) => one.id === id)
  if (change === 'revoke' && !before) return null
  const said: Consent =
    change === 'revoke' ? { subject: before?.subject ?? '', grant: null, revoked: clock.tick() } : change
  const erased = await erasedSubjects(queries, household)
  if (erased.has(said.subject)) return 'erased'
  const { id: _, revision: __, ...known } = before ?? { id, revision: '', ...said }
  const body = mergeConsent(known, said)
  await mergeIntoFeed(queries, household, [{ kind: 'consent', id, body }], erased)
  return { id, revision: revisionOf(body), ...body }
}

/** The clock that edits made by this instance are stamped with. */
export function editingClock(now: () => number, instance: string): HybridClock {
  return createHybridClock({ now, node: `cloud-${instance}` })
}
