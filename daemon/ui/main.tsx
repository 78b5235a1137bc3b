/** Starts the app: makes every part with the browser's real means, wires them, draws. */
import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { type App, AppContext } from './app.ts'
import { createFormat } from './i18n/format.ts'
import { translateFor } from './i18n/translate.ts'
import type { Welcome } from './net/answers.ts'
import { createApi } from './net/api.ts'
import { createSession } from './net/session.ts'
import { createSocket, type Wire } from './net/socket.ts'
import type { Outbox } from './offline/outbox.ts'
import { createUpdates } from './offline/updates.ts'
import { createVault } from './offline/vault.ts'
import { createRouter } from './router.ts'
import { Root } from './screens/root.tsx'
import { createFollowing } from './state/following.ts'
import { createHousehold, type Snapshot } from './state/household.ts'
import { createHubClock } from './state/hub-clock.ts'
import { createLink } from './state/link.ts'
import { createPairing, readJoinFragment } from './state/pairing.ts'
import { createUnits } from './state/units.ts'

const GLUCOSE_UNIT = 'homefield.glucose-unit'
const KNOWN = 'homefield.signed-in'
const SNAPSHOT = 'household'
const SAVE_SOON_MS = 1_500
const SAVE_EVERY_MS = 10_000
const RETRY_START_MS = 5_000
/** The hub takes 64 topics from one client; whoever is beyond is fetched when opened. */
const PEOPLE_FOLLOWED = 60

