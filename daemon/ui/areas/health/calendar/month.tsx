/** A month on one page: a mark for each kind of event on a day, and the day that is looked at. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../../app.ts'
import { KINDS } from './answers.ts'
import type { PlannedDay } from './plan.ts'
import { weekdayName } from './repeat.ts'
import { words } from './words.ts'

export interface MonthProps {
  weeks: readonly (readonly string[])[]
  month: string
  today: string
  days: readonly PlannedDay[]
  chosen: Signal<string | null>
}

export function Month({ weeks, month, today, days, chosen }: MonthProps): JSX.Element {
  const { format, locale } = useApp()
  const say = useWords(words)
  const planned = new Map(days.map(({ day, events }) => [day, events]))
  const name = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })
  return (
    <table class="month">
      <caption class="visually-hidden">
        {say('month.table', { month: name.format(Date.parse(`${month}-15T00:00:00Z`)) })}
      </caption>
      <thead>
        <tr>
          {[0, 1, 2, 3, 4, 5, 6].map((day) => (
            <th key={day} scope="col" abbr={weekdayName(day, locale, 'long')}>
              {weekdayName(day, locale, 'short')}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week[0]}>
            {week.map((day) => (
              <td key={day}>{day.startsWith(month) ? dayButton(day) : null}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )

  function dayButton(day: string): JSX.Element {
    const events = planned.get(day) ?? []
    const clash = events.some(({ clashes }) => clashes.length > 0)
    const told = { day: format.day(day, 'long'), count: events.length }
    return (
      <button
        type="button"
        class={day === today ? 'month-day is-today' : 'month-day'}
        aria-pressed={chosen.value === day}
        aria-label={clash ? say('month.dayClash', told) : say('month.day', told)}
        onClick={() => {
          chosen.value = day
        }}
      >
        {Number(day.slice(8))}
        <span class="month-marks">
          {KINDS.filter((kind) => events.some(({ entry }) => entry.event_type === kind)).map((kind) => (
            <span key={kind} class={`kind-mark kind-${kind}`} />
          ))}
          {clash && <span class="month-clash">!</span>}
        </span>
      </button>
    )
  }
}
