/** What is planned for one person: a list or a month, changed here, looked at without the hub, and the ways out of it. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import { Empty, Notice } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { useHealth } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { useToday } from '../parts/day-step.tsx'
import { dayPlus } from '../scale.ts'
import { Agenda } from './agenda.tsx'
import type { Entry, Guideline, Team } from './answers.ts'
import { type Draft, EventForm } from './event-form.tsx'
import { Feeds } from './feeds.tsx'
import { FreeTimes } from './free-times.tsx'
import { Month } from './month.tsx'
import { daysOf, gridOf, instantsOf, monthPlus, plannedOf } from './plan.ts'
import { words } from './words.ts'

type Open = { kind: 'nothing' } | { kind: 'free' } | { kind: 'form'; draft: Draft }
const VIEWS = ['list', 'month'] as const
/** A list reaches into the next month, so that its last days are not alone. */
const AHEAD_DAYS = 28

export function Calendar(): JSX.Element {
  const { api, following } = useApp()
  const { person } = useHealth()
  const today = useToday()
  const month = useSignal(today.slice(0, 7))
  const weeks = gridOf(month.value)
  const [first, last] = [weeks[0]?.[0] ?? today, weeks.at(-1)?.[6] ?? today]
  const isNow = month.value === today.slice(0, 7)
  const to = isNow && dayPlus(today, AHEAD_DAYS) > last ? dayPlus(today, AHEAD_DAYS) : last
  const { fromMs, toMs } = instantsOf(first, to, person.timezone)
  const window = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`
  const kept = useKept(`calendar.${person.id}`, month.value, async () => {
    const [entries, teams] = await Promise.all([
      api.all<Entry>(`/calendar/events?player_id=${encodeURIComponent(person.id)}&${window}`),
      teamsOf(person.id),
    ])
    return { entries, teams }
  })
  useEffect(
    () =>
      following.follow('calendar', {
        onEvent: ({ type }) => void (type === 'calendar_update' && kept.reload()),
        onGap: () => void kept.reload(),
      }),
    [kept],
  )
  return (
    <Known of={kept}>
      {({ entries, teams }) => (
        <Plan
          {...{ entries, teams, weeks, month, today }}
          span={{ from: first, to }}
          readable={kept.keptAtMs.value !== null}
          reload={() => kept.reload()}
        />
      )}
    </Known>
  )

  /** The teams that somebody plays in; nobody else's plan is asked for. */
  async function teamsOf(personId: string): Promise<Team[]> {
    const groups = await api.all<
      Team & { kind: string; members: { person_id: string | null; role: string }[] }
    >('/groups')
    return groups
      .filter(({ kind, members }) => kind === 'team' && members.some(({ person_id: id }) => id === personId))
      .map(({ id, name }) => ({ id, name }))
  }
}

interface PlanProps {
  entries: readonly Entry[]
  teams: readonly Team[]
  weeks: readonly (readonly string[])[]
  month: Signal<string>
  today: string
  span: { from: string; to: string }
  /** Without the hub: what was last known, not to be changed. */
  readable: boolean
  reload: () => Promise<void>
}

function Plan({ entries, teams, weeks, month, today, span, readable, reload }: PlanProps): JSX.Element {
  const { format } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const view = useSignal<(typeof VIEWS)[number]>('list')
  const chosen = useSignal<string | null>(null)
  const open = useSignal<Open>({ kind: 'nothing' })
  const warnings = useSignal<readonly Guideline[]>([])
  const planned = plannedOf(entries)
  const isNow = month.value === today.slice(0, 7)
  const days = daysOf(planned, person.timezone, span.from, span.to)
  const from = isNow ? today : `${month.value}-01`
  const listed =
    view.value === 'month'
      ? days.filter(({ day }) => day === chosen.value)
      : days.filter(({ day }) => day >= from && (isNow || day.slice(0, 7) === month.value))
  const clashes = listed.flatMap(({ events }) => events).filter(({ clashes }) => clashes.length > 0).length
  const close = () => {
    open.value = { kind: 'nothing' }
  }
  if (open.value.kind === 'form') return <EventForm draft={open.value.draft} teams={teams} onDone={done} />
  return (
    <>
      <section class="day">
        <div class="travel-row">
          <MonthStep month={month} onStep={() => (chosen.value = null)} />
          <fieldset class="segments">
            <legend class="visually-hidden">{say('view.label')}</legend>
            {VIEWS.map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={view.value === one}
                onClick={() => (view.value = one)}
              >
                {say(`view.${one}`)}
              </button>
            ))}
          </fieldset>
        </div>
        {view.value === 'month' && (
          <Month weeks={weeks} month={month.value} today={today} days={days} chosen={chosen} />
        )}
        {readable ? (
          <p class="small">{say('form.offline')}</p>
        ) : (
          <div class="form-actions">
            <button type="button" class="button primary" onClick={() => edit({ day: chosen.value ?? from })}>
              <Icon name="plus" size={20} />
              {say('form.add')}
            </button>
            <button type="button" class="button" onClick={() => (open.value = { kind: 'free' })}>
              {say('free.open')}
            </button>
          </div>
        )}
      </section>
      {warnings.value.length > 0 && <Guidelines warnings={warnings} />}
      {open.value.kind === 'free' && (
        <FreeTimes
          onClose={close}
          onTake={(startMs, endMs, kind, drills) => edit({ startMs, endMs, kind, drills, isSuggested: true })}
        />
      )}
      {clashes > 0 && (
        <Notice tone="watch" icon="warning">
          {say('clash.some', { count: clashes })}
        </Notice>
      )}
      {listedPart()}
      {!readable && <Feeds />}
    </>
  )

  function listedPart(): JSX.Element | null {
    if (listed.length > 0)
      return (
        <Agenda
          days={listed}
          teams={teams}
          readable={readable}
          onEdit={(one) => edit({ entry: one })}
          onChanged={() => void reload()}
        />
      )
    if (view.value === 'month')
      return chosen.value === null ? null : (
        <p class="holes">{say('list.emptyDay', { day: format.day(chosen.value, 'long') })}</p>
      )
    return (
      <Empty icon="table" title={say('list.empty')} text={say('list.emptyText', { name: person.name })} />
    )
  }

  function edit(draft: Draft): void {
    warnings.value = []
    open.value = { kind: 'form', draft }
  }

  function done(found: readonly Guideline[] | null): void {
    close()
    if (found === null) return
    warnings.value = found
    void reload()
  }
}

function MonthStep({ month, onStep }: { month: Signal<string>; onStep: () => void }): JSX.Element {
  const { locale } = useApp()
  const say = useWords(words)
  const name = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })
  const step = (by: number) => {
    month.value = monthPlus(month.value, by)
    onStep()
  }
  return (
    <div class="travel">
      <button type="button" class="icon-button" aria-label={say('month.before')} onClick={() => step(-1)}>
        <Icon name="back" />
      </button>
      <h2 class="month-name" aria-live="polite">
        {name.format(Date.parse(`${month.value}-15T00:00:00Z`))}
      </h2>
      <button type="button" class="icon-button" aria-label={say('month.after')} onClick={() => step(1)}>
        <Icon name="next" />
      </button>
    </div>
  )
}

/** Which guidelines the event that was just saved lies outside of; seen and put away. */
function Guidelines({ warnings }: { warnings: Signal<readonly Guideline[]> }): JSX.Element {
  const say = useWords(words)
  const sentences = [...new Set(warnings.value.map(({ message }) => message))]
  return (
    <Notice
      tone="watch"
      icon="warning"
      live
      action={
        <button type="button" class="button compact" onClick={() => (warnings.value = [])}>
          {say('guideline.ok')}
        </button>
      }
    >
      <strong>{say('guideline.title')}</strong>
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <p>{say('guideline.choice')}</p>
    </Notice>
  )
}
