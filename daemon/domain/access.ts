/** What the hub protects, told apart by who may see it. `account` is the person's own record (name, zone, birth date). */
export const DATA_CLASSES = ['wellness', 'glucose', 'training', 'media'] as const
export type DataClass = (typeof DATA_CLASSES)[number]

export const ROLES = ['owner', 'caregiver', 'coach', 'member', 'device'] as const
export type Role = (typeof ROLES)[number]
export type UserRole = Exclude<Role, 'device'>

/** One class of one person's data, opened to one user until `expiresAtMs` (null: until revoked). */
export interface Grant {
  personId: string
  class: DataClass
  /** `write` includes `read`. */
  action: Action
  expiresAtMs: number | null
}

export type Action = 'read' | 'write'

/** Who is asking. `local` is root on the box itself, through the control socket. */
export type Actor =
  | { kind: 'anonymous' }
  | { kind: 'local'; role: 'owner' }
  | {
      kind: 'user'
      userId: string
      signInId: string
      role: UserRole
      personId: string | null
      grants: readonly Grant[]
    }
  | { kind: 'device'; deviceId: string; type: string; role: 'device'; serves: readonly string[] }

/**
 * The one place that decides access to a person's data: owner, the person, or a grant that has not run out.
 * A device writes for the persons it serves and reads nobody.
 */
export function can(
  actor: Actor,
  action: Action,
  personId: string,
  dataClass: DataClass,
  nowMs: number,
): boolean {
  switch (actor.kind) {
    case 'anonymous':
      return false
    case 'local':
      return true
    case 'device':
      return action === 'write' && actor.serves.includes(personId)
    case 'user':
      return (
        actor.role === 'owner' ||
        actor.personId === personId ||
        actor.grants.some((grant) => covers(grant, action, personId, dataClass, nowMs))
      )
  }
}

/** Whether the caller may know that this person exists: any live grant of any class is enough. */
export function maySee(actor: Actor, personId: string, nowMs: number): boolean {
  return DATA_CLASSES.some((dataClass) => can(actor, 'read', personId, dataClass, nowMs))
}

function covers(
  grant: Grant,
  action: Action,
  personId: string,
  dataClass: DataClass,
  nowMs: number,
): boolean {
  return (
    grant.personId === personId &&
    grant.class === dataClass &&
    (grant.action === 'write' || action === 'read') &&
    (grant.expiresAtMs === null || nowMs < grant.expiresAtMs)
  )
}
