/** Users and their sign-ins: who may claim, register, sign in and stay signed in. */
import type { Actor, Grant } from '../../domain/access.ts'
import type { Feature } from '../../domain/route.ts'
import type { Tokens, User } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { deriveKey } from '../../kernel/secrets.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import { createAccessTokens } from './access-tokens.ts'
import { type ClaimCode, createClaimWindow } from './claim-window.ts'
import { type Claimant, createJoining, type Membership } from './joining.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { accountRoutes } from './routes.ts'
import { createSignIns, type RevokedFor, type SignIn, type SignIns } from './sign-ins.ts'
import { createSigningIn } from './signing-in.ts'
import { createUsers, type StoredUser, signInName, type Users, userView } from './users.ts'

export type { Claimant, Membership }

export interface AccountsDeps {
  store: Store
  clock: Clock
  log: Log
  hubId: string
  /** From `ensureSecret`; every key of this part is derived from it. */
  secret: Uint8Array
  /** A user's grants, asked on every request. */
  grantsOf: (userId: string) => readonly Grant[]
  /** Prepares grants for a user who is made in the same unit. */
  planGrants: (userId: string, personId: string, grants: Membership['grants']) => Plan<null>
  /** Prepares spending an invitation; throws PAIRING_INVALID or PAIRING_EXPIRED. */
  redeemInvite: (code: string) => Promise<Plan<Membership>>
  passwords?: Passwords
}

export interface Accounts {
  feature: Feature
  /** Throws HubError UNAUTHENTICATED or TOKEN_EXPIRED. */
  fromBearer(token: string): Promise<Actor>
  /** The same actor with today's role and grants, for sockets that stay open; null when its sign-in has ended. */
  actorOf(signInId: string): Actor | null
  /** Whether somebody owns this hub yet. */
  isClaimed(): boolean
  /** What the owner called the hub, and its zone, when claiming; null where nothing was said. */
  chosen(): { hubName: string | null; timezone: string | null }
  /** The code of the open window; opens one when the last is over. Throws CONFLICT on a claimed hub. */
  claimCode(): Promise<ClaimCode>
  /** Makes the owner without a code: for root on the box itself. */
  claimLocally(claimant: Claimant): Promise<{ id: string; name: string }>
  /** Signs a user in without a password. */
  issueTokens(userId: string, how: { deviceName: string }): Promise<Tokens>
  /** Prepares a new user who came by pairing, signed in on that phone. */
  planPhone(name: string, membership: Membership): Promise<Plan<Tokens>>
  /** Live sign-ins that came by pairing. */
  paired(): { signIn: SignIn; user: User }[]
  users(): User[]
  /** What a user keeps with their account; empty for one who is gone. */
  preferencesOf(userId: string): Readonly<Record<string, unknown>>
  /** Ends one sign-in at once, and with the last one an account that has no password; throws NOT_FOUND. */
  revokeSignIn(signInId: string): Promise<void>
  /** Ends all their sign-ins at once and refuses new ones; throws NOT_FOUND, and CONFLICT for the last owner. */
  disableUser(userId: string): Promise<void>
  /** Sets a password by user name and signs that user out everywhere: for root on the box itself. */
  setPassword(name: string, password: string): Promise<void>
  /** Takes ownership, accounts and sign-ins away, with what `more` adds to the unit: for root on the box itself. */
  reset(more?: readonly Plan<unknown>[]): Promise<void>
  /** Whether this sign-in gave a password within the last five minutes. */
  isProven(signInId: string): boolean
  /** Tells which sign-in has just ended; returns the way to stop listening. */
  onRevoked(listener: (ended: { signInId: string }) => void): () => void
  /** Reads again after another part changed persons. */
  reload(): void
}

const PRUNE_EVERY_MS = 6 * 3_600_000

