/** What guidelines say of a draft, beside everything else that is planned for its players. */
import { type Actor, can } from '../../domain/access.ts'
import type { CalendarEvent } from '../../domain/calendar.ts'
import { type Occurrence, occurrencesOf } from './expand.ts'
import { type CalendarParts, plannedOf } from './parts.ts'
import { recoveryTime, trainingLoad, type Verdict, weekOf } from './verdicts.ts'

const DAY_MS = 86_400_000
/** A repeated event is judged this far ahead: later weeks are planned anew before they come. */
const AHEAD_MS = 28 * DAY_MS
const VERDICTS_MAX = 200

/** Verdicts for the players whose training the caller may read; nothing for what is no sport. */
export function verdictsOn(draft: CalendarEvent, actor: Actor, parts: CalendarParts): Verdict[] {
  if (draft.eventType !== 'training' && draft.eventType !== 'match') return []
  const { groups, now, person } = parts
  const fromMs = draft.rrule === null ? draft.startMs : Math.max(draft.startMs, now())
  const drafted = occurrencesOf([draft], {
    fromMs,
    toMs: draft.rrule === null ? draft.startMs + 1 : fromMs + AHEAD_MS,
  })
  const playerIds = draft.personId === null ? groups.playersOf(draft.groupId ?? '') : [draft.personId]
  return playerIds
    .filter((id) => can(actor, 'read', id, 'training', now()))
    .flatMap((id) => {
      const player = person(id)
      return player === null ? [] : judged(player, drafted, draft, parts)
    })
    .slice(0, VERDICTS_MAX)
}

function judged(
  player: NonNullable<ReturnType<CalendarParts['person']>>,
  drafted: readonly Occurrence[],
  draft: CalendarEvent,
  parts: CalendarParts,
): Verdict[] {
  const [first, last] = [drafted[0], drafted.at(-1)]
  if (!first || !last) return []
  const window = { fromMs: first.startMs - 8 * DAY_MS, toMs: last.startMs + 8 * DAY_MS }
  const planned = [...plannedOf(player, window, parts, draft.id), ...drafted]
  const weeks = new Map(drafted.map((one) => [weekOf(one.startMs, player.timezone).monday, one.startMs]))
  return [
    ...[...weeks.values()].flatMap((atMs) => trainingLoad(player, planned, atMs)),
    ...recoveryTime(player, planned, draft.id),
  ]
}
