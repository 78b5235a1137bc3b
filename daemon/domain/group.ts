/** Families, care circles and teams: who belongs, in which order they are told, and who is on call. */
import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { Id } from './id.ts'
import { wallClockMs, wallTimeToMs } from './zone.ts'

export const GROUP_KINDS = ['family', 'care', 'team'] as const
export type GroupKind = (typeof GROUP_KINDS)[number]

/** `cared_for` is whom the others look after; a `coach` trains the `player`s of a team. */
export const MEMBER_ROLES = ['cared_for', 'parent', 'carer', 'coach', 'player', 'member'] as const
export type MemberRole = (typeof MEMBER_ROLES)[number]
/** Whom a group looks after. */
export const LOOKED_AFTER: ReadonlySet<MemberRole> = new Set(['cared_for', 'player'])

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Weekday = (typeof WEEKDAYS)[number]

const HALF_DAY_MINUTES = 720
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export const TimeOfDay = Type.String({
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
  description: 'Wall-clock time, HH:MM',
})

/** One turn of the rota, on the group's wall clock; a turn that ends at or before its start lasts into the next day. */
export const Shift = Type.Object(
  {
    person_id: Id,
    days: Type.Array(Type.Enum([...WEEKDAYS]), { minItems: 1, maxItems: 7, uniqueItems: true }),
    from: TimeOfDay,
    to: TimeOfDay,
  },
  { additionalProperties: false },
)
export type Shift = Static<typeof Shift>

export const StepMinutes = Type.Integer({
  minimum: 1,
  maximum: HALF_DAY_MINUTES,
  description: 'Minutes without an answer until the next are told',
})

/** A member as the API shows it: somebody whose data the hub keeps, or a user who has none here. */
export const GroupMember = Type.Object(
  {
    /** The id that `members/:person` takes. */
    member_id: Id,
    person_id: Type.Union([Id, Type.Null()]),
    user_id: Type.Union([Id, Type.Null()]),
    name: Type.String(),
    role: Type.Enum([...MEMBER_ROLES]),
    shirt_number: Type.Union([Type.Integer(), Type.Null()]),
    /** Lower is told first, equal together; null is never told by the ladder. */
    escalation_order: Type.Union([Type.Integer(), Type.Null()]),
  },
  { additionalProperties: false },
)
export type GroupMember = Static<typeof GroupMember>

export const Group = Type.Object(
  {
    id: Id,
    name: Type.String(),
    kind: Type.Enum([...GROUP_KINDS]),
    timezone: Type.String(),
    step_minutes: StepMinutes,
    rota: Type.Array(Shift),
    members: Type.Array(GroupMember),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false },
)
export type Group = Static<typeof Group>

/** A stretch of every day on a wall clock; `to` at or before `from` lasts into the next day. */
export interface DailyStretch {
  from: string
  to: string
}

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
}

/**
 * When the stretch that holds `nowMs` ends, null outside of it. With `days` only stretches that begin on one of them count.
 * Throws RangeError for an unknown zone.
 */
export function endOfStretch(
  { from, to }: DailyStretch,
  nowMs: number,
  zone: string,
  days: readonly Weekday[] = WEEKDAYS,
): number | null {
  const wallMs = wallClockMs(nowMs, zone)
  const midnightMs = Math.floor(wallMs / DAY_MS) * DAY_MS
  for (const startDayMs of [midnightMs, midnightMs - DAY_MS]) {
    const weekday = WEEKDAYS[new Date(startDayMs).getUTCDay()]
    if (!weekday || !days.includes(weekday)) continue
    const startMs = startDayMs + minutesOf(from) * MINUTE_MS
    const length = minutesOf(to) - minutesOf(from)
    const endMs = startMs + (length > 0 ? length : length + 2 * HALF_DAY_MINUTES) * MINUTE_MS
    if (wallMs >= startMs && wallMs < endMs) {
      return wallTimeToMs(new Date(endMs).toISOString().slice(0, 19), zone)
    }
  }
  return null
}

/** Who has a turn of the rota at that instant. */
export function onCall(rota: readonly Shift[], nowMs: number, zone: string): Set<string> {
  return new Set(
    rota
      .filter((shift) => endOfStretch(shift, nowMs, zone, shift.days) !== null)
      .map((shift) => shift.person_id),
  )
}

/** The ladder at that instant: whoever is on call first, then by escalation order, each member once. */
export function ladderOf(
  members: readonly Pick<GroupMember, 'member_id' | 'escalation_order'>[],
  turn: ReadonlySet<string>,
): string[][] {
  const first = members.filter(({ member_id: id }) => turn.has(id)).map(({ member_id: id }) => id)
  const byOrder = new Map<number, string[]>()
  for (const { member_id: id, escalation_order: order } of members) {
    if (order === null || turn.has(id)) continue
    byOrder.set(order, [...(byOrder.get(order) ?? []), id])
  }
  const rest = [...byOrder].sort(([one], [other]) => one - other).map(([, ids]) => ids)
  return first.length > 0 ? [first, ...rest] : rest
}
