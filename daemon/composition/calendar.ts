/** Puts the calendar together: who plays where, who coaches whom, and who hears of a change. */
import type { Actor, Grant } from '../domain/access.ts'
import { ageOn } from '../domain/person.ts'
import type { Feature } from '../domain/route.ts'
import type { User } from '../domain/user.ts'
import { createCalendar } from '../features/calendar/calendar.ts'
import type { Planner } from '../features/calendar/parts.ts'
import type { Asked, RatedSession } from '../features/calendar/recommend.ts'
import type { Jobs } from '../features/jobs/jobs.ts'
import type { People } from '../features/people/people.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'
import type { Alarms } from './alarms.ts'

export interface CalendarAreaDeps {
  people: People
  groups: Alarms['groups']
  live: Live
  jobs: Jobs
  users: () => readonly User[]
  grantsOf: (userId: string) => readonly Grant[]
}

const RECOMMEND = 'calendar.recommend'
const RATED = `SELECT s.id AS sessionId, s.started_at AS atMs, p.rpe, p.rpe * coalesce(p.duration_minutes, s.duration_minutes) AS load
  FROM session_player p JOIN session s ON s.key = p.session_key
  WHERE p.person_key = (SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL) AND s.started_at >= :fromMs
    AND p.rpe IS NOT NULL AND coalesce(p.duration_minutes, s.duration_minutes) IS NOT NULL
  ORDER BY s.started_at, s.id`

export function openCalendar(
  { store, clock }: Pick<House, 'store' | 'clock'>,
  { people, groups, live, jobs, users, grantsOf }: CalendarAreaDeps,
): Feature {
  const planner = (person: ReturnType<People['all']>[number]): Planner => {
    const { id, birthDate, timezone, schoolEvents } = person
    const age = birthDate === null ? person.age : ageOn(birthDate, clock.now(), timezone)
    return { id, age, timezone, schoolEvents }
  }
  const calendar = createCalendar({
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
    ask: (asked, requestedBy) =>
      jobs.submit(RECOMMEND, asked, { personId: asked.playerId, class: 'training', requestedBy }),
    ratedSince: (personId, fromMs) => store.all<RatedSession>(RATED, { personId, fromMs }),
  })
  jobs.handle(RECOMMEND, {
    queue: 'default',
    async run({ job }) {
      // Entered by the line above, in this shape.
      const asked = job.payload as Asked
      const result = calendar.recommend(asked)
      if (result === null) return { result: null }
      const told = { job_id: job.id, ...result }
      live.publish('calendar', 'recommendation_ready', told, {
        personIds: [asked.playerId],
        class: 'training',
      })
      return { result }
    },
  })
  return calendar.feature
}
