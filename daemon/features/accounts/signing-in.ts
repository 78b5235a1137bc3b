/** Signing in, staying signed in and signing out; who a request comes from. */
import type { Actor, Grant } from '../../domain/access.ts'
import type { Tokens } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import { ACCESS_TOKEN_S, type AccessTokens } from './access-tokens.ts'
import { createLoginGuard } from './login-guard.ts'
import type { Passwords } from './passwords.ts'
import { type NewSignIn, type SignIns, tooMany } from './sign-ins.ts'
import { type StoredUser, signInName, type Users } from './users.ts'

export interface SigningIn {
  login(who: Who, password: string, address: string): Promise<Tokens>
  refresh(token: string): Promise<Tokens>
  /** Ends the sign-in behind an access or refresh token; a token that means nothing has nothing to end. */
  logout(tokens: { access: string | null; refresh: string | null }): Promise<void>
  /** Prepares a sign-in and the tokens that go with it. */
  plan(
    user: Pick<StoredUser, 'id' | 'name' | 'role' | 'personId'>,
    how: Omit<NewSignIn, 'userId'>,
  ): Promise<Plan<Tokens>>
  /** As `plan`, done. */
  signIn(user: StoredUser, how: Omit<NewSignIn, 'userId'>): Promise<Tokens>
  fromBearer(token: string): Promise<Actor>
  actorOf(signInId: string): Actor | null
  /**
   * Takes the password again for what is dangerous; throws FORBIDDEN. A phone that came by pairing has none: `name` says whose it
   * is, and only an owner's counts there.
   */
  prove(actor: Actor, given: { password: string; name?: string }, address: string): Promise<void>
  /** Whether this sign-in gave a password within the last five minutes. */
  isProven(signInId: string): boolean
}

/** How long a password counts. */
export const PROOF_MS = 5 * 60_000

export interface Who {
  name?: string
  email?: string
}

export interface SigningInDeps {
  store: Store
  clock: Clock
  users: Users
  signIns: SignIns
  accessTokens: AccessTokens
  passwords: Passwords
  grantsOf: (userId: string) => readonly Grant[]
}

