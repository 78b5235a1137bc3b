/** The curve of one stretch with its way through time, its sums, its holes, and the same as a table. */
import { useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { metricNamed } from '../../domain/metric.ts'
import { useApp } from '../app.ts'
import type { LevelPoint, Observations, Person, RawPoint } from '../net/answers.ts'
import { Failed, Skeleton } from '../parts/feedback.tsx'
import { Icon } from '../parts/icon.tsx'
import { type Series, type Summary, seriesOf, summaryOf } from '../state/day-series.ts'
import { createResource, type Resource } from '../state/resource.ts'
import { hourAt, neighbour, type Stretch } from '../state/stretch.ts'
import type { CurveProps, Pointed } from './curve.tsx'
import { DayTable } from './day-table.tsx'
import { lazyPart } from './lazy.tsx'

const Curve = lazyPart<CurveProps>(async () => (await import('./curve.tsx')).Curve)

export interface DayProps {
  person: Person
  metric: string
  stretch: Stretch
  today: string
}

type Points = (LevelPoint | RawPoint)[]

const MINUTE_MS = 60_000
/** Today's curve is fetched again this often; the number above it is live. */
const RENEW_MS = 30_000
const SWIPE_PX = 56

export function Day({ person, metric, stretch, today }: DayProps): JSX.Element {
  const { t, format, api, household, clock } = useApp()
  const points = useStretch(person.id, metric, stretch)
  const asTable = useSignal(false)
  const pointed = useSignal<Pointed | null>(null)
  const { value, error } = points.state.value
  const widthMs = stretch.span === 'day' ? MINUTE_MS : 0
  const series = useMemo(
    () => (value === null ? null : seriesOf(value, widthMs, metricNamed(metric)?.maxGapMs ?? 0)),
    [value],
  )
  const sums = useMemo(() => (value === null ? null : summaryOf(value)), [value])
  const swipe = useSwipe(person, stretch)
  const isNow = useComputed(() => clock.tick.value < stretch.toMs).value && stretch.day === today

  useEffect(() => {
    if (!isNow) return
    const timer = setInterval(() => void points.reload(), RENEW_MS)
    return () => clearInterval(timer)
  }, [points, isNow])

  return (
    <section class="day" aria-label={t('day.label')} {...swipe}>
      <Travel person={person} stretch={stretch} today={today} metric={metric} pointed={pointed.value} />
      {error && value === null ? (
        <Failed error={error} onRetry={() => void points.reload()} />
      ) : series === null || value === null ? (
        <Skeleton rows={1} tall />
      ) : asTable.value ? (
        <DayTable person={person} metric={metric} stretch={stretch} raw={value} />
      ) : (
        <Curve
          metric={metric}
          series={series}
          sums={sums}
          stretch={stretch}
          zone={person.timezone}
          nowMs={clock.nowMs()}
          pointed={pointed}
          label={sentence(series, sums)}
        />
      )}
      {sums && <Sums sums={sums} metric={metric} />}
      {series && series.holes.length > 0 && <Holes series={series} zone={person.timezone} />}
      <div class="day-foot">
        <button
          type="button"
          class="button compact"
          aria-pressed={asTable.value}
          onClick={() => {
            asTable.value = !asTable.value
          }}
        >
          <Icon name={asTable.value ? 'chart' : 'table'} size={20} />
          {t(asTable.value ? 'day.asCurve' : 'day.asTable')}
        </button>
        {value && value.length > 0 && <Sources points={value} nameOf={household.deviceName} />}
      </div>
    </section>
  )

  /** What the picture says, for who cannot see it. */
  function sentence(drawn: Series, found: Summary | null): string {
    const when = `${format.day(stretch.day, 'long')}${
      stretch.span === 'hour' ? `, ${format.time(stretch.fromMs, person.timezone)}` : ''
    }`
    if (found === null) return t('day.sayNothing', { metric: format.metric(metric), when })
    return t('day.say', {
      metric: format.metric(metric),
      name: person.name,
      when,
      count: found.count,
      min: format.value(metric, found.min),
      max: format.value(metric, found.max),
      mean: format.value(metric, found.mean),
      holes: drawn.holes.length,
    })
  }

  function useStretch(personId: string, name: string, { fromMs, toMs, span }: Stretch): Resource<Points> {
    const resource = useMemo(
      () =>
        createResource(async () => {
          const query = new URLSearchParams({
            metric: name,
            from: new Date(fromMs).toISOString(),
            to: new Date(toMs).toISOString(),
            level: span === 'day' ? '1m' : 'raw',
          })
          const path = `/people/${encodeURIComponent(personId)}/observations?${query}`
          return (await api.get<Observations<LevelPoint | RawPoint>>(path)).points
        }),
      [personId, name, fromMs, toMs, span],
    )
    useEffect(() => void resource.reload(), [resource])
    return resource
  }
}

interface TravelProps {
  person: Person
  metric: string
  stretch: Stretch
  today: string
  pointed: Pointed | null
}

/** Earlier, later, any day, and day or hour. */
function Travel({ person, metric, stretch, today, pointed }: TravelProps): JSX.Element {
  const { t, format, router, clock } = useApp()
  const dates = useRef<HTMLInputElement>(null)
  const zone = person.timezone
  const later = neighbour(stretch, 1, zone, clock.nowMs())
  const earlier = neighbour(stretch, -1, zone, clock.nowMs())
  const go = (to: Stretch | null) =>
    to && router.go(`/p/${person.id}/${metric}${to.search}`, { replace: true })
  const hourOf = pointed?.atMs ?? Math.min(clock.nowMs(), stretch.toMs - 1)
  return (
    <div class="travel">
      <button
        type="button"
        class="icon-button"
        aria-label={t(`day.earlier.${stretch.span}`)}
        onClick={() => go(earlier)}
      >
        <Icon name="back" />
      </button>
      <button type="button" class="travel-day" onClick={() => dates.current?.showPicker()}>
        <span>{stretch.day === today ? t('day.today') : format.day(stretch.day)}</span>
        {stretch.span === 'hour' && (
          <span class="travel-hour">
            {format.time(stretch.fromMs, zone)}–{format.time(stretch.toMs, zone)}
          </span>
        )}
        <span class="visually-hidden">{t('day.choose')}</span>
      </button>
      <input
        ref={dates}
        class="date-behind"
        type="date"
        tabIndex={-1}
        aria-label={t('day.choose')}
        value={stretch.day}
        max={today}
        onChange={(event) => {
          const { value } = event.currentTarget
          if (value !== '') router.go(`/p/${person.id}/${metric}?d=${value}`, { replace: true })
        }}
      />
      <button
        type="button"
        class="icon-button"
        aria-label={t(`day.later.${stretch.span}`)}
        disabled={later === null}
        onClick={() => go(later)}
      >
        <Icon name="next" />
      </button>
      <fieldset class="segments">
        <legend class="visually-hidden">{t('day.span')}</legend>
        <button
          type="button"
          aria-pressed={stretch.span === 'day'}
          onClick={() =>
            router.go(`/p/${person.id}/${metric}${stretch.day === today ? '' : `?d=${stretch.day}`}`, {
              replace: true,
            })
          }
        >
          {t('day.spanDay')}
        </button>
        <button type="button" aria-pressed={stretch.span === 'hour'} onClick={() => go(hourAt(hourOf, zone))}>
          {t('day.spanHour')}
        </button>
      </fieldset>
    </div>
  )
}

function Sums({ sums, metric }: { sums: Summary; metric: string }): JSX.Element {
  const { t, format } = useApp()
  const facts: [string, string][] = [
    [t('day.lowest'), format.value(metric, sums.min)],
    [t('day.average'), format.value(metric, sums.mean)],
    [t('day.highest'), format.value(metric, sums.max)],
    [t('day.readings'), sums.count.toLocaleString()],
  ]
  return (
    <dl class="sums">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Missing stretches in words, longest first: a parent asks "why is there nothing?" before anything else. */
function Holes({ series, zone }: { series: Series; zone: string }): JSX.Element {
  const { t, format } = useApp()
  const longest = series.holes.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs)).slice(0, 3)
  const spans = longest
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .map(
      ({ fromMs, toMs }) =>
        `${format.time(fromMs, zone)}–${format.time(toMs, zone)} (${format.span(toMs - fromMs)})`,
    )
  const more = series.holes.length - longest.length
  return (
    <p class="holes">
      {t('day.holes')} {spans.join(', ')}
      {more > 0 && ` ${t('day.moreHoles', { count: more })}`}
    </p>
  )
}

function Sources({ points, nameOf }: { points: Points; nameOf: (id: string) => string }): JSX.Element | null {
  const { t } = useApp()
  const devices = new Set(points.flatMap((point) => ('device' in point ? [point.device] : [])))
  if (devices.size === 0) return null
  return <span class="small">{t('day.from', { devices: [...devices].map(nameOf).join(', ') })}</span>
}

/** A quick sideways flick moves to the neighbour; slow or upright movement is scrolling or reading the curve. */
function useSwipe(person: Person, stretch: Stretch) {
  const { router, clock } = useApp()
  const start = useRef<{ x: number; y: number; atMs: number } | null>(null)
  return {
    onTouchStart(event: TouchEvent) {
      const [touch, second] = event.touches
      start.current = touch && !second ? { x: touch.clientX, y: touch.clientY, atMs: event.timeStamp } : null
    },
    onTouchEnd(event: TouchEvent) {
      const [touch] = event.changedTouches
      const from = start.current
      start.current = null
      if (!touch || !from || event.timeStamp - from.atMs > 400) return
      const [dx, dy] = [touch.clientX - from.x, touch.clientY - from.y]
      if (Math.abs(dx) < SWIPE_PX || Math.abs(dx) < 2 * Math.abs(dy)) return
      const to = neighbour(stretch, dx < 0 ? 1 : -1, person.timezone, clock.nowMs())
      if (to) router.go(`${router.place.peek().path}${to.search}`, { replace: true })
    },
  }
}
