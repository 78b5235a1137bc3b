/** One quiet line: whether a person's vitals are as on the days before, with what is compared behind it. */
import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import { StateMark } from '../../../parts/state-mark.tsx'
import { createResource } from '../../../state/resource.ts'
import { words } from './words.ts'

/** What the hub answers, as far as this line reads it. */
export interface Usualness {
  status: 'usual' | 'unusual' | 'learning' | 'silent'
  channels: { metric: string; unit: string; expected: number; seen: number | null }[]
  learnt: { at: string | null; minutes: number; needed?: number }
  model: { name: string; version: string; false_alarms_per_day: number }
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440

/** Nothing while nothing is measured, and for whoever may not see it. */
export function Usual({ personId }: { personId: string }): JSX.Element | null {
  const { api, clock } = useApp()
  const say = useWords(words)
  const answer = useMemo(
    () => createResource(() => api.get<Usualness>(`/people/${encodeURIComponent(personId)}/anomaly`)),
    [api, personId],
  )
  const minute = useComputed(() => Math.floor(clock.tick.value / MINUTE_MS)).value
  useEffect(() => void answer.reload(), [answer, minute])
  const { value } = answer.state.value
  if (value === null || value.status === 'silent') return null
  if (value.status === 'learning') {
    const { minutes, needed = DAY_MINUTES } = value.learnt
    if (minutes === 0) return null
    const days = (count: number) => Math.floor((count / DAY_MINUTES) * 10) / 10
    return <p class="small">{say('usual.learning', { done: days(minutes), needed: days(needed) })}</p>
  }
  return (
    <section aria-label={say('usual.label')}>
      <Compared value={value} />
    </section>
  )
}

function Compared({ value: { status, channels, learnt, model } }: { value: Usualness }): JSX.Element {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  const when = learnt.at === null ? '' : format.moment(Date.parse(learnt.at), zone, clock.nowMs())
  return (
    <details class="method">
      <summary>
        <StateMark
          state={status === 'usual' ? 'ok' : 'watch'}
          word={say(status === 'usual' ? 'usual.usual' : 'usual.unusual')}
        />
      </summary>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{say('usual.value')}</th>
            <th scope="col">{say('usual.seen')}</th>
            <th scope="col">{say('usual.expected')}</th>
          </tr>
        </thead>
        <tbody>
          {channels.map(({ metric, seen, expected }) => (
            <tr key={metric}>
              <th scope="row">{format.metric(metric)}</th>
              <td>{seen === null ? '–' : `${format.value(metric, seen)} ${format.unit(metric)}`}</td>
              <td>{`${format.value(metric, expected)} ${format.unit(metric)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="small">
        {say('usual.learnt', {
          ...{ days: Math.round(learnt.minutes / DAY_MINUTES), when, version: model.version },
          ...{ name: model.name, every: Math.round(1 / model.false_alarms_per_day) },
        })}
      </p>
    </details>
  )
}
