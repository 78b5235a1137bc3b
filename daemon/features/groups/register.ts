/** The table of groups and their members, with a copy in memory: ladders and grants are asked for on every request. */
import type { Grant } from '../../domain/access.ts'
import {
  type Group,
  type GroupKind,
  type GroupMember,
  LOOKED_AFTER,
  ladderOf,
  type MemberRole,
  onCall,
  type Shift,
} from '../../domain/group.ts'
import { isZone } from '../../domain/zone.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'

export interface GroupDraft {
  name: string
  kind: GroupKind
  timezone: string
  stepMinutes: number
  rota: readonly Shift[]
}

export interface MemberDraft {
  memberId: string
  role: MemberRole
  shirtNumber: number | null
  escalationOrder: number | null
}

/** The ladder of everybody who looks after a person: member ids step by step, and the shortest wait between steps. */
export interface Ladder {
  steps: string[][]
  stepMs: number
}

export interface Register {
  all(): Group[]
  get(id: string): Group | undefined
  /** Throws NOT_FOUND where a member's id is neither person nor user; then nothing is made. */
  add(id: string, draft: GroupDraft, members: readonly MemberDraft[]): Promise<Group>
  change(id: string, changes: Partial<GroupDraft>): Promise<Group>
  remove(id: string): Promise<void>
  /** Adds a member or replaces what is said of one. Throws NOT_FOUND where the id is neither person nor user. */
  setMember(groupId: string, draft: MemberDraft): Promise<Group>
  removeMember(groupId: string, memberId: string): Promise<Group>
  /** Null where no family or care group looks after the person. */
  ladderFor(personId: string, nowMs: number): Ladder | null
  /** A coach of a team reads the training of its players. */
  grantsOf(userId: string): Grant[]
  onChanged(listener: () => void): () => void
  reload(): void
}

interface GroupRow {
  id: string
  name: string
  kind: GroupKind
  timezone: string
  stepMinutes: number
  rota: string
  createdAtMs: number
  updatedAtMs: number
}

interface MemberRow {
  groupId: string
  memberId: string
  personId: string | null
  userId: string | null
  name: string
  role: MemberRole
  shirtNumber: number | null
  escalationOrder: number | null
}

const GROUPS = `SELECT id, name, kind, timezone, step_minutes AS stepMinutes, rota, created_at AS createdAtMs,
    updated_at AS updatedAtMs
  FROM people_group ORDER BY created_at, id`
const MEMBERS = `SELECT m.group_id AS groupId, m.member_id AS memberId, person.id AS personId, user.id AS userId,
    coalesce(person.name, user.name) AS name, m.role, m.shirt_number AS shirtNumber, m.escalation_order AS escalationOrder
  FROM group_member m LEFT JOIN person ON person.key = m.person_key AND person.deleted_at IS NULL
    LEFT JOIN user ON user.key = m.user_key AND user.disabled_at IS NULL
  WHERE person.id IS NOT NULL OR user.id IS NOT NULL
  ORDER BY m.group_id, m.escalation_order IS NULL, m.escalation_order, m.created_at, m.member_id`
const ADD = `INSERT INTO people_group (id, name, kind, timezone, step_minutes, rota, created_at, updated_at)
  VALUES (:id, :name, :kind, :timezone, :stepMinutes, :rota, :nowMs, :nowMs)`
const CHANGE = `UPDATE people_group SET name = :name, kind = :kind, timezone = :timezone, step_minutes = :stepMinutes,
    rota = :rota, updated_at = :nowMs
  WHERE id = :id`
const SET_MEMBER = `INSERT INTO group_member (group_id, member_id, person_key, user_key, role, shirt_number, escalation_order, created_at)
  SELECT g.id, :memberId, person.key, CASE WHEN person.key IS NULL THEN user.key END, :role, :shirtNumber, :escalationOrder, :nowMs
  FROM people_group g LEFT JOIN person ON person.id = :memberId AND person.deleted_at IS NULL
    LEFT JOIN user ON user.id = :memberId AND user.disabled_at IS NULL
  WHERE g.id = :groupId AND (person.key IS NOT NULL OR user.key IS NOT NULL)
  ON CONFLICT (group_id, member_id) DO UPDATE SET role = :role, shirt_number = :shirtNumber, escalation_order = :escalationOrder`
const KNOWN = `SELECT 1 FROM person WHERE id = :memberId AND deleted_at IS NULL
  UNION ALL SELECT 1 FROM user WHERE id = :memberId AND disabled_at IS NULL`
const USER_OF =
  'SELECT p.id AS personId FROM user u JOIN person p ON p.key = u.person_key WHERE u.id = :userId'

