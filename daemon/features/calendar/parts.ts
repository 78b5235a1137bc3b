/** What the routes of the calendar share: who may plan for whom, and what is planned for them. */
import type { FastifyRequest } from 'fastify'
import { type Action, type Actor, can, maySee } from '../../domain/access.ts'
import { type CalendarEvent, type GroupSight, mayPlan, type PlannedFor } from '../../domain/calendar.ts'
import type { Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import { HubError } from '../../kernel/errors.ts'
import { type Occurrence, occurrencesOf, schoolOf, type Window } from './expand.ts'
import type { EventTable } from './table.ts'

/** A person as plans need them. */
export interface Planner {
  id: string
  /** Years; null where nobody said. */
  age: number | null
  timezone: string
  schoolEvents: readonly unknown[]
}

export interface CalendarParts {
  table: EventTable
  now: () => number
  newId: () => string
  person: (personId: string) => Planner | null
  people: () => readonly Planner[]
  groups: GroupSight & { all(): readonly { id: string; timezone: string }[] }
  /** Tells those whom a plan is open to. */
  tell: (action: 'created' | 'updated' | 'deleted', event: CalendarEvent) => void
}

export const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
export const TAGS = ['calendar']

/** Throws NOT_FOUND for whom the caller does not see, FORBIDDEN for what is open to read only. */
export function authorizePlan(
  request: FastifyRequest,
  action: Action,
  of: PlannedFor,
  { groups, now }: CalendarParts,
): void {
  if (of.personId !== null) {
    request.authorize(of.personId, action, 'training')
    return
  }
  if (mayPlan(request.actor, action, of, groups, now())) return
  if (mayPlan(request.actor, 'read', of, groups, now()))
    throw new HubError('FORBIDDEN', "Only the group's coach and the owner may do this.")
  throw new HubError('NOT_FOUND', 'There is no group with this id.')
}

/** The event of a route; of somebody out of sight it is told like one that is not there. */
export function eventFor(
  request: FastifyRequest,
  id: string,
  action: Action,
  parts: CalendarParts,
): CalendarEvent {
  const event = parts.table.find(id)
  const seen =
    event &&
    (event.personId === null
      ? mayPlan(request.actor, 'read', event, parts.groups, parts.now())
      : maySee(request.actor, event.personId, parts.now()))
  if (!seen) throw new HubError('NOT_FOUND', 'There is no event with this id.')
  authorizePlan(request, action, event, parts)
  return event
}

/** A player's own events and those of the groups they play in; `except` is left out. */
export function plannedOf(
  player: Planner,
  window: Window,
  { table, groups }: CalendarParts,
  except: string | null = null,
): Occurrence[] {
  const teams = groups.all().filter(({ id }) => groups.playersOf(id).includes(player.id))
  const events = [
    ...table.within({ personId: player.id, groupId: null }, window),
    ...teams.flatMap(({ id }) => table.within({ personId: null, groupId: id }, window)),
  ]
  const planned = occurrencesOf(
    events.filter(({ id }) => id !== except),
    window,
  )
  return [...planned, ...schoolOf(player, window)]
}

/** Everything that the caller may see. */
export function plannedFor(actor: Actor, window: Window, parts: CalendarParts): Occurrence[] {
  const { table, groups, people, now } = parts
  const readable = people().filter(({ id }) => can(actor, 'read', id, 'training', now()))
  const own = readable.flatMap(({ id }) => table.within({ personId: id, groupId: null }, window))
  const shared = groups
    .all()
    .filter(({ id }) => mayPlan(actor, 'read', { personId: null, groupId: id }, groups, now()))
    .flatMap(({ id }) => table.within({ personId: null, groupId: id }, window))
  return [...occurrencesOf([...own, ...shared], window), ...readable.flatMap((one) => schoolOf(one, window))]
}
