/** One person's local day on one time axis: sleep, vitals, movement, meals, mood, what was planned, trained and rung for. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { isDay } from '../../../../domain/zone.ts'
import { useApp, useWords } from '../../../app.ts'
import { Empty } from '../../../parts/feedback.tsx'
import { Link } from '../../../parts/link.tsx'
import type { Activity, Episode, Mood, Night, Session } from '../answers.ts'
import type { Entry } from '../calendar/answers.ts'
import { words as planWords } from '../calendar/words.ts'
import { faceOf } from '../faces.ts'
import { useHealth, useSay } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { mealsOnce } from '../meals/once.ts'
import { DayStep, useFlick, useToday } from '../parts/day-step.tsx'
import { Figure } from '../parts/figure.tsx'
import { dayPlus } from '../scale.ts'
import { addressOf } from '../screens.ts'
import { stagesOf } from '../sleep/nights.ts'
import { glucoseText } from '../units.ts'
import { fetchDay } from './fetch-day.ts'
import {
  countsOf,
  type DayAnswers,
  linesOf,
  type Mark,
  type Span,
  schoolMarks,
  thingsOf,
  toldOnce,
  valueAt,
  within,
} from './lanes.ts'
import { type LaneSet, Lanes, placeOf } from './lanes-drawn.tsx'
import { Things } from './things.tsx'

export function Day(): JSX.Element {
  const { api, router } = useApp()
  const { person } = useHealth()
  const today = useToday()
  const asked = router.place.value.query.get('d')
  const day = asked !== null && isDay(asked) && asked <= today ? asked : today
  const kept = useKept(`day.${person.id}`, day, () => fetchDay(api, person, day))
  const go = (to: string) =>
    router.go(`/health/${person.id}${to === today ? '' : `?d=${to}`}`, { replace: true })
  const flick = useFlick(() => go(dayPlus(day, -1)), day >= today ? null : () => go(dayPlus(day, 1)))
  return (
    <section class="day" {...flick}>
      <DayStep day={day} onDay={go} />
      <Known of={kept}>
        {(answers) => <DayDrawn key={day} answers={answers} day={day} onChanged={() => void kept.reload()} />}
      </Known>
    </section>
  )
}

interface DayDrawnProps {
  answers: DayAnswers
  day: string
  onChanged: () => void
}

function DayDrawn({ answers, day, onChanged }: DayDrawnProps): JSX.Element {
  const app = useApp()
  const { format, clock } = app
  const sayPlan = useWords(planWords)
  const { person, units } = useHealth()
  const say = useSay()
  const pointedMs = useSignal<number | null>(null)
  const unit = units.glucose.value
  const set = useMemo(() => laneSet(), [answers, unit])
  const { fromMs, toMs } = set
  const things = set.spans.length + set.marks.length
  if (things === 0 && set.lines.length === 0 && set.steps === null)
    return (
      <>
        <Empty icon="watch" title={say('day.empty')} text={say('day.emptyText', { name: person.name })}>
          <Link to={addressOf(person.id, 'check-in')} class="button">
            {say('mood.submit')}
          </Link>
          <Link to={addressOf(person.id, 'import')} class="button">
            {say('screen.import')}
          </Link>
        </Empty>
        <Hidden answers={answers} />
      </>
    )
  return (
    <>
      <p class="curve-reading">{pointedMs.value === null ? say('day.hint') : readout(pointedMs.value)}</p>
      <Figure
        label={sentence()}
        table={{
          caption: say('day.table', { day: format.day(day, 'long') }),
          head: [say('table.when'), say('table.what'), say('table.detail')],
          rows: rows(),
          none: say('day.empty'),
        }}
        onPoint={(x, width) => {
          pointedMs.value = x === null ? null : placeOf(set, x, width)
        }}
      >
        {(width) => <Lanes set={set} width={width} pointedMs={pointedMs} nowMs={clock.nowMs()} />}
      </Figure>
      <Things
        found={thingsOf(set, pointedMs.value)}
        onAll={() => {
          pointedMs.value = null
        }}
        onChanged={onChanged}
      />
      <Hidden answers={answers} />
    </>
  )

  function laneSet(): LaneSet {
    const [fromMs, toMs] = [Date.parse(answers.timeline.from), Date.parse(answers.timeline.to)]
    const noonMs = (fromMs + toMs) / 2
    const plans = answers.plans ?? []
    // The calendar has what it understands of them; the rest is told as the family wrote it.
    const school = schoolMarks(person.school_events, day, noonMs).filter(
      ({ text }) => !plans.some(({ title }) => title === text),
    )
    const nights = within(once((answers.nights ?? []).map(nightSpan)), fromMs, toMs)
    const activities = within(once((answers.activities ?? []).map(activitySpan)), fromMs, toMs)
    const notes = answers.timeline.notes.flatMap(({ ts, context, interaction }) => {
      const text = textOf(context) ?? textOf(interaction)
      return text === null ? [] : [{ atMs: Date.parse(ts), text, detail: '' }]
    })
    return {
      ...{ fromMs, toMs, zone: person.timezone, unit },
      spans: [
        { kind: 'sleep' as const, items: nights },
        { kind: 'activity' as const, items: activities },
        { kind: 'session' as const, items: within((answers.sessions ?? []).map(sessionSpan), fromMs, toMs) },
        { kind: 'plan' as const, items: within(plans.map(planSpan), fromMs, toMs) },
        { kind: 'episode' as const, items: within((answers.episodes ?? []).map(episodeSpan), fromMs, toMs) },
      ].filter(({ items }) => items.length > 0),
      lines: linesOf(answers.timeline),
      steps: countsOf(answers.timeline, 'steps'),
      marks: [
        { kind: 'meal' as const, items: mealsOnce(answers.meals ?? []).map(mealMark) },
        { kind: 'mood' as const, items: (answers.moods ?? []).map(moodMark) },
        { kind: 'school' as const, items: school },
        { kind: 'note' as const, items: notes },
      ]
        .filter(({ items }) => items.length > 0)
        .map(({ kind, items }) => ({ kind, items: items.toSorted((a, b) => a.atMs - b.atMs) })),
    }
  }

  function once(spans: readonly Span[]): Span[] {
    return toldOnce(spans).map(({ span, tellers }) =>
      tellers === 1
        ? span
        : {
            ...span,
            detail: [span.detail, say('day.tellers', { count: tellers })].filter(Boolean).join(', '),
          },
    )
  }

  function nightSpan(night: Night): Span {
    return {
      fromMs: Date.parse(night.sleep_start),
      toMs: Date.parse(night.sleep_end),
      text: format.span(night.duration_minutes * 60_000),
      detail: night.quality_score === null ? '' : say('sleep.quality', { score: night.quality_score }),
      stages: stagesOf(answers.stages, night),
      to: addressOf(person.id, 'sleep'),
    }
  }

  function activitySpan({ timestamp, activity_type: type, duration_minutes: minutes }: Activity): Span {
    const startMs = Date.parse(timestamp)
    const lengthMs = (minutes ?? 0) * 60_000
    return {
      fromMs: startMs,
      toMs: startMs + Math.max(lengthMs, 5 * 60_000),
      text: type.replaceAll('_', ' '),
      detail: minutes === null ? '' : format.span(lengthMs),
    }
  }

  function sessionSpan(session: Session): Span {
    const {
      id,
      title,
      session_type: type,
      started_at: start,
      ended_at: end,
      duration_minutes: minutes,
    } = session
    const fromMs = Date.parse(start)
    const lengthMs = (minutes ?? 0) * 60_000
    const toMs = end === null ? fromMs + Math.max(lengthMs, 5 * 60_000) : Date.parse(end)
    const rpe = session.participants.find(({ player_id: player }) => player === person.id)?.rpe ?? null
    return {
      ...{
        fromMs,
        toMs,
        text: title ?? (type === 'match' ? sayPlan('kind.match') : sayPlan('kind.training')),
      },
      detail: [format.span(toMs - fromMs), rpe === null ? '' : say('session.rpe', { rpe })]
        .filter(Boolean)
        .join(', '),
      to: `/training/sessions/${encodeURIComponent(id)}`,
    }
  }

  function planSpan({ title, event_type: kind, start_time: start, end_time: end }: Entry): Span {
    const span = { fromMs: Date.parse(start), toMs: Date.parse(end) }
    return { ...span, text: title, detail: sayPlan(`kind.${kind}`), to: addressOf(person.id, 'calendar') }
  }

  function episodeSpan({ id, title, severity, started_at: start, resolved_at: end }: Episode): Span {
    const [fromMs, toMs] = [Date.parse(start), end === null ? clock.nowMs() : Date.parse(end)]
    return {
      ...{ fromMs, toMs, text: title },
      detail: [say(`severity.${severity}`), end === null ? say('episode.open') : '']
        .filter(Boolean)
        .join(', '),
      to: `/alerts/episodes/${encodeURIComponent(id)}`,
    }
  }

  function mealMark({ meal, alsoBy }: ReturnType<typeof mealsOnce>[number]): Mark {
    const { timestamp, meal_type: type, carbs_grams: carbs, description } = meal
    return {
      meal,
      atMs: Date.parse(timestamp),
      text: carbs === null ? say('meal.short') : say('meal.grams', { grams: Math.round(carbs) }),
      detail: [
        type === null ? '' : say(`meal.${type}`),
        description ?? '',
        alsoBy.length === 0 ? '' : say('meal.also', { sources: alsoBy.join(', ') }),
      ]
        .filter(Boolean)
        .join(', '),
    }
  }

  function moodMark({ timestamp, rating, notes }: Mood): Mark {
    return { atMs: Date.parse(timestamp), text: say(`face.${faceOf(rating)}`), detail: notes ?? '' }
  }

  function valueText(metric: string, value: number): string {
    if (metric === 'glucose') return `${glucoseText(value, unit)} ${unit}`
    return `${format.value(metric, value)} ${format.unit(metric)}`.trim()
  }

  /** What was at one instant. */
  function readout(atMs: number): JSX.Element {
    const values = set.lines.flatMap((line) => {
      const value = valueAt(line, atMs)
      return value === null ? [] : [`${format.metric(line.metric)} ${valueText(line.metric, value)}`]
    })
    const spans = set.spans.flatMap(({ kind, items }) =>
      items.some((item) => item.fromMs <= atMs && atMs < item.toMs) ? [say(`lane.${kind}`)] : [],
    )
    return (
      <>
        <strong>{format.time(atMs, person.timezone)}</strong>{' '}
        {[...spans, ...values].join(' · ') || say('day.nothingThen')}
      </>
    )
  }

  function sentence(): string {
    const spans = set.spans.map(
      ({ kind, items }) => `${say(`lane.${kind}`)}: ${items.map(({ text }) => text).join(', ')}`,
    )
    const lines = set.lines.map(({ metric, points }) => {
      const low = Math.min(...points.map(({ min }) => min))
      const high = Math.max(...points.map(({ max }) => max))
      return say('day.range', {
        metric: format.metric(metric),
        low: valueText(metric, low),
        high: valueText(metric, high),
      })
    })
    const marks = set.marks.map(({ kind, items }) => `${say(`lane.${kind}`)}: ${items.length}`)
    return [
      say('day.say', { name: person.name, day: format.day(day, 'long') }),
      ...spans,
      ...lines,
      ...marks,
    ].join('. ')
  }

  function rows(): string[][] {
    const zone = person.timezone
    const spans = set.spans.flatMap(({ kind, items }) =>
      items.map(({ fromMs, toMs, text, detail }) => ({
        atMs: fromMs,
        cells: [
          `${format.time(fromMs, zone)}–${format.time(toMs, zone)}`,
          say(`lane.${kind}`),
          [text, detail].filter(Boolean).join(', '),
        ],
      })),
    )
    const marks = set.marks.flatMap(({ kind, items }) =>
      items.map(({ atMs, text, detail }) => ({
        atMs,
        cells: [format.time(atMs, zone), say(`lane.${kind}`), [text, detail].filter(Boolean).join(', ')],
      })),
    )
    const lines = set.lines.map(({ metric, points }) => ({
      atMs: fromMs,
      cells: [
        `${format.time(fromMs, zone)}–${format.time(toMs, zone)}`,
        format.metric(metric),
        say('day.lowHigh', {
          low: valueText(metric, Math.min(...points.map(({ min }) => min))),
          high: valueText(metric, Math.max(...points.map(({ max }) => max))),
        }),
      ],
    }))
    const counted = set.steps
      ? [
          {
            atMs: fromMs,
            cells: [
              `${format.time(fromMs, zone)}–${format.time(toMs, zone)}`,
              format.metric('steps'),
              Math.round(set.steps.points.reduce((sum, point) => sum + point.sum, 0)).toLocaleString(),
            ],
          },
        ]
      : []
    return [...lines, ...counted, ...spans, ...marks]
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ cells }) => cells)
  }
}

/** What is not shown because nobody shared it with the reader. */
function Hidden({ answers }: { answers: DayAnswers }): JSX.Element | null {
  const say = useSay()
  const hidden = [
    answers.meals === null ? say('lane.meal') : '',
    answers.nights === null ? say('lane.sleep') : '',
    answers.moods === null ? say('lane.mood') : '',
    answers.activities === null ? say('lane.activity') : '',
    answers.plans === null ? say('lane.plan') : '',
    answers.sessions === null ? say('lane.session') : '',
    answers.episodes === null ? say('lane.episode') : '',
  ].filter((word) => word !== '')
  if (hidden.length === 0) return null
  return <p class="holes">{say('day.hidden', { what: hidden.join(', ') })}</p>
}

function textOf(fields: Record<string, unknown> | null): string | null {
  if (fields === null) return null
  const texts = Object.values(fields).filter((value) => typeof value === 'string' && value !== '')
  return texts.length === 0 ? null : texts.join(', ').slice(0, 200)
}
