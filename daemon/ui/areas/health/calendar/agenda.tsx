/** Days with what is planned on them; one touch opens the details. */
import type { JSX } from 'preact'
import { weekdayOf } from '../../../../domain/recurrence.ts'
import { wallClockMs } from '../../../../domain/zone.ts'
import { useApp, useWords } from '../../../app.ts'
import { Confirm } from '../../../parts/action.tsx'
import { StateMark } from '../../../parts/state-mark.tsx'
import { useHealth } from '../health.ts'
import type { Entry, Team } from './answers.ts'
import type { Planned, PlannedDay } from './plan.ts'
import { repeatText } from './repeat.ts'
import { words } from './words.ts'

export interface AgendaProps {
  days: readonly PlannedDay[]
  teams: readonly Team[]
  readable: boolean
  onEdit: (entry: Entry) => void
  onChanged: () => void
}

export function Agenda({ days, ...rest }: AgendaProps): JSX.Element {
  const { format } = useApp()
  return (
    <>
      {days.map(({ day, events }) => (
        <section key={day} class="agenda-day">
          <h2>{format.day(day, 'long')}</h2>
          <ul class="rows">
            {events.map((one) => (
              <EventRow key={one.key} one={one} {...rest} />
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

function EventRow({
  one,
  teams,
  readable,
  onEdit,
  onChanged,
}: Omit<AgendaProps, 'days'> & { one: Planned }): JSX.Element {
  const { api, format, locale, said } = useApp()
  const { person } = useHealth()
  const say = useWords(words)
  const { entry } = one
  const zone = person.timezone
  const wallMs = wallClockMs(Date.parse(entry.series_start_time), entry.timezone)
  const repeats =
    entry.rrule === null
      ? null
      : repeatText(
          entry.rrule,
          { weekday: weekdayOf(wallMs), dayOfMonth: new Date(wallMs).getUTCDate() },
          say,
          locale,
        )
  const team = entry.group_id === null ? null : teams.find(({ id }) => id === entry.group_id)
  const time = one.isAllDay
    ? say('list.allDay')
    : `${format.time(one.startMs, zone)}–${format.time(one.endMs, zone)}`
  return (
    <li class="agenda-event">
      <details>
        <summary class="row">
          <span class={`kind-mark kind-${entry.event_type}`} />
          <span class="row-text">
            <span class="row-title">{entry.title}</span>
            <span class="row-more">
              {time} · {say(`kind.${entry.event_type}`)}
              {repeats !== null && ` · ${repeats}`}
            </span>
            {one.clashes.length > 0 && (
              <StateMark state="watch" word={say('event.clash', { titles: one.clashes.join(', ') })} />
            )}
          </span>
        </summary>
        <div class="agenda-more">
          {entry.group_id !== null && (
            <p>{team ? say('event.team', { name: team.name }) : say('event.aTeam')}</p>
          )}
          {entry.drills.map((drill, index) => (
            <p key={index}>{drillText(drill)}</p>
          ))}
          {entry.ai_generated && <p class="small">{say('event.suggested')}</p>}
          {entry.read_only ? (
            <p class="small">{say('event.readOnly', { name: person.name })}</p>
          ) : readable ? null : (
            <div class="form-actions">
              <button type="button" class="button compact" onClick={() => onEdit(entry)}>
                {say('event.edit')}
              </button>
              <Confirm
                small
                label={say('event.remove')}
                title={say('event.removeTitle', { title: entry.title })}
                text={say(entry.rrule === null ? 'event.removeText' : 'event.removeAll')}
                confirm={say('event.remove')}
                onConfirm={async () => {
                  await api.remove(`/calendar/events/${encodeURIComponent(entry.id)}`)
                  said.value = say('event.removed')
                  onChanged()
                }}
              />
            </div>
          )}
        </div>
      </details>
    </li>
  )
}

/** Drills are of the coach's own making: what of one is a name, a length or words is shown. */
function drillText(drill: unknown): string {
  if (typeof drill !== 'object' || drill === null) return String(drill)
  return Object.values(drill)
    .filter((part) => typeof part === 'string' || typeof part === 'number')
    .join(' · ')
}
