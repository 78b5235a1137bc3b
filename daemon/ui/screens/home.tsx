/** Home: everyone at a glance, each value with its age and where it came from. */
import { type ReadonlySignal, useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { metricNamed } from '../../domain/metric.ts'
import { isOwner, useApp } from '../app.ts'
import type { Person, Reading } from '../net/answers.ts'
import { Empty, Show, Skeleton } from '../parts/feedback.tsx'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Screen } from '../parts/screen.tsx'
import { Sparkline } from '../parts/sparkline.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { mainMetric, otherMetrics } from '../state/trail.ts'
import { HubStrip } from './hub-strip.tsx'
import { TrustNotice } from './trust-notice.tsx'

const TRAILS_EVERY_MS = 60_000

export function Home(): JSX.Element {
  const app = useApp()
  const { household, hubName, link, t } = app
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && link.state.peek().kind === 'live')
        household.refreshTrails()
    }, TRAILS_EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <Screen title={hubName.value} actions={<LiveWord />}>
      <TrustNotice />
      <Show of={household.people} loading={<Skeleton rows={2} tall />}>
        {(people) =>
          people.length === 0 ? (
            <Empty icon="people" title={t('home.empty')} text={t('home.emptyText')}>
              {isOwner(app) && (
                <Link to="/people/new" class="button primary">
                  <Icon name="plus" size={20} />
                  {t('home.addChild')}
                </Link>
              )}
            </Empty>
          ) : (
            <>
              <ul class="tiles">
                {people.map((person) => (
                  <li key={person.id}>
                    <Tile person={person} />
                  </li>
                ))}
              </ul>
              <HubStrip />
            </>
          )
        }
      </Show>
    </Screen>
  )
}

/** Says in a word whether what is on screen moves. */
function LiveWord(): JSX.Element {
  const { link, household, session, t } = useApp()
  const { kind } = link.state.value
  const looking = session.state.value.kind === 'starting'
  if (!looking && (household.cachedAtMs.value !== null || kind === 'lost'))
    return <StateMark state="stale" word={t('link.offline')} />
  if (looking || kind === 'starting') return <StateMark state="none" word={t('link.starting')} />
  return <StateMark state="ok" word={t('link.live')} />
}

export interface Shown {
  metric: string
  /** The newest value; screens bind its text, so that a beat changes a text node and draws nothing else. */
  reading: ReadonlySignal<Reading | undefined>
}

function Tile({ person }: { person: Person }): JSX.Element {
  const { household } = useApp()
  const { latest } = household.values(person.id)
  const loading = useComputed(() => latest.value === null && household.cachedAtMs.value === null)
  const main = useComputed(() => latest.value && mainMetric(latest.value))
  if (loading.value) return <div class="skeleton tall" />
  if (main.value === null) return <QuietTile person={person} />
  return <LiveTile key={main.value} person={person} metric={main.value} />
}

function LiveTile({ person, metric }: { person: Person; metric: string }): JSX.Element {
  const { household, clock, t } = useApp()
  const { trail } = household.values(person.id)
  const reading = useReading(person.id, metric)
  const stale = useStale(metric, reading)
  return (
    <Link to={`/p/${person.id}/${metric}`} class={stale.value === null ? 'tile' : 'tile is-stale'}>
      <span class="tile-head">
        <span class="tile-name">{person.name}</span>
        <StateMark state={stale.value === null ? 'ok' : 'stale'} word={stale.value ?? t('value.live')} />
      </span>
      <span class="tile-body">
        <BigValue metric={metric} reading={reading} />
        <span class="tile-line">
          <Sparkline
            trail={trail}
            nowMs={clock.nowMs}
            faded={stale.value !== null}
            maxGapMs={metricNamed(metric)?.maxGapMs ?? 0}
            least={metric === 'heart_rate' ? 20 : 2}
          />
          <span class="tile-span">{t('home.span')}</span>
        </span>
      </span>
      <Origin metric={metric} reading={reading} />
      <Others personId={person.id} main={metric} />
    </Link>
  )
}

