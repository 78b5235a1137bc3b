/** What every screen may use, handed down by context instead of by imports of singletons. */
import type { ReadonlySignal, Signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext, useMemo } from 'preact/hooks'
import type { Alert } from '../domain/alert.ts'
import type { Format } from './i18n/format.ts'
import { type Catalogue, createTranslate, type Translate, type TranslateOf } from './i18n/translate.ts'
import type { Welcome } from './net/answers.ts'
import type { Api } from './net/api.ts'
import type { Session } from './net/session.ts'
import type { Outbox } from './offline/outbox.ts'
import type { Updates } from './offline/updates.ts'
import type { Vault } from './offline/vault.ts'
import type { Router } from './router.ts'
import type { Following } from './state/following.ts'
import type { Household } from './state/household.ts'
import type { HubClock } from './state/hub-clock.ts'
import type { Link } from './state/link.ts'
import type { Pairing } from './state/pairing.ts'
import type { Units } from './state/units.ts'

export interface App {
  t: Translate
  locale: string
  format: Format
  router: Router
  api: Api
  session: Session
  household: Household
  pairing: Pairing
  clock: HubClock
  link: Link
  /** Live topics of the screen that is open. */
  following: Following
  /** Alerts that call for somebody, worst first. */
  openAlerts: Signal<readonly Alert[]>
  updates: Updates
  /** The last known state of screens, sealed; forgotten with the sign-in. */
  vault: Vault
  /** What waits to be told to the hub; its code comes when first asked for. */
  outbox: () => Promise<Outbox>
  /** What the hub says to everybody: its name, version, certificate; null until it was asked. */
  welcome: ReadonlySignal<Welcome | null>
  /** The hub's name for the shell, from the welcome or the cache. */
  hubName: ReadonlySignal<string>
  /** One-time token of the address that this device was opened with, until it is used. */
  joinToken: Signal<string | null>
  /** One short sentence at the bottom, read aloud; it replaces the one before. */
  said: Signal<string>
  /** What glucose is read in. */
  units: Units
  /** This device's zone, where no person's zone applies. */
  zone: string
}

export const AppContext = createContext<App | null>(null)

export function useApp(): App {
  const app = useContext(AppContext)
  if (!app) throw new Error('a screen was drawn outside of the app')
  return app
}

/** The words of one area, which are loaded with its screens and not before. */
export function useWords<C extends Catalogue>(words: C): TranslateOf<C> {
  const { locale } = useApp()
  return useMemo(() => createTranslate(words, locale), [words, locale])
}

export function isOwner({ session }: App): boolean {
  const state = session.state.value
  return state.kind === 'signed-in' && state.user.role === 'owner'
}

/** Whether the signed-in person has one of these roles. */
export function hasRole({ session }: App, roles: readonly string[]): boolean {
  const state = session.state.value
  return state.kind === 'signed-in' && roles.includes(state.user.role)
}