export function createAccounts(deps: AccountsDeps): Accounts {
  const { store, clock, log, hubId, secret, grantsOf } = deps
  const key = (purpose: string) => deriveKey(secret, purpose)
  const passwords = deps.passwords ?? createPasswords()
  const users = createUsers(store)
  const signIns = createSignIns({ store, clock, key: key('refresh token') })
  const accessTokens = createAccessTokens({ clock, hubId, key: key('access token') })
  const claimWindow = createClaimWindow({ store, clock, key: key('claim code') })
  const signingIn = createSigningIn({ store, clock, users, signIns, accessTokens, passwords, grantsOf })
  const joining = createJoining({ ...deps, users, passwords, claimWindow, signingIn })
  const prune = () =>
    signIns
      .prune()
      .catch((cause: unknown) => log.warn({ cause: messageOf(cause) }, 'old sign-ins not pruned'))
  let stopPruning = () => {}

  return {
    feature: {
      name: 'accounts',
      routes: (http) => accountRoutes(http, { clock, users, signingIn, joining, grantsOf }),
      start() {
        stopPruning = clock.every(PRUNE_EVERY_MS, () => void prune())
      },
      stop: () => stopPruning(),
    },
    fromBearer: signingIn.fromBearer,
    actorOf: signingIn.actorOf,
    isClaimed: joining.isClaimed,
    isProven: signingIn.isProven,
    chosen: joining.chosen,
    preferencesOf: (userId) => users.get(userId)?.preferences ?? {},
    claimLocally: joining.claimLocally,
    planPhone: joining.planPhone,
    async claimCode() {
      if (joining.isClaimed())
        throw new HubError('CONFLICT', 'This hub already has an owner; it shows no claim code.')
      return claimWindow.current()
    },
    async issueTokens(userId, { deviceName }) {
      return signingIn.signIn(existing(users, userId), { deviceName, paired: true })
    },
    ...administration({ clock, users, signIns, passwords }),
    async reset(more = []) {
      await signIns.revoke(
        signIns.all().map(({ id }) => id),
        'removed',
      )
      await joining.reset(more)
      signIns.reload()
      log.warn('ownership was reset on the box')
    },
    reload() {
      users.reload()
      signIns.reload()
    },
  }
}

type Administration = Pick<
  Accounts,
  'paired' | 'users' | 'revokeSignIn' | 'disableUser' | 'setPassword' | 'onRevoked'
>

interface AdministrationDeps {
  clock: Clock
  users: Users
  signIns: SignIns
  passwords: Passwords
}

/** What an owner and root on the box do to users and sign-ins. */
function administration({ clock, users, signIns, passwords }: AdministrationDeps): Administration {
  const signOut = (userId: string, why: RevokedFor) =>
    signIns.revoke(
      signIns.all().flatMap((signIn) => (signIn.userId === userId ? [signIn.id] : [])),
      why,
    )
  const enabledOwners = () => users.all().filter(({ role, disabled }) => role === 'owner' && !disabled).length

  /** Who came by pairing alone can never come back without it: the account ends with its last phone. */
  async function retire(userId: string): Promise<void> {
    const user = users.get(userId)
    if (!user || user.passwordHash !== null || signIns.all().some((one) => one.userId === userId)) return
    if (user.role === 'owner' && enabledOwners() === 1) return
    await users.change(userId, { disabledAtMs: clock.now() })
  }

  return {
    paired: () =>
      signIns.all().flatMap((signIn) => {
        const user = signIn.pairedAtMs === null ? undefined : users.get(signIn.userId)
        return user ? [{ signIn, user: userView(user) }] : []
      }),
    users: () => users.all().map(userView),
    onRevoked: (listener) => signIns.onRevoked((signInId) => listener({ signInId })),
    async revokeSignIn(signInId) {
      const live = signIns.live(signInId)
      if (!live) throw new HubError('NOT_FOUND', 'There is no sign-in with this id.')
      await signIns.revoke([signInId], 'removed')
      await retire(live.userId)
    },
    async disableUser(userId) {
      const user = existing(users, userId)
      if (user.role === 'owner' && enabledOwners() === 1 && !user.disabled) {
        throw new HubError('CONFLICT', 'This is the only owner. Make another owner first.')
      }
      await users.change(userId, { disabledAtMs: clock.now() })
      await signOut(userId, 'disabled')
    },
    async setPassword(name, password) {
      const user =
        users.byLoginName(name) ?? users.all().find((one) => signInName(one.name) === signInName(name))
      const { id } = existing(users, user?.id ?? '')
      passwords.check(password, name)
      await users.change(id, { passwordHash: await passwords.hash(password) })
      await signOut(id, 'password')
    },
  }
}

function existing(users: Users, id: string): StoredUser {
  const user = users.get(id)
  if (!user) throw new HubError('NOT_FOUND', 'There is no such user. See: homefield user list')
  return user
}
