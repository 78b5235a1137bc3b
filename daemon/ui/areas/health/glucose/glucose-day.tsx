/** Glucose of some hours or a day: now, the trace with its target band, meals, and what share was in range. */

import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { Empty, Skeleton } from '../../../parts/feedback.tsx'
import { Link } from '../../../parts/link.tsx'
import { StateMark } from '../../../parts/state-mark.tsx'
import { Age, useReading, useStale } from '../../../screens/home.tsx'
import type { GlucoseReading, Meal } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { mealsOnce } from '../meals/once.ts'
import { DayStep, useFlick } from '../parts/day-step.tsx'
import { UnitChoice } from '../parts/unit-choice.tsx'
import { dayPlus } from '../scale.ts'
import { addressOf } from '../screens.ts'
import { glucoseText } from '../units.ts'
import {
  type Dot,
  dotsOf,
  hoursUpTo,
  SPANS,
  sharesOf,
  type Trend,
  trendOf,
  type Window,
  windowOf,
} from './trace.ts'
import { TraceFigure } from './trace-figure.tsx'

interface Answers {
  readings: GlucoseReading[]
  meals: Meal[]
}

const RENEW_MS = 60_000

export function GlucoseDay(): JSX.Element {
  const { api, router, clock, format } = useApp()
  const { person } = useHealth()
  const { query } = router.place.value
  const zone = person.timezone
  // The window up to now moves with each minute, not with each second.
  const minute = useComputed(() => Math.floor(clock.tick.value / RENEW_MS)).value
  const window = useMemo(() => windowOf(query, zone, clock.nowMs()), [query, zone, minute])
  const isNow = clock.nowMs() <= window.toMs + RENEW_MS
  const key = `${window.hours} ${isNow ? window.day : window.toMs}`
  const kept = useKept<Answers>(`glucose.${person.id}`, key, () => {
    const { fromMs, toMs } = windowOf(router.place.peek().query, zone, clock.nowMs())
    const about = new URLSearchParams({
      person_id: person.id,
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
    })
    return Promise.all([
      api.all<GlucoseReading>(`/glucose/readings?${about}`),
      api.all<Meal>(`/meals?${about}`),
    ]).then(([readings, meals]) => ({ readings, meals: mealsOnce(meals).map(({ meal }) => meal) }))
  })
  useEffect(() => {
    if (isNow && !kept.state.peek().loading) void kept.reload()
  }, [minute])
  const go = (search: string) => router.go(`/health/${person.id}/glucose${search}`, { replace: true })
  const steps = stepsOf(window, zone, clock.nowMs(), go)
  const flick = useFlick(steps.earlier, steps.later)
  const { value } = kept.state.value
  return (
    <>
      <Now dots={isNow && value ? dotsOf(value.readings) : []} />
      <section class="day" {...flick}>
        <div class="travel-row">
          <DayStep
            day={window.day}
            onDay={(day) => go(`?d=${day}`)}
            {...(window.hours === 24
              ? {}
              : { part: `${format.time(window.fromMs, zone)}–${format.time(window.toMs, zone)}` })}
            steps={steps}
          />
          <SpanChoice window={window} onChoose={go} />
        </div>
        <Known of={kept} loading={<Skeleton rows={1} tall />}>
          {({ readings, meals }) => <Course window={window} dots={dotsOf(readings)} meals={meals} />}
        </Known>
      </section>
      <UnitChoice />
    </>
  )
}

function stepsOf(window: Window, zone: string, nowMs: number, go: (search: string) => void) {
  const { day, hours, fromMs, toMs } = window
  if (hours === 24)
    return {
      earlier: () => go(`?d=${dayPlus(day, -1)}`),
      later: toMs > nowMs ? null : () => go(`?d=${dayPlus(day, 1)}`),
    }
  return {
    earlier: () => go(hoursUpTo(fromMs, hours, zone, nowMs).search),
    later:
      toMs >= nowMs
        ? null
        : () => go(hoursUpTo(Math.min(nowMs, toMs + (toMs - fromMs)), hours, zone, nowMs).search),
  }
}

