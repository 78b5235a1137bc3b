/** How users come to be: the first by claiming the hub, the others by invitation or pairing. */
import type { Action, DataClass, UserRole } from '../../domain/access.ts'
import type { Tokens } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import type { ClaimWindow } from './claim-window.ts'
import type { Passwords } from './passwords.ts'
import type { NewSignIn } from './sign-ins.ts'
import type { SigningIn } from './signing-in.ts'
import type { NewUser, Users } from './users.ts'

/** What an invitation or an approved pairing makes of somebody. */
export interface Membership {
  role: UserRole
  personId: string | null
  grants: readonly { class: DataClass; action: Action }[]
}

export interface Claimant {
  name: string
  password: string
  email?: string
  hubName?: string
  timezone?: string
}

export interface Joining {
  isClaimed(): boolean
  chosen(): { hubName: string | null; timezone: string | null }
  claim(code: string, claimant: Claimant): Promise<Tokens>
  claimLocally(claimant: Claimant): Promise<{ id: string; name: string }>
  register(inviteCode: string, claimant: Claimant): Promise<Tokens>
  /** Takes ownership and every account away in one unit with `more`; the next to claim is the owner. */
  reset(more: readonly Plan<unknown>[]): Promise<void>
  planPhone(name: string, membership: Membership): Promise<Plan<Tokens>>
}

export interface JoiningDeps {
  store: Store
  clock: Clock
  users: Users
  passwords: Passwords
  claimWindow: ClaimWindow
  signingIn: SigningIn
  planGrants: (userId: string, personId: string, grants: Membership['grants']) => Plan<null>
  redeemInvite: (code: string) => Promise<Plan<Membership>>
}

/** Names in `meta`; CLAIMED is inserted once, which makes a second owner by the same door impossible. */
const META = { claimed: 'claimed_at', hubName: 'hub_name', timezone: 'hub_timezone' } as const
const BY_PASSWORD: Omit<NewSignIn, 'userId'> = { deviceName: null, paired: false }

export function createJoining(deps: JoiningDeps): Joining {
  const { store, clock, users, passwords, signingIn } = deps
  const meta = (name: string) =>
    store.get<{ value: string }>('SELECT value FROM meta WHERE name = :name', { name })?.value ?? null
  let claimed = meta(META.claimed) !== null
  let chosen = { hubName: meta(META.hubName), timezone: meta(META.timezone) }

  function refuseClaimed(): void {
    if (claimed) throw new HubError('CONFLICT', 'This hub already has an owner. Ask them for an invitation.')
  }

  async function newUser(claimant: Claimant, role: UserRole): Promise<Omit<NewUser, 'personId'>> {
    passwords.check(claimant.password, claimant.name)
    const passwordHash = await passwords.hash(claimant.password)
    return {
      id: newId(clock.now()),
      name: claimant.name.trim(),
      role,
      passwordHash,
      email: claimant.email ?? null,
    }
  }

  function claimWrites({ hubName, timezone }: Claimant): Write[] {
    const set = (name: string, value: string | undefined): Write[] =>
      value === undefined
        ? []
        : [
            {
              sql: `INSERT INTO meta (name, value) VALUES (:name, :value)
                    ON CONFLICT (name) DO UPDATE SET value = :value`,
              params: { name, value },
            },
          ]
    return [
      {
        sql: 'INSERT INTO meta (name, value) VALUES (:name, :value)',
        params: { name: META.claimed, value: String(clock.now()) },
        expect: 1,
      },
      ...set(META.hubName, hubName),
      ...set(META.timezone, timezone),
      { sql: 'DELETE FROM claim_window' },
    ]
  }

  async function makeOwner(claimant: Claimant, user: NewUser, more: Plan<unknown>[]): Promise<void> {
    const plans = [users.plan(user, clock.now()), ...more]
    await store
      .write([...claimWrites(claimant), ...plans.flatMap(({ writes }) => writes)])
      .catch((cause: unknown) => {
        claimed = meta(META.claimed) !== null
        refuseClaimed()
        throw cause
      })
    claimed = true
    chosen = { hubName: meta(META.hubName), timezone: meta(META.timezone) }
    for (const plan of plans) plan.committed()
  }

  /** A user with what the membership opens to them, signed in: a member is that person, others look after that person. */
  async function enter(
    someone: Omit<NewUser, 'personId'>,
    { role, personId, grants }: Membership,
    how: Omit<NewSignIn, 'userId'>,
  ): Promise<Plan<Tokens>> {
    const user = { ...someone, personId: role === 'member' ? personId : null }
    const signIn = await signingIn.plan(user, how)
    const opened =
      personId === null || grants.length === 0 ? [] : [deps.planGrants(user.id, personId, grants)]
    const plans = [users.plan(user, clock.now()), ...opened, signIn]
    return {
      result: signIn.result,
      writes: plans.flatMap(({ writes }) => writes),
      committed() {
        for (const plan of plans) plan.committed()
      },
    }
  }

  return {
    isClaimed: () => claimed,
    chosen: () => chosen,
    async claim(code, claimant) {
      refuseClaimed()
      passwords.check(claimant.password, claimant.name)
      await deps.claimWindow.spend(code)
      const user = { ...(await newUser(claimant, 'owner')), personId: null }
      const signIn = await signingIn.plan(user, BY_PASSWORD)
      await makeOwner(claimant, user, [signIn])
      return signIn.result
    },
    async claimLocally(claimant) {
      refuseClaimed()
      const user = { ...(await newUser(claimant, 'owner')), personId: null }
      await makeOwner(claimant, user, [])
      return { id: user.id, name: user.name }
    },
    async register(inviteCode, claimant) {
      passwords.check(claimant.password, claimant.name)
      const invite = await deps.redeemInvite(inviteCode)
      const user = await newUser(claimant, invite.result.role)
      const entry = await enter(user, invite.result, BY_PASSWORD)
      await store.write([...invite.writes, ...entry.writes])
      invite.committed()
      entry.committed()
      return entry.result
    },
    async reset(more) {
      await store.write([
        ...more.flatMap(({ writes }) => writes),
        { sql: 'DELETE FROM refresh_token' },
        { sql: 'DELETE FROM sign_in' },
        { sql: 'DELETE FROM user' },
        { sql: 'DELETE FROM meta WHERE name = :name', params: { name: META.claimed } },
        deps.claimWindow.closed(),
      ])
      claimed = false
      users.reload()
      for (const plan of more) plan.committed()
    },
    planPhone(name, membership) {
      const user = { id: newId(clock.now()), name, role: membership.role, passwordHash: null, email: null }
      return enter(user, membership, { deviceName: name, paired: true })
    },
  }
}
