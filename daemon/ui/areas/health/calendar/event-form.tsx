/** Adds an event or changes one; a repeated event changes every time. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { weekdayOf } from '../../../../domain/recurrence.ts'
import { wallTimeToMs } from '../../../../domain/zone.ts'
import { useApp, useWords } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Field, Select } from '../../../parts/fields.tsx'
import { useHealth } from '../health.ts'
import { Chips, MomentField, wallTime } from '../note/inputs.tsx'
import { type Entry, type Guideline, KINDS, type Kind, type Team } from './answers.ts'
import { EVERY, type Every, repeatOf, repeatText, ruleOf, weekdayName } from './repeat.ts'
import { words } from './words.ts'

/** Where the form begins: a day, a time that was suggested, or an event that is there. */
export type Draft =
  | { day: string }
  | { entry: Entry }
  | { startMs: number; endMs: number; kind: Kind; drills: readonly unknown[]; isSuggested: true }

export interface EventFormProps {
  draft: Draft
  teams: readonly Team[]
  /** With the guidelines that it lies outside of; null when nothing was saved. */
  onDone: (warnings: readonly Guideline[] | null) => void
}

const HOUR_MS = 3_600_000
const LONGEST_MS = 14 * 24 * HOUR_MS
const OWN = 'own'
const AS_IS = 'asIs'

export function EventForm({ draft, teams, onDone }: EventFormProps): JSX.Element {
  const { api, clock, locale, said } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const action = useAction()
  const entry = 'entry' in draft ? draft.entry : null
  const zone = entry?.timezone ?? person.timezone
  const begun = beginning()
  const rule = entry?.rrule ?? null
  const known = repeatOf(rule)
  const title = useSignal(entry?.title ?? '')
  const kind = useSignal<Kind | ''>(entry?.event_type ?? ('kind' in draft ? draft.kind : 'training'))
  const whom = useSignal<string>(entry?.group_id ?? OWN)
  const start = useSignal(wallTime(begun.startMs, zone))
  const end = useSignal(wallTime(begun.endMs, zone))
  const every = useSignal<Every | typeof AS_IS>(known?.every ?? AS_IS)
  const days = useSignal<readonly number[]>(known?.days ?? [])
  const until = useSignal(known?.until ?? '')
  const [startMs, endMs] = [wallTimeToMs(start.value, zone), wallTimeToMs(end.value, zone)]
  const weekday = start.value === '' ? 0 : weekdayOf(Date.parse(`${start.value.slice(0, 10)}T00:00:00Z`))
  const fits = startMs !== null && endMs !== null && endMs > startMs && endMs - startMs <= LONGEST_MS
  const isWeekly = every.value === 'week' || every.value === 'twoWeeks'
  return (
    <section class="day">
      <h2>{entry ? say('form.change', { title: entry.title }) : say('form.new')}</h2>
      {rule !== null && <p class="small">{say('form.all')}</p>}
      <Form
        action={action}
        submit={say('form.save')}
        disabled={title.value.trim() === '' || !fits}
        onSubmit={save}
        aside={
          <button type="button" class="button" onClick={() => onDone(null)}>
            {say('form.cancel')}
          </button>
        }
      >
        <Field label={say('form.title')} value={title} required maxLength={200} />
        <Chips
          legend={say('form.kind')}
          value={kind}
          options={KINDS.map((value) => ({ value, label: say(`kind.${value}`) }))}
        />
        {entry === null && teams.length > 0 && (
          <Select
            label={say('form.for')}
            value={whom}
            options={[
              { value: OWN, label: person.name },
              ...teams.map(({ id, name }) => ({ value: id, label: say('event.team', { name }) })),
            ]}
          />
        )}
        <div class="field-pair">
          <MomentField label={say('form.start')} value={start} onChange={moveEnd} />
          <MomentField label={say('form.end')} value={end} />
        </div>
        {!fits && start.value !== '' && end.value !== '' && <p class="warn">{say('form.endWrong')}</p>}
        <Select
          label={say('form.repeat')}
          value={every}
          options={[
            ...(known === null && rule !== null
              ? [{ value: AS_IS as typeof AS_IS, label: say('every.asIs', { rule: ruleText(rule) }) }]
              : []),
            ...EVERY.map((value) => ({ value, label: say(`every.${value}`) })),
          ]}
        />
        {isWeekly && <Weekdays days={days} first={weekday} />}
        {every.value !== 'never' && every.value !== AS_IS && (
          <Field label={say('form.until')} value={until} type="date" />
        )}
      </Form>
    </section>
  )

  function ruleText(text: string): string {
    return repeatText(text, { weekday, dayOfMonth: Number(start.peek().slice(8, 10)) }, say, locale)
  }

  function beginning(): { startMs: number; endMs: number } {
    if ('startMs' in draft) return draft
    if ('entry' in draft) {
      const lengthMs = Date.parse(draft.entry.end_time) - Date.parse(draft.entry.start_time)
      const firstMs = Date.parse(draft.entry.series_start_time)
      return { startMs: firstMs, endMs: firstMs + lengthMs }
    }
    const atMs = wallTimeToMs(`${draft.day}T17:00`, zone) ?? clock.nowMs()
    return { startMs: atMs, endMs: atMs + HOUR_MS }
  }

  /** The length stays when the beginning moves. */
  function moveEnd(before: string): void {
    const [fromMs, toMs] = [wallTimeToMs(before, zone), wallTimeToMs(end.peek(), zone)]
    const nextMs = wallTimeToMs(start.peek(), zone)
    if (fromMs === null || toMs === null || nextMs === null || toMs <= fromMs) return
    end.value = wallTime(nextMs + toMs - fromMs, zone)
  }

  async function save(): Promise<void> {
    if (startMs === null || endMs === null || kind.value === '') return
    const chosen = every.value
    const rrule =
      chosen === AS_IS ? rule : ruleOf({ every: chosen, days: days.value, until: until.value }, weekday)
    const fields = {
      title: title.value.trim(),
      event_type: kind.value,
      start_time: new Date(startMs).toISOString(),
      end_time: new Date(endMs).toISOString(),
      rrule,
    }
    const about = whom.value === OWN ? { player_id: person.id } : { group_id: whom.value }
    const suggested = 'isSuggested' in draft ? { ai_generated: true, drills: [...draft.drills] } : {}
    const { warnings } = entry
      ? await api.patch<{ warnings: Guideline[] }>(`/calendar/events/${encodeURIComponent(entry.id)}`, fields)
      : await api.post<{ warnings: Guideline[] }>('/calendar/events', { ...about, ...fields, ...suggested })
    said.value = say('event.saved')
    onDone(warnings)
  }
}

function Weekdays({
  days,
  first,
}: {
  days: { value: readonly number[] }
  /** The day of the first time, which is always one of them. */
  first: number
}): JSX.Element {
  const { locale } = useApp()
  const say = useWords(words)
  return (
    <fieldset class="chips">
      <legend>{say('form.days')}</legend>
      {[0, 1, 2, 3, 4, 5, 6].map((day) => (
        <label key={day} class="chip-choice">
          <input
            type="checkbox"
            checked={day === first || days.value.includes(day)}
            disabled={day === first}
            onChange={(event) => {
              const others = days.value.filter((one) => one !== day)
              days.value = event.currentTarget.checked ? [...others, day] : others
            }}
          />
          <span>{weekdayName(day, locale, 'short')}</span>
        </label>
      ))}
    </fieldset>
  )
}
