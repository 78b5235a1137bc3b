/** Puts the calendar together: who plays where, who coaches whom, and who hears of a change. */
import type { Actor, Grant } from '../domain/access.ts'
import { ageOn } from '../domain/person.ts'
import type { Feature } from '../domain/route.ts'
import type { User } from '../domain/user.ts'
import { createCalendar } from '../features/calendar/calendar.ts'
import type { Planner } from '../features/calendar/parts.ts'
import type { People } from '../features/people/people.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'
import type { Alarms } from './alarms.ts'

export interface CalendarAreaDeps {
  people: People
  groups: Alarms['groups']
  live: Live
  users: () => readonly User[]
  grantsOf: (userId: string) => readonly Grant[]
}

export function openCalendar(
  { store, clock }: Pick<House, 'store' | 'clock'>,
  { people, groups, live, users, grantsOf }: CalendarAreaDeps,
): Feature {
  const planner = (person: ReturnType<People['all']>[number]): Planner => {
    const { id, birthDate, timezone, schoolEvents } = person
    const age = birthDate === null ? person.age : ageOn(birthDate, clock.now(), timezone)
    return { id, age, timezone, schoolEvents }
  }
  return createCalendar({
    store,
    now: clock.now,
    newId: () => newId(clock.now()),
    person(personId) {
      const person = people.get(personId)
      return person ? planner(person) : null
    },
    people: () => people.all().map(planner),
    groups: {
      all: groups.all,
      playersOf: groups.playersOf,
      coaches: (actor, groupId) =>
        actor.kind === 'user' &&
        (groups.get(groupId)?.members ?? []).some(
          ({ role, user_id: userId, person_id: personId }) =>
            role === 'coach' &&
            (userId === actor.userId || (personId !== null && personId === actor.personId)),
        ),
    },
    publish: (data, personIds) =>
      void live.publish('calendar', 'calendar_update', data, { personIds, class: 'training' }),
    readerOf(userId): Actor | null {
      const user = users().find(({ id, disabled }) => id === userId && !disabled)
      if (!user) return null
      const { role, person_id: personId } = user
      return { kind: 'user', userId, signInId: '', role, personId, grants: grantsOf(userId) }
    },
  })
}
