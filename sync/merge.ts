/**
 * How two versions of what hubs and the cloud both edit become one: every function here is a join (commutative, associative,
 * idempotent), so replicas that saw the same edits hold the same bytes, in whatever order and however often they came.
 */
import type { Consent, Entity, Erasure, Register } from './rows.ts'

/** The prefix of a group's field about one member: what goes when that person is erased. */
export const MEMBER_FIELD = 'member:'
/** The field that says whether an entity is deleted: a register like the others, so that a deletion can be taken back. */
export const DELETED_FIELD = 'deleted'

/** JSON with sorted keys: equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  )
}

function greater<Value>(one: Value, other: Value): Value {
  return canonicalJson(one) >= canonicalJson(other) ? one : other
}

/** The later of two edits of one field. Two at one reading come from one machine that lost its clock: the greater text stays. */
export function mergeRegister(one: Register, other: Register): Register {
  if (one[1] !== other[1]) return one[1] > other[1] ? one : other
  return greater(one, other)
}

/** Field by field, each the later edit. The subject of an entity never changes; should two differ, the greater stays. */
export function mergeEntity(one: Entity, other: Entity): Entity {
  const fields: Record<string, Register> = {}
  for (const name of [...new Set([...Object.keys(one.fields), ...Object.keys(other.fields)])].sort()) {
    const [mine, theirs] = [own(one.fields, name), own(other.fields, name)]
    if (mine && theirs) fields[name] = mergeRegister(mine, theirs)
    else if (mine ?? theirs) fields[name] = (mine ?? theirs) as Register
  }
  return { subject: (one.subject ?? '') >= (other.subject ?? '') ? one.subject : other.subject, fields }
}

function own(fields: Entity['fields'], name: string): Register | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** A grant is said once and withdrawn for good: the first withdrawal stays, no later edit brings it back. */
export function mergeConsent(one: Consent, other: Consent): Consent {
  const bothGrants = one.grant !== null && other.grant !== null
  const revoked = [one.revoked, other.revoked].filter((hlc) => hlc !== null).sort()
  return {
    subject: greater(one.subject, other.subject),
    grant: bothGrants ? greater(one.grant, other.grant) : (one.grant ?? other.grant),
    revoked: revoked[0] ?? null,
  }
}

/** Erasures only grow; the first request is the one that is told of. */
export function mergeErasure(one: Erasure, other: Erasure): Erasure {
  if (one.requested_at !== other.requested_at) return one.requested_at < other.requested_at ? one : other
  return greater(one, other)
}

/**
 * What is left of an entity once those subjects are erased, null when nothing may be. No clock is asked: applied after every merge
 * it gives the same on every replica.
 */
export function withoutErased(entity: Entity, erased: ReadonlySet<string>): Entity | null {
  if (entity.subject !== null && erased.has(entity.subject)) return null
  const fields = Object.entries(entity.fields).filter(
    ([name]) => !(name.startsWith(MEMBER_FIELD) && erased.has(name.slice(MEMBER_FIELD.length))),
  )
  return fields.length === Object.keys(entity.fields).length
    ? entity
    : { subject: entity.subject, fields: Object.fromEntries(fields) }
}

/** Value of a field, undefined when it was never set. */
export function fieldOf(entity: Entity, name: string): unknown {
  return own(entity.fields, name)?.[0]
}

export function isDeleted(entity: Entity): boolean {
  return fieldOf(entity, DELETED_FIELD) === true
}

/** The latest edit of an entity, '' when it has none: what the feed row is stamped with. */
export function latestEdit(entity: Entity): string {
  const readings = Object.values(entity.fields).map(([, hlc]) => hlc)
  return readings.sort().at(-1) ?? ''
}

/** An entity after an edit; fields that keep their value keep their reading too, so that nothing travels for it. */
export function edited(entity: Entity, changes: Readonly<Record<string, unknown>>, hlc: string): Entity {
  const changed = Object.entries(changes).filter(
    ([name, value]) => canonicalJson(fieldOf(entity, name)) !== canonicalJson(value),
  )
  const fields = Object.fromEntries(changed.map(([name, value]): [string, Register] => [name, [value, hlc]]))
  return mergeEntity(entity, { subject: entity.subject, fields })
}