function SpanChoice({
  window,
  onChoose,
}: {
  window: Window
  onChoose: (search: string) => void
}): JSX.Element {
  const say = useSay()
  const { clock } = useApp()
  const { person } = useHealth()
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{say('glucose.hours')}</legend>
      {SPANS.map((hours) => (
        <button
          key={hours}
          type="button"
          aria-pressed={window.hours === hours}
          onClick={() => {
            const endMs = Math.min(window.toMs, clock.nowMs())
            const search = hoursUpTo(endMs, hours, person.timezone, clock.nowMs()).search
            onChoose(hours === 24 ? `?d=${window.day}` : search)
          }}
        >
          {say('glucose.span', { hours })}
        </button>
      ))}
    </fieldset>
  )
}

/** The newest value, how old it is, and where it goes. */
function Now({ dots }: { dots: readonly Dot[] }): JSX.Element | null {
  const say = useSay()
  const { t, format, household } = useApp()
  const { person, units } = useHealth()
  const reading = useReading(person.id, 'glucose')
  const stale = useStale('glucose', reading)
  const unit = units.glucose.value
  const { value } = reading
  if (value === undefined || typeof value.value !== 'number') return null
  const going = stale.value === null ? trendOf(dots) : null
  return (
    <section class={stale.value === null ? 'now' : 'now is-stale'} aria-label={t('person.now')}>
      <span class="big">
        <span class="big-number">{glucoseText(value.value, unit)}</span>
        <span class="big-unit">{unit}</span>
      </span>
      {going && (
        <span class="trend">
          <Arrow trend={going.trend} />
          <span>
            <strong>{say(`trend.${going.trend}`)}</strong>
            <br />
            {say('trend.change', {
              change: `${going.change < 0 ? '−' : '+'}${glucoseText(Math.abs(going.change), unit)}`,
              over: format.span(going.overMs),
            })}
          </span>
        </span>
      )}
      <div class="now-more">
        <StateMark state={stale.value === null ? 'ok' : 'stale'} word={stale.value ?? t('value.live')} />
        <span class="origin">
          <Age reading={reading} />
          <span>{household.deviceName(value.device)}</span>
        </span>
      </div>
    </section>
  )
}

const TURNS: Readonly<Record<Trend, number>> = {
  risingFast: -90,
  rising: -90,
  risingSlowly: -45,
  steady: 0,
  fallingSlowly: 45,
  falling: 90,
  fallingFast: 90,
}

function Arrow({ trend }: { trend: Trend }): JSX.Element {
  const isFast = trend === 'risingFast' || trend === 'fallingFast'
  return (
    <svg class="icon" width="40" height="40" viewBox="0 0 24 24" aria-hidden="true">
      <g transform={`rotate(${TURNS[trend]} 12 12)`}>
        <path d={isFast ? 'M3 9h15m-5-5 5 5-5 5M3 15h15' : 'M4 12h16m-6-6 6 6-6 6'} />
      </g>
    </svg>
  )
}

function Course({
  window,
  dots,
  meals,
}: {
  window: Window
  dots: readonly Dot[]
  meals: readonly Meal[]
}): JSX.Element {
  const say = useSay()
  const { units, person } = useHealth()
  const unit = units.glucose.value
  const shares = sharesOf(dots)
  if (shares === null && meals.length === 0)
    return (
      <Empty icon="chart" title={say('glucose.empty')} text={say('glucose.emptyText', { name: person.name })}>
        <Link to={addressOf(person.id, 'import')} class="button">
          {say('screen.import')}
        </Link>
      </Empty>
    )
  const values = dots.map(({ value }) => value)
  const facts: [string, string][] = shares
    ? [
        [say('glucose.inRange'), `${shares.within.toFixed(0)} %`],
        [say('glucose.mean'), glucoseText(values.reduce((sum, one) => sum + one, 0) / values.length, unit)],
        [say('glucose.lowest'), glucoseText(Math.min(...values), unit)],
        [say('glucose.highest'), glucoseText(Math.max(...values), unit)],
      ]
    : []
  return (
    <>
      <TraceFigure window={window} dots={dots} meals={meals} shares={shares} />
      <dl class="sums">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}