function start(root: HTMLElement): void {
  const nowMs = () => Date.now()
  const later = (run: () => void, ms: number) => void setTimeout(run, ms)
  const { t, locale } = translateFor(navigator.languages)
  const clock = createHubClock({
    nowMs,
    setInterval: (run, ms) => window.setInterval(run, ms),
    clearInterval: (id) => window.clearInterval(id),
  })
  const link = createLink({ nowMs, later })
  const vault = createVault(window.indexedDB, window.crypto)
  const hubName = signal('Homefield')
  const welcome = signal<Welcome | null>(null)
  let opened: Promise<Outbox> | null = null
  const joinToken = signal<string | null>(readJoinFragment(window.location.hash)?.token ?? null)

  const session = createSession({
    api: () => api,
    memory: {
      has: knownHere,
      set: (known) => (known ? localStorage.setItem(KNOWN, 'yes') : localStorage.removeItem(KNOWN)),
    },
    exclusively: exclusively('homefield-refresh'),
    nowMs,
    async forget() {
      socket.stop()
      household.clear()
      pairing.requests.clear()
      app.openAlerts.value = []
      await vault.wipe()
    },
  })
  const api = createApi({
    fetch: (...request) => fetch(...request),
    newId: () => crypto.randomUUID(),
    timeout: (ms) => AbortSignal.timeout(ms),
    token: session.token,
    renew: session.renew,
    prove: async () => (await import('./areas/privacy/step-up.tsx')).askPassword(app),
    onHubTime: clock.heard,
    onReachable: link.reachable,
  })
  const household = createHousehold({ api, nowMs: clock.nowMs, later })
  const pairing = createPairing(api)
  const units = createUnits({
    api,
    memory: {
      read: () => localStorage.getItem(GLUCOSE_UNIT),
      write: (unit) => localStorage.setItem(GLUCOSE_UNIT, unit),
    },
  })
  const following = createFollowing()
  const socket = createSocket({
    open: (protocols) => wireTo(protocols),
    token: session.freshToken,
    timers: {
      set: (run, ms) => window.setTimeout(run, ms),
      clear: (id) => window.clearTimeout(id),
      nowMs,
    },
    random: Math.random,
    onEvent(event) {
      if (event.topic === 'pairing') void pairing.requests.reload()
      else household.apply(event)
      following.hear(event)
    },
    onGap(topic) {
      if (topic === 'pairing') void pairing.requests.reload()
      else household.refetch(topic)
      following.gap(topic)
    },
    onState: link.socket,
    onRevoked: () => void session.end(),
  })
  const router = createRouter({
    location: window.location,
    history: window.history,
    onPop: (listener) => window.addEventListener('popstate', listener),
  })
  const updates = createUpdates({
    workers: navigator.serviceWorker as ServiceWorkerContainer | undefined,
    trustedTypes: (window as { trustedTypes?: Parameters<typeof createUpdates>[0]['trustedTypes'] })
      .trustedTypes,
    reload: () => window.location.reload(),
  })
  const app: App = {
    t,
    locale,
    format: createFormat(locale, t, () => units.glucose.value),
    units,
    router,
    api,
    session,
    household,
    pairing,
    clock,
    link,
    following,
    openAlerts: signal([]),
    updates,
    vault,
    outbox,
    welcome,
    hubName,
    joinToken,
    said: signal(''),
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  }

  followSession()
  followHousehold()
  rememberHousehold()
  followWindow()
  // The one-time token leaves the address bar and the history before anything else happens.
  if (joinToken.peek() !== null) router.go('/join', { replace: true })
  root.replaceChildren()
  render(
    <AppContext.Provider value={app}>
      <Root />
    </AppContext.Provider>,
    root,
  )
  if (knownHere()) void recall()
  void session.start()
  void updates.start()

  function outbox(): Promise<Outbox> {
    opened ??= import('./offline/outbox.ts').then(({ openOutbox }) =>
      openOutbox({
        ...{ vault, api, later, nowMs: clock.nowMs, newId: () => crypto.randomUUID() },
        exclusively: exclusively('homefield-outbox'),
        who: () => session.state.value.kind,
        touch: () => link.state.value.kind,
      }),
    )
    opened.catch(() => {
      opened = null
    })
    return opened
  }

  function knownHere(): boolean {
    return localStorage.getItem(KNOWN) === 'yes'
  }

  /** What is shown follows who is signed in. */
  function followSession(): void {
    let shown = ''
    effect(() => {
      const state = session.state.value
      const who = state.kind === 'signed-in' ? state.user.id : state.kind
      if (who === shown) return
      shown = who
      if (state.kind === 'signed-in') {
        void household.load()
        // Without it values are read as last time.
        units.load().catch(() => undefined)
        // What was written down before is sent by itself.
        outbox().catch(() => undefined)
        if (state.user.role === 'owner') void pairing.requests.reload()
        // Without it the shell says less; nothing depends on it.
        void api.get<Welcome>('/welcome', { auth: 'none' }).then(greet, () => undefined)
      } else if (state.kind === 'unreachable') {
        retryStart()
      } else if ('welcome' in state) greet(state.welcome)
    })
  }

  function greet(found: Welcome): void {
    welcome.value = found
    hubName.value = found.hub_name
  }

  /** Ends when the hub answers, whatever it says. */
  function retryStart(): void {
    later(() => {
      void session.start().then(() => {
        if (session.state.peek().kind === 'unreachable') retryStart()
      })
    }, RETRY_START_MS)
  }

  /** The last known state stands on screen before the hub has answered, and stays if it does not. */
  async function recall(): Promise<void> {
    const snapshot = await vault.read<Snapshot>(SNAPSHOT)
    const { kind } = session.state.peek()
    if (!snapshot || (kind !== 'starting' && kind !== 'unreachable')) return
    hubName.value = snapshot.hubName
    household.restore(snapshot)
  }

  function followHousehold(): void {
    effect(() => {
      const state = session.state.value
      const people = household.people.state.value.value
      if (state.kind !== 'signed-in' || people === null) return
      const own = state.user.role === 'owner' ? ['edge', 'pairing'] : ['edge']
      const shown = following.topics.value
      const followed = people.slice(0, PEOPLE_FOLLOWED - shown.length).map(({ id }) => `person:${id}`)
      socket.want([...new Set([...own, ...shown, ...followed])])
    })
  }

  /** Writes soon after a change and seldom while values stream in; at once when the app goes to the background. */
  function rememberHousehold(): void {
    let savedAtMs = 0
    let planned = false
    effect(() => {
      const known = household.changes.value > 0 || household.devices.state.value.value !== null
      if (!known || planned || session.state.peek().kind !== 'signed-in') return
      planned = true
      later(save, Math.max(SAVE_SOON_MS, savedAtMs + SAVE_EVERY_MS - nowMs()))
    })
    document.addEventListener('visibilitychange', save)

    function save(): void {
      planned = false
      const ready = household.people.state.peek().value !== null && household.cachedAtMs.peek() === null
      if (session.state.peek().kind !== 'signed-in' || !ready) return
      savedAtMs = nowMs()
      // Without space or in a private window there is no cache; nothing else depends on it.
      vault.write(SNAPSHOT, household.snapshot(hubName.peek())).catch(() => undefined)
    }
  }

  function followWindow(): void {
    const seen = () => document.visibilityState === 'visible'
    clock.run(seen())
    document.addEventListener('visibilitychange', () => {
      clock.run(seen())
      if (!seen()) return
      wake()
      updates.check()
    })
    window.addEventListener('online', wake)
  }

  function wake(): void {
    const { kind } = session.state.peek()
    if (kind === 'unreachable') void session.start()
    else if (kind === 'signed-in') socket.wake()
  }
}

/** Runs in one tab at a time, where the browser can tell tabs apart. */
function exclusively(name: string) {
  return <Result,>(run: () => Promise<Result>): Promise<Result> =>
    'locks' in navigator ? navigator.locks.request(name, run) : run()
}

function wireTo(protocols: string[]): Wire {
  const url = new URL('/api/v1/ws', window.location.href)
  url.protocol = 'wss:'
  return new WebSocket(url, protocols) as Wire
}

const root = document.getElementById('app')
if (root) start(root)