export function useReading(personId: string, metric: string): Shown['reading'] {
  const { latest } = useApp().household.values(personId)
  return useComputed(() => latest.value?.[metric])
}

/** Why a value is not live, in a word; null while it is. */
export function useStale(metric: string, reading: Shown['reading']): ReadonlySignal<string | null> {
  const { t, clock, household, link, session } = useApp()
  const staleAfterMs = metricNamed(metric)?.staleAfterMs ?? Number.POSITIVE_INFINITY
  return useComputed(() => {
    const looking = session.state.value.kind === 'starting'
    const cached = household.cachedAtMs.value !== null && !looking
    if (cached || link.state.value.kind === 'lost') return t('link.offline')
    const ageMs = clock.tick.value - Date.parse(reading.value?.ts ?? '')
    return ageMs > staleAfterMs ? t('value.stale') : null
  })
}

export function BigValue({ metric, reading }: Shown): JSX.Element {
  const { format } = useApp()
  const text = useComputed(() => (reading.value ? format.value(metric, reading.value.value) : ''))
  return (
    <span class="big">
      <span class="big-number">{text}</span>
      <span class="big-unit">{format.unit(metric)}</span>
    </span>
  )
}

/** What it is, how old it is, and which device said so. */
export function Origin({ metric, reading, named = true }: Shown & { named?: boolean }): JSX.Element {
  const { format, household } = useApp()
  const device = useComputed(() => (reading.value ? household.deviceName(reading.value.device) : ''))
  return (
    <span class="origin">
      {named && <span>{format.metric(metric)}</span>}
      <Age reading={reading} />
      <span>{device}</span>
    </span>
  )
}

export function Age({ reading }: Pick<Shown, 'reading'>): JSX.Element {
  const { format, clock } = useApp()
  const ts = useComputed(() => reading.value?.ts ?? '')
  const text = useComputed(() => format.age(clock.tick.value - Date.parse(ts.value)))
  return (
    <time class="age" dateTime={ts}>
      {text}
    </time>
  )
}

function Others({ personId, main }: { personId: string; main: string }): JSX.Element | null {
  const { household } = useApp()
  const { latest } = household.values(personId)
  // One text, so that a new value of the same metrics draws nothing here.
  const names = useComputed(() =>
    otherMetrics(latest.value ?? {}, main, 3)
      .map(([metric]) => metric)
      .join(' '),
  )
  if (names.value === '') return null
  return (
    <span class="others">
      {names.value.split(' ').map((metric) => (
        <Other key={metric} personId={personId} metric={metric} />
      ))}
    </span>
  )
}

function Other({ personId, metric }: { personId: string; metric: string }): JSX.Element {
  const { format } = useApp()
  const reading = useReading(personId, metric)
  const text = useComputed(() => (reading.value ? format.value(metric, reading.value.value) : ''))
  return (
    <span class="other">
      <span class="other-name">{format.metric(metric)}</span>
      <span class="other-value">
        {text}
        <small>{format.unit(metric)}</small>
      </span>
      <Age reading={reading} />
    </span>
  )
}

/** A person without any value: what is missing and the next step, instead of a dash. */
function QuietTile({ person }: { person: Person }): JSX.Element {
  const app = useApp()
  const { t, household } = app
  const worn = household.devices.state.value.value?.find(
    (device) => device.person_id === person.id && !device.revoked,
  )
  return (
    <div class="tile quiet">
      <span class="tile-head">
        <span class="tile-name">{person.name}</span>
        <StateMark state="none" word={t('value.none')} />
      </span>
      <p>{worn ? t('home.waiting', { device: worn.name }) : t('home.noDevice', { name: person.name })}</p>
      {worn ? (
        <Link to={`/devices/${worn.id}`} class="button">
          {t('home.checkDevice')}
        </Link>
      ) : (
        isOwner(app) && (
          <Link to={`/devices/new?person=${person.id}`} class="button">
            <Icon name="plus" size={20} />
            {t('home.addWatch')}
          </Link>
        )
      )}
    </div>
  )
}
