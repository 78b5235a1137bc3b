/** Last night with its stages, the nights before it, what sleep is owed and how regular it was. */
import type { JSX } from 'preact'
import { localDay } from '../../../../domain/zone.ts'
import { useApp } from '../../../app.ts'
import type { Observations, RawPoint } from '../../../net/answers.ts'
import type { Api } from '../../../net/api.ts'
import { Empty } from '../../../parts/feedback.tsx'
import { Link } from '../../../parts/link.tsx'
import { Section } from '../../../parts/screen.tsx'
import { asApiError } from '../../../state/resource.ts'
import type { DailyRow, Night } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { dayPlus } from '../scale.ts'
import { Hypnogram, StageBar } from './hypnogram.tsx'
import { debtHours, needHours, nightsByDay, regularityOf, stagesOf } from './nights.ts'
import { NightsFigure } from './nights-figure.tsx'

interface Answers {
  nights: Night[]
  rows: DailyRow[]
  /** Of the last night. */
  states: RawPoint[]
}

const SHOWN = 14
const BEFORE = 28

export function Sleep(): JSX.Element {
  const { api, clock } = useApp()
  const { person } = useHealth()
  const today = localDay(clock.nowMs(), person.timezone)
  const kept = useKept(`sleep.${person.id}`, today, () => fetchNights(api, person.id, today))
  return <Known of={kept}>{(answers) => <Nights answers={answers} today={today} />}</Known>
}

async function fetchNights(api: Api, personId: string, today: string): Promise<Answers> {
  const id = encodeURIComponent(personId)
  const from = dayPlus(today, 1 - BEFORE)
  const [nights, { rows }] = await Promise.all([
    api.all<Night>(`/sleep?person_id=${id}&from=${from}&to=${today}`),
    api.get<{ rows: DailyRow[] }>(`/people/${id}/daily?from=${dayPlus(today, 1 - SHOWN)}&to=${today}`),
  ])
  const last = nightsByDay(nights).at(-1)
  if (!last || (last.stages && last.stages.length > 0)) return { nights, rows, states: [] }
  const about = new URLSearchParams({
    ...{ metric: 'sleep_state', level: 'raw' },
    from: last.sleep_start,
    to: last.sleep_end,
  })
  try {
    const { points } = await api.get<Observations<RawPoint>>(`/people/${id}/observations?${about}`)
    return { nights, rows, states: points }
  } catch (cause) {
    // The stages alone may be missing; the night itself stays.
    if (asApiError(cause).code === 'OFFLINE') throw cause
    return { nights, rows, states: [] }
  }
}

function Nights({ answers, today }: { answers: Answers; today: string }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { person } = useHealth()
  const nights = nightsByDay(answers.nights)
  const last = nights.at(-1)
  if (!last)
    return (
      <Empty icon="watch" title={say('sleep.empty')} text={say('sleep.emptyText', { name: person.name })}>
        <Link class="button" to={`/health/${person.id}/import`}>
          {say('screen.import')}
        </Link>
      </Empty>
    )
  const shown = nights.filter(({ wake_date: date }) => date > dayPlus(today, -SHOWN))
  return (
    <>
      <section class="day">
        <LastNight night={last} states={answers.states} today={today} />
      </section>
      <Owed rows={answers.rows} nights={nights} />
      <Section title={say('sleep.nights', { count: SHOWN })}>
        <div class="day">
          {shown.length === 0 ? (
            <p>{say('sleep.noneLately', { day: format.day(last.wake_date) })}</p>
          ) : (
            <NightsFigure nights={shown} today={today} />
          )}
        </div>
      </Section>
    </>
  )
}

function LastNight({
  night,
  states,
  today,
}: {
  night: Night
  states: RawPoint[]
  today: string
}): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { person } = useHealth()
  const zone = person.timezone
  const stages = stagesOf(states, night)
  const [startMs, endMs] = [Date.parse(night.sleep_start), Date.parse(night.sleep_end)]
  const isOld = night.wake_date < today
  return (
    <>
      <h2>{isOld ? say('sleep.nightTo', { day: format.day(night.wake_date) }) : say('sleep.lastNight')}</h2>
      {night.wake_date < dayPlus(today, -1) && <p class="holes">{say('sleep.old')}</p>}
      <p class="night-line">
        <span class="big-number">{format.span(night.duration_minutes * 60_000)}</span>
        <span class="origin">
          <span>
            {format.time(startMs, zone)}–{format.time(endMs, zone)}
          </span>
          {night.quality_score !== null && (
            <span>{say('sleep.quality', { score: night.quality_score })}</span>
          )}
          <span>{say('sleep.from', { source: night.source.replaceAll('_', ' ') })}</span>
        </span>
      </p>
      {stages.length > 0 ? <Hypnogram night={night} stages={stages} /> : <StageBar night={night} />}
    </>
  )
}

function Owed({ rows, nights }: { rows: readonly DailyRow[]; nights: readonly Night[] }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { person } = useHealth()
  const need = needHours(person.age)
  const debt = need === null ? null : debtHours(rows, need)
  const regularity = regularityOf(nights)
  return (
    <dl class="facts">
      <div>
        <dt>
          {say('sleep.debt')}
          <span class="small fact-more">
            {need === null ? say('sleep.noNeed') : say('sleep.debtText', { need })}
          </span>
        </dt>
        <dd>{debt === null ? say('sleep.tooFew', { count: 7 }) : format.span(debt * 3_600_000)}</dd>
      </div>
      <div>
        <dt>
          {say('sleep.regularity')}
          <span class="small fact-more">{say('sleep.regularityText')}</span>
        </dt>
        <dd>
          {regularity === null
            ? say('sleep.tooFew', { count: 5 })
            : say('sleep.regularityOf', { value: Math.round(regularity) })}
        </dd>
      </div>
    </dl>
  )
}
