/** Days, nights, glucose and what a person notes down: the screens about one person's health. */
import type { ComponentType, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../../app.ts'
import type { Person } from '../../net/answers.ts'
import { ApiError } from '../../net/api.ts'
import { Failed, Show, Skeleton } from '../../parts/feedback.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen } from '../../parts/screen.tsx'
import { match, type Place } from '../../router.ts'
import { lazy, lazyPart } from '../../screens/lazy.tsx'
import { Nowhere } from '../../screens/nowhere.tsx'
import { HealthContext, useSay } from './health.ts'
import { addressOf, SCREENS, type ScreenName } from './screens.ts'

const note = () => import('./note/note.ts')
const bring = () => import('./bring/bring.ts')

const WhoopBack = lazy(async () => (await bring()).WhoopBack)
const PARTS: Readonly<Record<ScreenName, ComponentType>> = {
  day: lazyPart(async () => (await import('./day/day.tsx')).Day),
  calendar: lazyPart(async () => (await import('./calendar/calendar.tsx')).Calendar),
  glucose: lazyPart(async () => (await import('./glucose/glucose-day.tsx')).GlucoseDay),
  report: lazyPart(async () => (await import('./glucose/report.tsx')).GlucoseReport),
  sleep: lazyPart(async () => (await import('./sleep/sleep.tsx')).Sleep),
  'check-in': lazyPart(async () => (await note()).CheckIn),
  meal: lazyPart(async () => (await note()).MealEntry),
  activity: lazyPart(async () => (await note()).ActivityEntry),
  overload: lazyPart(async () => (await import('./overload/overload.tsx')).OverloadPage),
  compare: lazyPart(async () => (await import('./explore/explore.tsx')).Explore),
  import: lazyPart(async () => (await bring()).Imports),
  whoop: lazyPart(async () => (await bring()).Whoop),
}

export function Health({ path, query }: Place): JSX.Element {
  const { t, household } = useApp()
  if (match('/health', path) && query.has('whoop')) return <WhoopBack />
  const params = match('/health/:person/:screen', path) ?? match('/health/:person', path)
  const name = SCREENS.find((screen) => screen === (params?.['screen'] ?? 'day'))
  if (!params || name === undefined) return <Nowhere />
  return (
    <Show
      of={household.people}
      loading={
        <Screen title={t('state.loading')} back="/">
          <Skeleton rows={2} tall />
        </Screen>
      }
    >
      {(people) => {
        const person = people.find(({ id }) => id === params['person'])
        return person ? <About key={person.id} person={person} name={name} /> : <Missing />
      }}
    </Show>
  )
}

function Missing(): JSX.Element {
  const { t, household } = useApp()
  return (
    <Screen title={t('person.missing')} back="/">
      <Failed error={new ApiError('NOT_FOUND', '', 404)} onRetry={() => void household.people.reload()} />
    </Screen>
  )
}

function About({ person, name }: { person: Person; name: ScreenName }): JSX.Element {
  const say = useSay()
  const { units } = useApp()
  const Part = PARTS[name]
  return (
    <HealthContext.Provider value={{ person, units }}>
      <Screen
        key={name}
        title={say('screen.title', { name: person.name, screen: say(`screen.${name}`) })}
        back={`/p/${person.id}`}
      >
        <Others person={person} name={name} />
        <div class="health">
          <Part />
        </div>
      </Screen>
    </HealthContext.Provider>
  )
}

/** The other screens about the same person; the one that is open is in view. */
function Others({ person, name }: { person: Person; name: ScreenName }): JSX.Element {
  const say = useSay()
  const list = useRef<HTMLElement>(null)
  useEffect(() => {
    const open = list.current?.querySelector('[aria-current]')
    open?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [])
  return (
    <nav ref={list} class="picker" aria-label={say('screen.choose')}>
      {SCREENS.map((screen) => (
        <Link
          key={screen}
          to={addressOf(person.id, screen)}
          class="chip"
          aria-current={screen === name ? 'page' : undefined}
        >
          {say(`screen.${screen}`)}
        </Link>
      ))}
    </nav>
  )
}
