/** Glucose over two weeks to three months: shares of time in ranges, the usual day, and the numbers a clinic asks for. */
import type { JSX } from 'preact'
import { localDay } from '../../../../domain/zone.ts'
import { useApp } from '../../../app.ts'
import { Empty, Notice } from '../../../parts/feedback.tsx'
import { Link } from '../../../parts/link.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { GlucoseSummary } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { UnitChoice } from '../parts/unit-choice.tsx'
import { addressOf } from '../screens.ts'
import { glucoseText, targetOf } from '../units.ts'
import { ProfileFigure } from './profile-figure.tsx'
import { RangesFigure } from './ranges-figure.tsx'

const DAYS = [14, 30, 90] as const

export function GlucoseReport(): JSX.Element {
  const { api, router, clock } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const asked = router.place.value.query.get('days')
  const days = DAYS.find((one) => String(one) === asked) ?? 14
  const today = localDay(clock.nowMs(), person.timezone)
  const kept = useKept(`report.${person.id}`, `${days} ${today}`, () =>
    api.get<GlucoseSummary>(
      `/glucose/daily-summary?person_id=${encodeURIComponent(person.id)}&days=${days}&profile=true`,
    ),
  )
  return (
    <>
      <fieldset class="segments">
        <legend class="visually-hidden">{say('report.days')}</legend>
        {DAYS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === days}
            onClick={() => router.go(`/health/${person.id}/report?days=${one}`, { replace: true })}
          >
            {say('report.span', { days: one })}
          </button>
        ))}
      </fieldset>
      <Known of={kept}>{(summary) => <Report summary={summary} />}</Known>
      <UnitChoice />
    </>
  )
}

function Report({ summary }: { summary: GlucoseSummary }): JSX.Element {
  const say = useSay()
  const { person } = useHealth()
  if (summary.readings === 0)
    return (
      <Empty icon="chart" title={say('report.empty')} text={say('report.emptyText', { name: person.name })}>
        <Link to={addressOf(person.id, 'import')} class="button">
          {say('screen.import')}
        </Link>
      </Empty>
    )
  return (
    <>
      <Shortages summary={summary} />
      <div class="report">
        <Section title={say('report.ranges')}>
          <RangesFigure summary={summary} />
        </Section>
        <Section title={say('report.numbers')}>
          <Numbers summary={summary} />
        </Section>
      </div>
      <Section title={say('report.profile')}>
        <p class="small">{say('report.profileText')}</p>
        <ProfileFigure summary={summary} />
      </Section>
    </>
  )
}

/** Whether the days are enough to speak of, said before the numbers. */
function Shortages({ summary }: { summary: GlucoseSummary }): JSX.Element | null {
  const say = useSay()
  if (summary.sufficient) return null
  const wear = summary.wear_percent === null ? '–' : summary.wear_percent.toFixed(0)
  return (
    <Notice tone="watch" icon="warning">
      {summary.shortages.map((shortage) => (
        <p key={shortage}>{say(`shortage.${shortage}`, { wear })}</p>
      ))}
      <p>{say('shortage.means')}</p>
    </Notice>
  )
}

function Numbers({ summary }: { summary: GlucoseSummary }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { units, person } = useHealth()
  const unit = units.glucose.value
  const percent = (value: number | null, digits = 0) => (value === null ? '–' : `${value.toFixed(digits)} %`)
  const glucose = (value: number | null) => (value === null ? '–' : `${glucoseText(value, unit)} ${unit}`)
  const target = targetOf(person)
  const own: [name: string, value: string, text: string][] = [
    [
      say('report.target'),
      percent(summary.time_in_target_percent ?? null),
      `${glucoseText(target.low, unit)}–${glucoseText(target.high, unit)} ${unit}`,
    ],
  ]
  const facts: [name: string, value: string, text: string][] = [
    ...(target.isOwn ? own : []),
    [say('report.mean'), glucose(summary.avg_glucose), ''],
    [say('report.gmi'), percent(summary.gmi, 1), say('report.gmiText')],
    [say('report.cv'), percent(summary.cv), say('report.cvText')],
    [say('report.sd'), glucose(summary.std_glucose), ''],
    [say('report.wear'), percent(summary.wear_percent), say('report.wearText')],
    [say('report.readings'), summary.readings.toLocaleString(), periodText()],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, value, text]) => (
        <div key={name}>
          <dt>
            {name}
            {text !== '' && <span class="small fact-more">{text}</span>}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )

  function periodText(): string {
    const zone = person.timezone
    return `${format.date(Date.parse(summary.from), zone)} – ${format.date(Date.parse(summary.to) - 1, zone)}`
  }
}
