/** What the fields of shared entities hold: refused here, because a hub can only pass over what it cannot use. */
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { MEMBER_FIELD } from '../merge.ts'
import type { EntityKind } from '../rows.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]))
const Flag = Type.Optional(Type.Boolean())
const Zone = orNull(Type.String({ minLength: 1, maxLength: 64 }))
const Instant = Type.Union([
  Type.Integer(),
  Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}', maxLength: 40 }),
])
const Name = Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }))

/** Fields that are not named here are kept and handed on as they are: a hub of next year may know them. */
const KNOWN = {
  calendar: Type.Object({
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })),
    event_type: Type.Optional(Type.Enum(['training', 'match', 'recovery', 'school'])),
    start_at: Type.Optional(Instant),
    end_at: orNull(Instant),
    timezone: Zone,
    rrule: orNull(Type.String({ maxLength: 200 })),
    drills: orNull(Type.Array(Type.Unknown(), { maxItems: 100 })),
    group: orNull(Type.String({ maxLength: 64 })),
    ai_generated: Flag,
    deleted: Flag,
  }),
  person: Type.Object({
    name: Name,
    kind: Type.Optional(Type.Enum(['child', 'teen', 'adult'])),
    timezone: Zone,
    deleted: Flag,
  }),
  group: Type.Object({
    name: Name,
    kind: Type.Optional(Type.Enum(['family', 'care', 'team'])),
    timezone: Zone,
    step_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 })),
    deleted: Flag,
  }),
} as const satisfies Record<EntityKind, object>

const Member = Compile(
  Type.Object({
    role: Type.Enum(['cared_for', 'parent', 'carer', 'coach', 'player', 'member']),
    shirt_number: orNull(Type.Integer({ minimum: 0, maximum: 999 })),
  }),
)
const CHECKS = {
  calendar: Compile(KNOWN.calendar),
  person: Compile(KNOWN.person),
  group: Compile(KNOWN.group),
}
const FIELDS_CHARS = 64 * 1024

/** Why these fields cannot be an edit of that kind; null when they can. */
export function fieldsFault(kind: EntityKind, fields: Readonly<Record<string, unknown>>): string | null {
  if (JSON.stringify(fields).length > FIELDS_CHARS) return 'fields hold 64 KB at most'
  const check = CHECKS[kind]
  if (!check.Check(fields)) {
    const [error] = check.Errors(fields)
    return `fields${error?.instancePath ?? ''} ${error?.message ?? 'do not fit'}`
  }
  const zone = fields['timezone']
  if (typeof zone === 'string' && !isZone(zone)) return `fields/timezone "${zone}" is no time zone`
  for (const [name, value] of Object.entries(fields))
    if (name.startsWith(MEMBER_FIELD) && value !== null && !Member.Check(value))
      return `fields/${name} must be null or have a role`
  return null
}

/** Why hubs could not show a new entity of that kind; null when they can. */
export function newFault(
  kind: EntityKind,
  subject: string | null,
  fields: Readonly<Record<string, unknown>>,
): string | null {
  if (kind !== 'calendar') return null
  if (fields['start_at'] === undefined) return 'fields need start_at'
  const isSomebodys = subject !== null || typeof fields['group'] === 'string'
  return isSomebodys ? null : "an event is somebody's: say whose with subject, or with fields/group"
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
