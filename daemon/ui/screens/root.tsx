/** Chooses what a person sees: the way in, or the app's screens by address. */
import type { JSX } from 'preact'
import { type App, hasRole, isOwner, useApp } from '../app.ts'
import { Skeleton } from '../parts/feedback.tsx'
import { Screen } from '../parts/screen.tsx'
import { match, type Place } from '../router.ts'
import { WALL_KEY } from '../state/pairing.ts'
import { Home } from './home.tsx'
import { lazy } from './lazy.tsx'
import { Nowhere } from './nowhere.tsx'
import { Entrance, Shell } from './shell.tsx'
import { Unreachable } from './unreachable.tsx'

const manage = () => import('./manage.ts')
const arrive = () => import('./arrive.ts')
const Person = lazy(async () => (await import('./person.tsx')).Person)
const People = lazy(async () => (await manage()).People)
const EditPerson = lazy(async () => (await manage()).EditPerson)
const Devices = lazy(async () => (await manage()).Devices)
const DeviceDetail = lazy(async () => (await manage()).DeviceDetail)
const AddDevice = lazy(async () => (await manage()).AddDevice)
const Pair = lazy(async () => (await manage()).Pair)
const More = lazy(async () => (await manage()).More)
const Sharing = lazy(async () => (await manage()).Sharing)
const Account = lazy(async () => (await manage()).Account)
const About = lazy(async () => (await manage()).About)
const FirstChild = lazy(async () => (await manage()).FirstChild)
const FirstWatch = lazy(async () => (await manage()).FirstWatch)
const Claim = lazy(async () => (await arrive()).Claim)
const Join = lazy(async () => (await arrive()).Join)
const Wall = lazy(async () => (await import('../areas/wall/wall.tsx')).Wall)
const SignIn = lazy(async () => (await arrive()).SignIn)

/** An area brings its own screens, words and addresses, all loaded when it is first opened. */
const AREAS: readonly {
  prefix: string
  /** Null: everybody's, without the hub too. */
  roles: readonly string[] | null
  Area: (props: Place) => JSX.Element
}[] = [
  {
    prefix: '/training',
    roles: null,
    Area: lazy(async () => (await import('../areas/training/area.tsx')).Training),
  },
  {
    prefix: '/health',
    roles: null,
    Area: lazy(async () => (await import('../areas/health/area.tsx')).Health),
  },
  {
    prefix: '/alerts',
    roles: null,
    Area: lazy(async () => (await import('../areas/alerts/area.tsx')).Alerts),
  },
  {
    prefix: '/more/cloud',
    roles: ['owner'],
    Area: lazy(async () => (await import('../areas/sync/area.tsx')).Cloud),
  },
  {
    prefix: '/more/system',
    roles: ['owner'],
    Area: lazy(async () => (await import('../areas/system/area.tsx')).System),
  },
  {
    prefix: '/more/privacy',
    roles: null,
    Area: lazy(async () => (await import('../areas/privacy/area.tsx')).Privacy),
  },
]

interface Route {
  pattern: string
  owner?: true
  draw(params: Record<string, string>, query: URLSearchParams): JSX.Element
}

const ROUTES: readonly Route[] = [
  { pattern: '/', draw: () => <Home /> },
  { pattern: '/p/:id', draw: ({ id = '' }) => <Person key={id} id={id} metric={null} /> },
  {
    pattern: '/p/:id/:metric',
    draw: ({ id = '', metric = '' }) => <Person key={id} id={id} metric={metric} />,
  },
  { pattern: '/people', draw: () => <People /> },
  { pattern: '/people/new', owner: true, draw: () => <EditPerson id={null} /> },
  { pattern: '/people/:id', owner: true, draw: ({ id = '' }) => <EditPerson key={id} id={id} /> },
  { pattern: '/devices', draw: () => <Devices /> },
  {
    pattern: '/devices/new',
    owner: true,
    draw: (_params, query) => <AddDevice personId={query.get('person')} />,
  },
  { pattern: '/devices/:id', draw: ({ id = '' }) => <DeviceDetail key={id} id={id} /> },
  { pattern: '/pair', owner: true, draw: () => <Pair /> },
  { pattern: '/more', draw: () => <More /> },
  { pattern: '/more/sharing', draw: () => <Sharing /> },
  { pattern: '/more/account', draw: () => <Account /> },
  { pattern: '/more/about', draw: () => <About /> },
]

export function Root(): JSX.Element {
  const app = useApp()
  const session = app.session.state.value
  const { path, query } = app.router.place.value
  // A wall tablet is nobody's, and shows what it knows with and without the hub.
  if (path === '/wall' && localStorage.getItem(WALL_KEY) !== null) return <Wall />
  const remembered = app.household.cachedAtMs.value !== null
  if (session.kind === 'starting') {
    if (!remembered) return <Starting />
    // The same frame and Home stay when the answer comes, so nothing that has focus is drawn anew.
    return <Shell>{path === '/' ? <Home /> : <Waiting />}</Shell>
  }
  if (session.kind === 'unclaimed') return <Claim welcome={session.welcome} />
  if (path === '/join') return <Join />
  if (session.kind === 'signed-out') return <SignIn welcome={session.welcome} why={session.why} />
  if (session.kind === 'unreachable' && !remembered) return <Unreachable />
  if (path === '/welcome/child') return <FirstChild />
  if (path === '/welcome/watch') return <FirstWatch personId={query.get('person')} />
  if (path === '/wall') return <Wall />
  return <Shell>{screenAt(app, path, query)}</Shell>
}

function screenAt(app: App, path: string, query: URLSearchParams): JSX.Element {
  for (const route of ROUTES) {
    const params = match(route.pattern, path)
    if (params) return route.owner && !isOwner(app) ? <Nowhere /> : route.draw(params, query)
  }
  const area = AREAS.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
  return area && (area.roles === null || hasRole(app, area.roles)) ? (
    <area.Area path={path} query={query} />
  ) : (
    <Nowhere />
  )
}

/** While the hub is asked who this is: Home as it was; the other screens need an answer first. */
function Waiting(): JSX.Element {
  const { t } = useApp()
  return (
    <Screen title={t('state.loading')}>
      <Skeleton rows={2} tall />
    </Screen>
  )
}

function Starting(): JSX.Element {
  return (
    <Entrance>
      <Skeleton rows={2} />
    </Entrance>
  )
}
