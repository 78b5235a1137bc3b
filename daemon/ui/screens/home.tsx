/** Home: everyone at a glance, each value with its age and where it came from. */
import { useComputed } from '@preact/signals'
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
  const { link, household, t } = useApp()
  const { kind } = link.state.value
  if (household.cachedAtMs.value !== null || kind === 'lost')
    return <StateMark state="stale" word={t('link.offline')} />
  if (kind === 'starting') return <StateMark state="none" word={t('link.starting')} />
  return <StateMark state="ok" word={t('link.live')} />
}

interface Shown {
  metric: string
  reading: Reading
}

function Tile({ person }: { person: Person }): JSX.Element {
  const app = useApp()
  const { household, clock, link, t } = app
  const { latest, trail } = household.values(person.id)
  const away = useComputed(() => household.cachedAtMs.value !== null || link.state.value.kind === 'lost')
  const shown = useComputed<Shown | null>(() => {
    const metric = latest.value && mainMetric(latest.value)
    const reading = metric === null ? undefined : latest.value?.[metric]
    return metric !== null && reading ? { metric, reading } : null
  })
  const stale = useComputed(
    () => away.value || (shown.value !== null && isStale(shown.value, clock.tick.value)),
  )
  if (latest.value === null && household.cachedAtMs.value === null) return <div class="skeleton tall" />
  const main = shown.value
  if (main === null) return <QuietTile person={person} />
  return (
    <Link to={`/p/${person.id}/${main.metric}`} class={stale.value ? 'tile is-stale' : 'tile'}>
      <span class="tile-head">
        <span class="tile-name">{person.name}</span>
        {stale.value ? (
          <StateMark state="stale" word={t(away.value ? 'link.offline' : 'value.stale')} />
        ) : (
          <StateMark state="ok" word={t('value.live')} />
        )}
      </span>
      <span class="tile-body">
        <BigValue metric={main.metric} reading={main.reading} />
        <span class="tile-line">
          <Sparkline
            trail={trail}
            nowMs={clock.nowMs}
            stale={stale}
            maxGapMs={metricNamed(main.metric)?.maxGapMs ?? 0}
            least={main.metric === 'heart_rate' ? 20 : 2}
          />
          <span class="tile-span">{t('home.span')}</span>
        </span>
      </span>
      <Origin metric={main.metric} reading={main.reading} />
      <Others personId={person.id} main={main.metric} />
    </Link>
  )
}

export function isStale({ metric, reading }: Shown, nowMs: number): boolean {
  return nowMs - Date.parse(reading.ts) > (metricNamed(metric)?.staleAfterMs ?? Number.POSITIVE_INFINITY)
}

export function BigValue({ metric, reading }: Shown): JSX.Element {
  const { format } = useApp()
  return (
    <span class="big">
      <span class="big-number">{format.value(metric, reading.value)}</span>
      <span class="big-unit">{format.unit(metric)}</span>
    </span>
  )
}

/** What it is, how old it is, and which device said so. */
export function Origin({ metric, reading, named = true }: Shown & { named?: boolean }): JSX.Element {
  const { format, household } = useApp()
  return (
    <span class="origin">
      {named && <span>{format.metric(metric)}</span>}
      <Age ts={reading.ts} />
      <span>{household.deviceName(reading.device)}</span>
    </span>
  )
}

export function Age({ ts }: { ts: string }): JSX.Element {
  const { format, clock } = useApp()
  return (
    <time class="age" dateTime={ts}>
      {format.age(clock.tick.value - Date.parse(ts))}
    </time>
  )
}

function Others({ personId, main }: { personId: string; main: string }): JSX.Element | null {
  const { household, format } = useApp()
  const others = otherMetrics(household.values(personId).latest.value ?? {}, main, 3)
  if (others.length === 0) return null
  return (
    <span class="others">
      {others.map(([metric, reading]) => (
        <span key={metric} class="other">
          <span class="other-name">{format.metric(metric)}</span>
          <span class="other-value">
            {format.value(metric, reading.value)}
            <small>{format.unit(metric)}</small>
          </span>
          <Age ts={reading.ts} />
        </span>
      ))}
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
