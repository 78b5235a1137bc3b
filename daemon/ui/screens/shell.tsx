/** What stays while screens change: the tabs or the rail, notices from the hub, and the sentence read aloud. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { isOwner, useApp } from '../app.ts'
import type { Key } from '../i18n/translate.ts'
import { Notice } from '../parts/feedback.tsx'
import { Icon, type IconName, Logo } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { useArrival } from '../parts/screen.tsx'
import { Door } from './door.tsx'
import { lazyPart } from './lazy.tsx'

interface Tab {
  to: string
  icon: IconName
  word: Key
  under: string[]
}

/** More do not fit on a phone: devices are found under More. */
const TABS: readonly Tab[] = [
  { to: '/', icon: 'home', word: 'nav.home', under: ['/', '/p'] },
  { to: '/people', icon: 'people', word: 'nav.people', under: ['/people'] },
  { to: '/training', icon: 'camera', word: 'nav.training', under: ['/training'] },
  { to: '/alerts', icon: 'warning', word: 'nav.alerts', under: ['/alerts'] },
  { to: '/more', icon: 'more', word: 'nav.more', under: ['/more', '/devices', '/pair'] },
]

/** How long a spoken sentence stays at the bottom. */
const SAID_MS = 2500

export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  const app = useApp()
  const { t, router, hubName } = app
  const { path } = router.place.value
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {t('nav.skip')}
      </a>
      <nav class="tabs" aria-label={t('nav.label')}>
        <div class="rail-head">
          <Logo size={34} />
          <span>{hubName}</span>
        </div>
        {TABS.map((tab) => (
          <Link
            key={tab.to}
            to={tab.to}
            class="tab"
            aria-current={isUnder(tab.under, path) ? 'page' : undefined}
          >
            <Icon name={tab.icon} />
            <span>{t(tab.word as 'nav.home')}</span>
            {tab.to === '/alerts' && <Calling />}
          </Link>
        ))}
      </nav>
      <div class="stage">
        <div class="notices">
          {isOwner(app) && path !== '/pair' && <Door />}
          <LinkNotice />
          <UpdateNotice />
          {app.session.state.value.kind === 'signed-in' && <Alarm />}
          {app.session.state.value.kind === 'signed-in' && isOwner(app) && <HubBanner />}
        </div>
        {children}
      </div>
      <Said />
    </div>
  )
}

/** How many alerts call for somebody. */
function Calling(): JSX.Element | null {
  const { t, openAlerts } = useApp()
  const count = openAlerts.value.length
  return count === 0 ? null : (
    <span class="count">
      {count}
      <span class="visually-hidden"> {t('nav.open')}</span>
    </span>
  )
}

/** Rings from its own piece of code, fetched behind the first screen; it is precached, so it is there without the hub. */
const Alarm = lazyPart(
  async () => (await import('../areas/alerts/alarm.tsx')).Alarm,
  () => <></>,
)

/** What owners ought to know wherever they are; it comes the same way. */
const HubBanner = lazyPart(
  async () => (await import('../areas/system/banner.tsx')).HubBanner,
  () => <></>,
)

/** The frame of everything before signing in. */
export function Entrance({ children, title }: { children: ComponentChildren; title?: string }): JSX.Element {
  const { hubName } = useApp()
  const main = useArrival()
  useEffect(() => {
    document.title = `${title ?? 'Homefield'} · ${hubName.value}`
  }, [title, hubName.value])
  return (
    <div class="entrance">
      <div class="entrance-head">
        <Logo size={52} />
        <p class="entrance-hub">{hubName}</p>
      </div>
      <main ref={main} id="main" class="entrance-main" tabIndex={-1}>
        {title !== undefined && <h1>{title}</h1>}
        {children}
      </main>
      <Said />
    </div>
  )
}

function isUnder(prefixes: readonly string[], path: string): boolean {
  return prefixes.some((prefix) => path === prefix || (prefix !== '/' && path.startsWith(`${prefix}/`)))
}

function LinkNotice(): JSX.Element | null {
  const { t, format, link, household, session, clock, zone } = useApp()
  const state = link.state.value
  if (session.state.value.kind === 'starting') return null
  const cachedAtMs = household.cachedAtMs.value
  const atMs = cachedAtMs ?? (state.kind === 'lost' ? state.sinceMs : null)
  if (atMs === null) return null
  return (
    <Notice tone="watch" icon="offline" live>
      <strong>{t('link.lost')}</strong>{' '}
      {t('link.lostSince', { when: format.moment(atMs, zone, clock.nowMs()) })}
    </Notice>
  )
}

function UpdateNotice(): JSX.Element | null {
  const { t, updates } = useApp()
  if (updates.state.value !== 'new-version') return null
  return (
    <Notice
      tone="plain"
      icon="refresh"
      live
      action={
        <button type="button" class="button compact" onClick={() => updates.apply()}>
          {t('update.apply')}
        </button>
      }
    >
      {t('update.ready')}
    </Notice>
  )
}

function Said(): JSX.Element {
  const { said } = useApp()
  const shown = useSignal('')
  const sentence = said.value
  useEffect(() => {
    shown.value = sentence
    if (sentence === '') return
    const timer = setTimeout(() => {
      said.value = ''
    }, SAID_MS)
    return () => clearTimeout(timer)
  }, [sentence])
  return (
    <div class={shown.value === '' ? 'said' : 'said shown'} role="status" aria-live="polite">
      {shown}
    </div>
  )
}
