/** The tablet on the wall: everybody in huge numbers, the time, and an alert that takes the whole screen with its sound. */
import { useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import type { Person } from '../../net/answers.ts'
import { Show } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { Age, BigValue, useReading, useStale } from '../../screens/home.tsx'
import { WALL_KEY } from '../../state/pairing.ts'
import { mainMetric } from '../../state/trail.ts'
import { Alarm } from '../alerts/alarm.tsx'
import type { Alert } from '../alerts/answers.ts'
import { Touch, useWakeLock } from './awake.tsx'
import { OwnBoard } from './board.tsx'
import { isNight, PEOPLE_MOST } from './night.ts'
import { words } from './words.ts'

/** By the tablet's own key where it has one, else for whoever is signed in. */
export function Wall(): JSX.Element {
  const say = useWords(words)
  const key = useSignal(localStorage.getItem(WALL_KEY))
  const isRevoked = useSignal(false)
  if (isRevoked.value)
    return (
      <main id="main" class="wall">
        <p class="wall-what">{say('wall.revoked')}</p>
        <Link to="/join" class="button">
          {say('wall.again')}
        </Link>
      </main>
    )
  if (key.value === null) return <SignedInWall />
  return (
    <OwnBoard
      wallKey={key.value}
      onRevoked={() => {
        localStorage.removeItem(WALL_KEY)
        isRevoked.value = true
      }}
    />
  )
}

function SignedInWall(): JSX.Element {
  const { household, hubName, openAlerts, clock, format, zone } = useApp()
  const say = useWords(words)
  useWakeLock()
  const time = useComputed(() => format.time(clock.tick.value, zone))
  const [alert] = openAlerts.value
  const night = useComputed(() => isNight(format.time(clock.tick.value, zone))).value
  useEffect(() => {
    document.title = `${say('wall.title')} · ${hubName.value}`
  }, [hubName.value])
  return (
    <main id="main" class={night && !alert ? 'wall wall-night' : 'wall'}>
      <header class="wall-head">
        <h1>{hubName}</h1>
        <time class="wall-clock">{time}</time>
      </header>
      <Alarm />
      <Touch />
      {alert ? (
        <Takeover alert={alert} />
      ) : (
        <Show of={household.people}>
          {(people) => (
            <ul class="wall-tiles">
              {people.slice(0, PEOPLE_MOST).map((person) => (
                <WallTile key={person.id} person={person} />
              ))}
            </ul>
          )}
        </Show>
      )}
    </main>
  )
}

function WallTile({ person }: { person: Person }): JSX.Element {
  const { household } = useApp()
  const say = useWords(words)
  const { latest } = household.values(person.id)
  const metric = useComputed(() => latest.value && mainMetric(latest.value)).value
  return (
    <li class="wall-tile">
      <h2>{person.name}</h2>
      {metric === null ? <p>{say('wall.quiet')}</p> : <Value person={person} metric={metric} />}
    </li>
  )
}

function Value({ person, metric }: { person: Person; metric: string }): JSX.Element {
  const { t, format } = useApp()
  const reading = useReading(person.id, metric)
  const stale = useStale(metric, reading).value
  return (
    <>
      <BigValue metric={metric} reading={reading} />
      <p class="wall-origin">
        {format.metric(metric)} <Age reading={reading} />{' '}
        <StateMark state={stale === null ? 'ok' : 'stale'} word={stale ?? t('value.live')} />
      </p>
    </>
  )
}

function Takeover({ alert }: { alert: Alert }): JSX.Element {
  const { household, format, zone } = useApp()
  const say = useWords(words)
  const name = household.people.state.value.value?.find(({ id }) => id === alert.person_id)?.name
  return (
    <section class={`wall-takeover alarm-${alert.kind}`} role="alert">
      <Icon name="warning" size={96} />
      <h2>{name ?? ''}</h2>
      <p class="wall-what">{alert.title}</p>
      <p>{alert.message}</p>
      <p>{say('wall.since', { when: format.time(Date.parse(alert.created_at), zone) })}</p>
    </section>
  )
}