export function createSigningIn(deps: SigningInDeps): SigningIn {
  const { store, users, signIns, accessTokens, passwords } = deps
  const guard = createLoginGuard(deps.clock)
  const proofs = createProofs(deps.clock, signIns)

  async function tokens(user: TokenUser, signInId: string, refreshToken: string): Promise<Tokens> {
    return {
      access_token: await accessTokens.issue({ userId: user.id, signInId }),
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: ACCESS_TOKEN_S,
      user: { id: user.id, name: user.name, role: user.role, person_id: user.personId },
    }
  }

  async function plan(user: TokenUser, how: Omit<NewSignIn, 'userId'>): Promise<Plan<Tokens>> {
    const { result, writes, committed } = signIns.plan({ userId: user.id, ...how })
    return {
      result: await tokens(user, result.signInId, result.refreshToken),
      writes,
      committed() {
        committed()
        if (!how.paired) proofs.add(result.signInId)
      },
    }
  }

  async function signIn(
    user: StoredUser,
    how: Omit<NewSignIn, 'userId'>,
    only: readonly Write[] = [],
  ): Promise<Tokens> {
    await signIns.revoke(tooMany(signIns.all(), user.id), 'limit')
    const planned = await plan(user, how)
    await store.write([...only, ...planned.writes])
    planned.committed()
    return planned.result
  }

  async function rehashed(userId: string, old: string, password: string): Promise<string> {
    const passwordHash = await passwords.hash(password)
    if (users.get(userId)?.passwordHash !== old) throw wrong()
    await users.change(userId, { passwordHash })
    return passwordHash
  }

  function actorOf(signInId: string): Actor | null {
    const live = signIns.live(signInId)
    const user = live && users.get(live.userId)
    if (!user || user.disabled) return null
    const { id: userId, role, personId } = user
    return { kind: 'user', userId, signInId, role, personId, grants: deps.grantsOf(userId) }
  }

  return {
    plan,
    signIn,
    actorOf,
    isProven: proofs.has,
    async login(who, password, address) {
      const right = guard.enter(signInName(who.name ?? who.email ?? ''), address)
      const user = who.name === undefined ? users.byEmail(who.email ?? '') : users.byLoginName(who.name)
      const hash = user && !user.disabled ? user.passwordHash : null
      const isRight = await passwords.verify(hash, password)
      if (!user || hash === null || !isRight) throw wrong()
      right()
      const kept = passwords.isOutdated(hash) ? await rehashed(user.id, hash, password) : hash
      return signIn(user, { deviceName: null, paired: false }, [stillHas(user.id, kept)]).catch(
        (cause: unknown) => {
          throw cause instanceof HubError && cause.code === 'CONFLICT' ? wrong() : cause
        },
      )
    },
    async prove(actor, { password, name }, address) {
      const self = actor.kind === 'user' ? users.get(actor.userId) : undefined
      if (actor.kind !== 'user' || !self) throw wrongProof()
      const prover = name === undefined ? self : users.byLoginName(name)
      const right = guard.enter(prover?.loginName ?? signInName(name ?? self.id), address)
      const counts = prover && !prover.disabled && (prover.id === self.id || isOwners(prover, self))
      if (!(await passwords.verify(counts ? prover.passwordHash : null, password))) throw wrongProof()
      right()
      proofs.add(actor.signInId)
    },
    async refresh(token) {
      const { signIn: live, refreshToken } = await signIns.refresh(token)
      const user = users.get(live.userId)
      if (!user || user.disabled) throw ended()
      return tokens(user, live.id, refreshToken)
    },
    async logout({ access, refresh }) {
      const claims = access === null ? null : await accessTokens.read(access).catch(() => null)
      const ids = [claims?.signInId, refresh === null ? undefined : signIns.ofToken(refresh)?.id]
      const own = [...new Set(ids)].filter((id) => id !== undefined && signIns.live(id) !== undefined)
      await signIns.revoke(
        own.filter((id) => id !== undefined),
        'logout',
      )
    },
    async fromBearer(token) {
      const claims = await accessTokens.read(token)
      const actor = actorOf(claims.signInId)
      if (actor?.kind !== 'user' || actor.userId !== claims.userId) throw ended()
      return actor
    },
  }
}

/** Where somebody has no password of their own, an owner stands by with theirs; it opens no more than that somebody may do. */
function isOwners(prover: StoredUser, self: StoredUser): boolean {
  return self.passwordHash === null && prover.role === 'owner'
}

/** When each live sign-in last gave a password; in memory only, so that a restart asks again. */
function createProofs({ monotonic }: Clock, signIns: SignIns) {
  const at = new Map<string, number>()
  signIns.onRevoked((signInId) => void at.delete(signInId))
  const isFresh = (givenAtMs: number | undefined) =>
    givenAtMs !== undefined && monotonic() - givenAtMs < PROOF_MS
  return {
    add(signInId: string) {
      for (const [id, givenAtMs] of at) if (!isFresh(givenAtMs)) at.delete(id)
      at.set(signInId, monotonic())
    },
    has: (signInId: string) => isFresh(at.get(signInId)),
  }
}

/** Not 401: the sign-in itself is good, and programs would renew their token. */
function wrongProof(): HubError {
  return new HubError(
    'FORBIDDEN',
    'This is not the right password. A phone that came by pairing has none: send the name and password of an owner.',
  )
}

/** Checking takes a while: fails the unit when the password was changed or the user disabled meanwhile. */
function stillHas(userId: string, hash: string): Write {
  return {
    sql: `UPDATE user SET password_hash = :hash WHERE id = :userId AND password_hash = :hash AND disabled_at IS NULL`,
    params: { userId, hash },
    expect: 1,
  }
}

type TokenUser = Pick<StoredUser, 'id' | 'name' | 'role' | 'personId'>

/** The same words for a wrong password and an unknown name. */
function wrong(): HubError {
  return new HubError('UNAUTHENTICATED', 'Name and password do not match. Check both and try again.')
}

function ended(): HubError {
  return new HubError('UNAUTHENTICATED', 'This sign-in has ended. Sign in again.')
}
