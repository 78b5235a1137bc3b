/** One person, one metric, one day or one hour of it: now, the curve, and what it adds up to. */
import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { metricNamed } from '../../domain/metric.ts'
import { localDay } from '../../domain/zone.ts'
import { isOwner, useApp } from '../app.ts'
import { HealthLinks } from '../areas/health/links.tsx'
import type { Latest, Person as PersonAnswer } from '../net/answers.ts'
import { ApiError } from '../net/api.ts'
import { Empty, Failed, Show, Skeleton } from '../parts/feedback.tsx'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Screen } from '../parts/screen.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { type Stretch, stretchOf } from '../state/stretch.ts'
import { mainMetric } from '../state/trail.ts'
import { Day } from './day.tsx'
import { BigValue, Origin, useReading, useStale } from './home.tsx'
import { lazyPart } from './lazy.tsx'

const Usual = lazyPart(
  async () => (await import('../areas/health/usual/usual.tsx')).Usual,
  () => <></>,
)

export interface PersonProps {
  id: string
  /** Null: whatever this person's main metric is. */
  metric: string | null
}

export function Person({ id, metric }: PersonProps): JSX.Element {
  const { t, household } = useApp()
  return (
    <Show
      of={household.people}
      loading={
        <Screen title={t('state.loading')} back="/">
          <Skeleton rows={1} />
          <Skeleton rows={1} tall />
        </Screen>
      }
    >
      {(people) => {
        const person = people.find((one) => one.id === id)
        return person ? <Found person={person} metric={metric} /> : <Missing />
      }}
    </Show>
  )
}

/** The same words for a person who is not there and one who may not be seen. */
function Missing(): JSX.Element {
  const { t, household } = useApp()
  return (
    <Screen title={t('person.missing')} back="/">
      <Failed error={new ApiError('NOT_FOUND', '', 404)} onRetry={() => void household.people.reload()} />
    </Screen>
  )
}

function Found({ person, metric }: { person: PersonAnswer; metric: string | null }): JSX.Element {
  const app = useApp()
  const { t, household, clock, router } = app
  const latest = household.values(person.id).latest.value
  const loading = latest === null && household.cachedAtMs.value === null
  const chosen = metric ?? (latest && mainMetric(latest)) ?? 'heart_rate'
  const day = useComputed(() => localDay(clock.tick.value, person.timezone))
  const { query } = router.place.value
  const stretch = stretchOf(query, person.timezone, clock.nowMs(), day.value)
  const actions = isOwner(app) ? (
    <Link
      to={`/people/${person.id}`}
      class="icon-button"
      aria-label={t('person.edit', { name: person.name })}
    >
      <Icon name="edit" size={22} />
    </Link>
  ) : undefined
  return (
    <Screen title={person.name} back="/" actions={actions}>
      <div class="person">
        <HealthLinks personId={person.id} />
        {loading ? <Skeleton rows={1} /> : <Now key={chosen} personId={person.id} metric={chosen} />}
        {latest && <Usual key={person.id} personId={person.id} />}
        {latest && <Picker person={person} latest={latest} chosen={chosen} stretch={stretch} />}
        {latest && Object.keys(latest).length === 0 ? (
          <Empty icon="watch" title={t('value.none')} text={t('person.nothing', { name: person.name })}>
            {isOwner(app) && (
              <Link to={`/devices/new?person=${person.id}`} class="button primary">
                <Icon name="plus" size={20} />
                {t('home.addWatch')}
              </Link>
            )}
          </Empty>
        ) : (
          <Day person={person} metric={chosen} stretch={stretch} today={day.value} />
        )}
      </div>
    </Screen>
  )
}

function Now({ personId, metric }: { personId: string; metric: string }): JSX.Element | null {
  const { t } = useApp()
  const reading = useReading(personId, metric)
  const stale = useStale(metric, reading)
  const known = useComputed(() => reading.value !== undefined)
  if (!known.value) return null
  return (
    <section class={stale.value === null ? 'now' : 'now is-stale'} aria-label={t('person.now')}>
      <BigValue metric={metric} reading={reading} />
      <div class="now-more">
        <StateMark state={stale.value === null ? 'ok' : 'stale'} word={stale.value ?? t('value.live')} />
        <Origin metric={metric} reading={reading} named={false} />
      </div>
    </section>
  )
}

interface PickerProps {
  person: PersonAnswer
  latest: Latest
  chosen: string
  stretch: Stretch
}

/** The metrics that exist for this person and can be drawn. */
function Picker({ person, latest, chosen, stretch }: PickerProps): JSX.Element | null {
  const { t, format } = useApp()
  const drawable = Object.keys(latest).filter((name) => metricNamed(name)?.kind === 'number')
  if (drawable.length < 2) return null
  return (
    <nav class="picker" aria-label={t('person.metrics')}>
      {drawable.map((name) => (
        <Link
          key={name}
          to={`/p/${person.id}/${name}${stretch.search}`}
          class="chip"
          aria-current={name === chosen ? 'page' : undefined}
        >
          {format.metric(name)}
        </Link>
      ))}
    </nav>
  )
}
