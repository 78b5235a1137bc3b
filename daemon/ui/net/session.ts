/** Who is signed in: the access token lives here and nowhere else, the refresh token in a cookie that no script reads. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { SignedInUser, Tokens, Welcome } from './answers.ts'
import { type Api, ApiError } from './api.ts'

export type SessionState =
  | { kind: 'starting' }
  /** The hub does not answer, so nobody can say; last known values may be shown. */
  | { kind: 'unreachable' }
  | { kind: 'unclaimed'; welcome: Welcome }
  | { kind: 'signed-out'; welcome: Welcome; why: 'never' | 'left' | 'ended' }
  | { kind: 'signed-in'; user: SignedInUser }

export interface ClaimForm {
  claim_code: string
  name: string
  password: string
  hub_name?: string
  timezone?: string
}

export interface Session {
  state: ReadonlySignal<SessionState>
  /** Looks who is there; called again while the hub was unreachable. */
  start(): Promise<void>
  claim(form: ClaimForm): Promise<void>
  signIn(nameOrEmail: string, password: string): Promise<void>
  /** Takes the tokens that an approved pairing handed over. */
  adopt(tokens: Tokens): Promise<void>
  signOut(): Promise<void>
  /** The hub took this device's access away, or the sign-in ran out. */
  end(): Promise<void>
  token(): string | null
  /** A token good for at least half a minute; null when signed out. */
  freshToken(force: boolean): Promise<string | null>
  /** Single flight; false when the hub refuses. */
  renew(): Promise<boolean>
}

export interface SessionDeps {
  /** Set once the API exists; the two need each other. */
  api: () => Api
  /** Remembers, without any secret, that this browser has a refresh cookie worth trying. */
  memory: { has(): boolean; set(known: boolean): void }
  /** One tab at a time spends the refresh token. */
  exclusively: <Result>(run: () => Promise<Result>) => Promise<Result>
  nowMs: () => number
  /** Wipes what this browser keeps about the household. */
  forget: () => Promise<void>
}

const COOKIE = { 'x-homefield-cookie': '1' }
const OPEN = { auth: 'none', headers: COOKIE } as const
const SPARE_MS = 30_000

export function createSession({ api, memory, exclusively, nowMs, forget }: SessionDeps): Session {
  const state = signal<SessionState>({ kind: 'starting' })
  let access: { token: string; untilMs: number } | null = null
  let renewing: Promise<boolean> | null = null

  const session: Session = {
    state,
    async start() {
      try {
        if (memory.has() && (await session.renew())) return
        await lookAround('never')
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        if (state.peek().kind === 'starting') state.value = { kind: 'unreachable' }
      }
    },
    async claim(form) {
      await keep(await api().post<Tokens>('/claim', form, OPEN))
    },
    async signIn(nameOrEmail, password) {
      const who = nameOrEmail.includes('@') ? { email: nameOrEmail } : { name: nameOrEmail }
      await keep(await api().post<Tokens>('/auth/login', { ...who, password }, OPEN))
    },
    adopt: keep,
    async signOut() {
      await api()
        .post('/auth/logout', {}, { headers: COOKIE })
        .catch(() => undefined)
      await leave('left')
    },
    end: () => leave('ended'),
    token: () => access?.token ?? null,
    async freshToken(force) {
      if (!force && access && access.untilMs - SPARE_MS > nowMs()) return access.token
      if (state.peek().kind !== 'signed-in') return null
      return (await session.renew()) ? (access?.token ?? null) : null
    },
    renew() {
      renewing ??= exclusively(spendRefresh).finally(() => {
        renewing = null
      })
      return renewing
    },
  }
  return session

  async function spendRefresh(): Promise<boolean> {
    try {
      await keep(await api().post<Tokens>('/auth/refresh', {}, OPEN))
      return true
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error
      if (state.peek().kind === 'signed-in') await leave('ended')
      else {
        memory.set(false)
        await forget()
      }
      return false
    }
  }

  /** Moves a refresh token that came in a body into the cookie at once, so that no script keeps it. */
  async function keep(tokens: Tokens): Promise<void> {
    if (tokens.refresh_token !== undefined) {
      const again = await api().post<Tokens>('/auth/refresh', { refresh_token: tokens.refresh_token }, OPEN)
      if (again.refresh_token === undefined) return keep(again)
    }
    access = { token: tokens.access_token, untilMs: nowMs() + tokens.expires_in * 1000 }
    memory.set(true)
    const before = state.peek()
    if (before.kind === 'signed-in' && before.user.id === tokens.user.id) return
    state.value = { kind: 'signed-in', user: tokens.user }
  }

  async function leave(why: 'left' | 'ended'): Promise<void> {
    access = null
    memory.set(false)
    await forget()
    try {
      await lookAround(why)
    } catch {
      state.value = { kind: 'unreachable' }
    }
  }

  async function lookAround(why: 'never' | 'left' | 'ended'): Promise<void> {
    const welcome = await api().get<Welcome>('/welcome', { auth: 'none' })
    state.value = welcome.claimed ? { kind: 'signed-out', welcome, why } : { kind: 'unclaimed', welcome }
  }
}
