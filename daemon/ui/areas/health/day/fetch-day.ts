/** Everything that the page of a day asks the hub for. */
import { dayBounds } from '../../../../domain/zone.ts'
import type { Observations, Person, RawPoint } from '../../../net/answers.ts'
import type { Api } from '../../../net/api.ts'
import { asApiError } from '../../../state/resource.ts'
import type { Activity, Episode, Meal, Mood, Night, Session, Timeline } from '../answers.ts'
import type { Entry } from '../calendar/answers.ts'
import { dayPlus } from '../scale.ts'
import type { DayAnswers } from './lanes.ts'

/** A night that ends on a day began on the evening before. */
const EVENING_MS = 12 * 3_600_000

/** What is kept of one person's local day, and of the evening before it, in one go. */
export async function fetchDay(
  api: Api,
  { id: personId, timezone }: Person,
  day: string,
): Promise<DayAnswers> {
  const { fromMs, toMs } = dayBounds(day, timezone)
  const window = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`
  const measured = new URLSearchParams({
    ...{ metric: 'sleep_state', level: 'raw', to: new Date(toMs).toISOString() },
    from: new Date(fromMs - EVENING_MS).toISOString(),
  })
  const player = `player_id=${encodeURIComponent(personId)}&${window}`
  const about = `person_id=${encodeURIComponent(personId)}&from=${day}`
  const [timeline, nights, meals, activities, moods, plans, sessions, episodes, states] = await Promise.all([
    api.get<Timeline>(`/people/${encodeURIComponent(personId)}/timeline?date=${day}`),
    // A night counts on the day it ends, so this evening's belongs to tomorrow.
    shared(api.all<Night>(`/sleep?${about}&to=${dayPlus(day, 1)}`)),
    shared(api.all<Meal>(`/meals?${about}&to=${day}`)),
    shared(api.all<Activity>(`/activities?${about}&to=${day}`)),
    shared(api.all<Mood>(`/mood?${about}&to=${day}`)),
    shared(api.all<Entry>(`/calendar/events?${player}`)),
    shared(api.all<Session>(`/sessions?${player}`)),
    shared(api.all<Episode>(`/episodes?person_id=${encodeURIComponent(personId)}&${window}`)),
    shared(
      api.get<Observations<RawPoint>>(`/people/${encodeURIComponent(personId)}/observations?${measured}`),
    ),
  ])
  const stages = states?.points ?? []
  return { timeline, nights, meals, activities, moods, plans, sessions, episodes, stages }
}

/** Null for what is not this reader's to see; the rest of the day stays. */
async function shared<Value>(answer: Promise<Value>): Promise<Value | null> {
  try {
    return await answer
  } catch (cause) {
    const { code } = asApiError(cause)
    if (code === 'FORBIDDEN' || code === 'NOT_FOUND') return null
    throw cause
  }
}
