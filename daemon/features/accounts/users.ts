/** The table of users, with a copy in memory of what every request asks for. */
import type { UserRole } from '../../domain/access.ts'
import type { User } from '../../domain/user.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'

export interface StoredUser {
  id: string
  name: string
  loginName: string | null
  email: string | null
  role: UserRole
  /** Null too when that person was removed. */
  personId: string | null
  passwordHash: string | null
  preferences: Record<string, unknown>
  createdAtMs: number
  disabled: boolean
}

export interface NewUser {
  id: string
  name: string
  role: UserRole
  personId: string | null
  /** Null: signs in by pairing only. */
  passwordHash: string | null
  email: string | null
}

export interface UserChanges {
  name?: string
  email?: string
  preferences?: Record<string, unknown>
  passwordHash?: string
  disabledAtMs?: number
}

export interface Users {
  get(id: string): StoredUser | undefined
  byLoginName(name: string): StoredUser | undefined
  byEmail(email: string): StoredUser | undefined
  all(): StoredUser[]
  /** Throws CONFLICT when the name or e-mail address already signs somebody in. */
  plan(user: NewUser, nowMs: number): Plan<null>
  change(id: string, changes: UserChanges): Promise<void>
  reload(): void
}

type Row = Omit<StoredUser, 'preferences' | 'disabled'> & { preferences: string; disabledAtMs: number | null }

const SELECT = `SELECT user.id, user.name, login_name AS loginName, email, role, person.id AS personId,
    password_hash AS passwordHash, user.preferences, user.created_at AS createdAtMs, disabled_at AS disabledAtMs
  FROM user LEFT JOIN person ON person.key = user.person_key AND person.deleted_at IS NULL
  ORDER BY user.created_at, user.key`

const INSERT = `INSERT INTO user (id, name, login_name, email, role, person_key, password_hash, created_at)
  VALUES (:id, :name, :loginName, :email, :role, (SELECT key FROM person WHERE id = :personId), :passwordHash, :nowMs)`

const UPDATE = `UPDATE user SET name = :name, login_name = :loginName, email = :email, preferences = :preferences,
    password_hash = :passwordHash, disabled_at = :disabledAtMs
  WHERE id = :id`

export function createUsers(store: Store): Users {
  let users = new Map<string, StoredUser & { disabledAtMs: number | null }>()

  function reload(): void {
    const rows = store.all<Row>(SELECT)
    users = new Map(rows.map((row) => [row.id, fromRow(row)]))
  }

  const find = (is: (user: StoredUser) => boolean) => [...users.values()].find(is)
  const byLoginName = (name: string) => find(({ loginName }) => loginName === signInName(name))
  const byEmail = (email: string) => find((user) => user.email === email.trim().toLowerCase())

  function refuseTaken(id: string, name: string | null, email: string | null): void {
    const same =
      (name === null ? undefined : byLoginName(name)) ?? (email === null ? undefined : byEmail(email))
    if (same && same.id !== id) {
      throw new HubError(
        'CONFLICT',
        'Somebody already signs in with this name or e-mail address. Choose another.',
      )
    }
  }

  reload()
  return {
    get: (id) => users.get(id),
    byLoginName,
    byEmail,
    all: () => [...users.values()],
    reload,
    plan(user, nowMs) {
      const signsIn = user.passwordHash !== null
      const email = user.email?.trim().toLowerCase() ?? null
      refuseTaken(user.id, signsIn ? user.name : null, email)
      const write: Write = {
        sql: INSERT,
        params: { ...user, email, loginName: signsIn ? signInName(user.name) : null, nowMs },
        expect: 1,
      }
      return { result: null, writes: [write], committed: reload }
    },
    async change(id, changes) {
      const user = users.get(id)
      if (!user) throw new HubError('NOT_FOUND', 'There is no user with this id.')
      const next = { ...user, ...changes, email: changes.email?.trim().toLowerCase() ?? user.email }
      const signsIn = next.passwordHash !== null
      refuseTaken(id, signsIn ? next.name : null, next.email)
      const params = {
        id,
        name: next.name,
        loginName: signsIn ? signInName(next.name) : null,
        email: next.email,
        preferences: JSON.stringify(next.preferences),
        passwordHash: next.passwordHash,
        disabledAtMs: next.disabledAtMs,
      }
      await store.write([{ sql: UPDATE, params, expect: 1 }])
      reload()
    },
  }
}

export function userView(user: StoredUser): User {
  const { id, name, email, role, personId, disabled, createdAtMs } = user
  return { id, name, email, role, person_id: personId, disabled, created_at: iso(createdAtMs) }
}

/** One spelling for what people type in any case. */
export function signInName(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

function fromRow(row: Row): StoredUser & { disabledAtMs: number | null } {
  return { ...row, preferences: JSON.parse(row.preferences), disabled: row.disabledAtMs !== null }
}
