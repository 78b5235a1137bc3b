import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { DATA_CLASSES, type UserRole } from './access.ts'
import { Id } from './id.ts'

export const USER_ROLES = ['owner', 'caregiver', 'coach', 'member'] as const satisfies readonly UserRole[]

/** Characters that end a line or that a terminal would obey. */
const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'

/** A name for people and things: printable text on one line. */
export const DisplayName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: `^[^${CONTROL}]*[^${CONTROL}\\s][^${CONTROL}]*$`,
  description: 'One line of text with something to read in it',
})

/** One class of one person's data, opened to one user. */
export const GrantView = Type.Object(
  {
    id: Id,
    user_id: Id,
    person_id: Id,
    class: Type.Enum([...DATA_CLASSES]),
    action: Type.Enum(['read', 'write']),
    expires_at: Type.Union([Timestamp, Type.Null()]),
    created_at: Timestamp,
  },
  { additionalProperties: false },
)
export type GrantView = Static<typeof GrantView>

/** A user as owners see them. */
export const User = Type.Object(
  {
    id: Id,
    name: Type.String(),
    email: Type.Union([Type.String(), Type.Null()]),
    role: Type.Enum([...USER_ROLES]),
    person_id: Type.Union([Id, Type.Null()]),
    disabled: Type.Boolean(),
    created_at: Timestamp,
  },
  { additionalProperties: false },
)
export type User = Static<typeof User>

/** What signing in gives; `refresh_token` is absent when it went into the browser's cookie. */
export const Tokens = Type.Object(
  {
    access_token: Type.String(),
    refresh_token: Type.Optional(Type.String()),
    token_type: Type.Literal('Bearer'),
    /** Seconds. */
    expires_in: Type.Integer(),
    user: Type.Object(
      {
        id: Id,
        name: Type.String(),
        role: Type.Enum([...USER_ROLES]),
        person_id: Type.Union([Id, Type.Null()]),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
export type Tokens = Static<typeof Tokens>
