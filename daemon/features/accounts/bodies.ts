/** What the routes of accounts take and give. */
import { type Static, Type } from 'typebox'
import { DATA_CLASSES } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { OpenObject } from '../../domain/person.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import { Timestamp } from '../../kernel/envelope.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from './passwords.ts'

const Password = Type.String({ minLength: PASSWORD_MIN, maxLength: PASSWORD_MAX })
const Email = Type.String({ maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$' })
const Code = Type.String({ minLength: 1, maxLength: 64 })
const RefreshToken = Type.String({ minLength: 1, maxLength: 256 })

const Registration = {
  name: DisplayName,
  email: Type.Optional(Email),
  password: Password,
}
export const ClaimBody = Type.Object(
  {
    claim_code: Code,
    ...Registration,
    hub_name: Type.Optional(DisplayName),
    timezone: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
)
export const RegisterBody = Type.Object(
  { claim_code: Type.Optional(Code), invite_code: Type.Optional(Code), ...Registration },
  { additionalProperties: false },
)
export const LoginBody = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    email: Type.Optional(Type.String({ minLength: 1, maxLength: 254 })),
    /** No lower limit: a password set under older rules is still compared. */
    password: Type.String({ minLength: 1, maxLength: PASSWORD_MAX }),
  },
  { additionalProperties: false },
)
/** A browser that holds the cookie sends no body. */
/** `name` where the own account has no password. */
export const StepUpBody = Type.Object(
  {
    password: Type.String({ minLength: 1, maxLength: 1024 }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 120 })),
  },
  { additionalProperties: false },
)
export const RefreshBody = Type.Union([
  Type.Object({ refresh_token: Type.Optional(RefreshToken) }, { additionalProperties: false }),
  Type.Null(),
])
export const MeBody = Type.Object(
  { name: Type.Optional(DisplayName), email: Type.Optional(Email), preferences: Type.Optional(OpenObject) },
  { additionalProperties: false },
)
export const Me = Type.Object(
  {
    id: Id,
    name: Type.String(),
    email: Type.Union([Type.String(), Type.Null()]),
    role: Type.Enum([...USER_ROLES]),
    person_id: Type.Union([Id, Type.Null()]),
    preferences: OpenObject,
    grants: Type.Array(
      Type.Object({
        person_id: Id,
        class: Type.Enum([...DATA_CLASSES]),
        action: Type.Enum(['read', 'write']),
        expires_at: Type.Union([Timestamp, Type.Null()]),
      }),
    ),
  },
  { additionalProperties: false },
)
export type Me = Static<typeof Me>
