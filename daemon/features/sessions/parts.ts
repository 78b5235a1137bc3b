/** What the routes of sessions share, and the rules that all of them follow. */
import { type Actor, can } from '../../domain/access.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Policy } from '../../domain/route.ts'
import { mayChangeSession, maySeeSession } from '../../domain/session.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Files } from './files.ts'
import { noSuchSession, type Register, type StoredSession } from './register.ts'

export interface SessionParts {
  store: Store
  register: Register
  files: Files
  now: () => number
  newId: () => string
  groupExists: (groupId: string) => boolean
  /** The players of a group. */
  playersOf: (groupId: string) => readonly string[]
}

export const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
export const TAGS = ['sessions']

/** The session of a route, for somebody who may see it; anybody else hears that there is none. */
export function seenBy({ register, now }: SessionParts, actor: Actor, id: string): StoredSession {
  const session = register.get(id)
  if (!session || !maySeeSession(actor, session, now())) throw noSuchSession()
  return session
}

/** The same for somebody who may change it; who only sees it hears FORBIDDEN. */
export function changeableBy(parts: SessionParts, actor: Actor, id: string): StoredSession {
  const session = seenBy(parts, actor, id)
  if (mayChangeSession(actor, session, parts.now())) return session
  throw new HubError('FORBIDDEN', 'Only the owner and whoever made this session may do this.')
}

/** Nobody makes a session of people whose training is closed to them. */
export function refuseBeyondReach({ now }: SessionParts, actor: Actor, playerIds: readonly string[]): void {
  if (playerIds.every((personId) => can(actor, 'read', personId, 'training', now()))) return
  throw new HubError('NOT_FOUND', 'There is no person with this id.')
}

/** Players of the session whose training the actor may read. */
export function readablePlayers({ now }: SessionParts, actor: Actor, session: StoredSession): string[] {
  return session.playerIds.filter((personId) => can(actor, 'read', personId, 'training', now()))
}

export function instantOf(path: string, text: string | number): number {
  const parsed = parseInstant(text, null)
  if ('atMs' in parsed) return parsed.atMs
  throw new HubError('VALIDATION_ERROR', `${path}: ${parsed.wrong}.`, {
    details: [{ path, message: parsed.wrong }],
  })
}