export function createRegister({ store, clock }: { store: Store; clock: Clock }): Register {
  let groups = new Map<string, Group>()
  const listeners = new Set<() => void>()

  function reload(): void {
    const members = store.all<MemberRow>(MEMBERS)
    groups = new Map(
      store.all<GroupRow>(GROUPS).map((row) => [
        row.id,
        groupOf(
          row,
          members.filter(({ groupId }) => groupId === row.id),
        ),
      ]),
    )
    for (const listener of listeners) listener()
  }

  function existing(id: string): Group {
    const group = groups.get(id)
    if (!group) throw noSuchGroup()
    return group
  }

  async function write(sql: string, params: Record<string, string | number | null>): Promise<number> {
    const [done] = await store.write([{ sql, params }])
    reload()
    return done?.changes ?? 0
  }

  const lookingAfter = (personId: string) =>
    [...groups.values()].filter(
      ({ kind, members }) =>
        kind !== 'team' &&
        members.some(({ member_id: id, role }) => id === personId && LOOKED_AFTER.has(role)),
    )

  reload()
  return {
    all: () => [...groups.values()],
    get: (id) => groups.get(id),
    async add(id, draft, members) {
      const nowMs = clock.now()
      for (const { memberId } of members) if (!store.get(KNOWN, { memberId })) throw noSuchMember()
      await store.write([
        { sql: ADD, params: { id, ...paramsOf(checked(draft)), nowMs } },
        ...members.map((member) => ({
          sql: SET_MEMBER,
          params: { groupId: id, ...member, nowMs },
          expect: 1,
        })),
      ])
      reload()
      return existing(id)
    },
    async change(id, changes) {
      const { name, kind, timezone, step_minutes: stepMinutes, rota } = existing(id)
      const draft = checked({ name, kind, timezone, stepMinutes, rota, ...changes })
      await write(CHANGE, { id, ...paramsOf(draft), nowMs: clock.now() })
      return existing(id)
    },
    async remove(id) {
      existing(id)
      await store.write([
        { sql: 'DELETE FROM group_member WHERE group_id = :id', params: { id } },
        { sql: 'DELETE FROM people_group WHERE id = :id', params: { id } },
      ])
      reload()
    },
    async setMember(groupId, draft) {
      existing(groupId)
      if ((await write(SET_MEMBER, { groupId, ...draft, nowMs: clock.now() })) === 0) throw noSuchMember()
      return existing(groupId)
    },
    async removeMember(groupId, memberId) {
      const sql = 'DELETE FROM group_member WHERE group_id = :groupId AND member_id = :memberId'
      existing(groupId)
      if ((await write(sql, { groupId, memberId })) === 0) {
        throw new HubError('NOT_FOUND', 'The group has no such member.')
      }
      return existing(groupId)
    },
    ladderFor(personId, nowMs) {
      const found = lookingAfter(personId)
      if (found.length === 0) return null
      const ladders = found.map(({ members, rota, timezone }) =>
        ladderOf(members, onCall(rota, nowMs, timezone)),
      )
      return {
        steps: merged(ladders),
        stepMs: Math.min(...found.map(({ step_minutes: minutes }) => minutes)) * 60_000,
      }
    },
    grantsOf(userId) {
      const own = store.get<{ personId: string }>(USER_OF, { userId })?.personId
      return [...groups.values()]
        .filter(
          ({ kind, members }) =>
            kind === 'team' &&
            members.some(({ member_id: id, role }) => role === 'coach' && (id === userId || id === own)),
        )
        .flatMap(({ members }) => members.filter(({ role }) => role === 'player'))
        .flatMap(({ person_id: personId }): Grant[] =>
          personId === null ? [] : [{ personId, class: 'training', action: 'read', expiresAtMs: null }],
        )
    },
    onChanged(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    reload,
  }
}

/** Step by step; whoever stands on two ladders is told on the earlier step only. */
function merged(ladders: readonly string[][][]): string[][] {
  const told = new Set<string>()
  const steps: string[][] = []
  for (let step = 0; ladders.some((ladder) => step < ladder.length); step += 1) {
    const ids = [...new Set(ladders.flatMap((ladder) => ladder[step] ?? []))].filter((id) => !told.has(id))
    for (const id of ids) told.add(id)
    if (ids.length > 0) steps.push(ids)
  }
  return steps
}

function paramsOf({ rota, ...draft }: GroupDraft) {
  return { ...draft, rota: JSON.stringify(rota) }
}

function checked(draft: GroupDraft): GroupDraft {
  if (isZone(draft.timezone)) return draft
  throw new HubError('VALIDATION_ERROR', 'The group cannot be kept: timezone is no IANA time zone.', {
    details: [{ path: 'timezone', message: 'is no IANA time zone', value: draft.timezone }],
  })
}

function groupOf(row: GroupRow, members: readonly MemberRow[]): Group {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    timezone: row.timezone,
    step_minutes: row.stepMinutes,
    // Written by this table from a checked list.
    rota: JSON.parse(row.rota) as Shift[],
    members: members.map(memberOf),
    created_at: iso(row.createdAtMs),
    updated_at: iso(row.updatedAtMs),
  }
}

function memberOf(row: MemberRow): GroupMember {
  return {
    member_id: row.memberId,
    person_id: row.personId,
    user_id: row.userId,
    name: row.name,
    role: row.role,
    shirt_number: row.shirtNumber,
    escalation_order: row.escalationOrder,
  }
}

function noSuchMember(): HubError {
  return new HubError('NOT_FOUND', 'There is no person or user with this id.')
}

export function noSuchGroup(): HubError {
  return new HubError('NOT_FOUND', 'There is no group with this id.')
}
