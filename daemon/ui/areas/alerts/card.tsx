/** One alert whole: what, who, since when, the answers to it, and the ladder with its clock. */
import { useComputed } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Show, Skeleton } from '../../parts/feedback.tsx'
import { Link } from '../../parts/link.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import type { Alert, AlertDetail } from './answers.ts'
import { nameIn, pathOf, useAlert } from './current.ts'
import { calling, clockOf, deadlineOf } from './ladder.ts'
import { Rungs } from './rungs.tsx'
import { Sights } from './sights.tsx'
import { words } from './words.ts'

const SNOOZES = [15, 30, 60]

/** `whole`: it is all that its page shows, so that nothing is folded away. */
export function AlertCard({ id, whole = false }: { id: string; whole?: boolean }): JSX.Element {
  const alert = useAlert(id)
  return (
    <Show of={alert} loading={<Skeleton rows={1} tall />}>
      {(found) => <Card alert={found} whole={whole} onAnswered={alert.set} onChanged={alert.reload} />}
    </Show>
  )
}

interface CardProps {
  alert: AlertDetail
  onAnswered: (alert: AlertDetail) => void
  onChanged: () => Promise<void>
}

function Card({ alert, whole, onAnswered, onChanged }: CardProps & { whole: boolean }): JSX.Element {
  const app = useApp()
  const { format, zone, clock } = app
  const say = useWords(words)
  const name = nameIn(app, alert.person_id)
  const when = format.moment(Date.parse(alert.created_at), zone, clock.nowMs())
  return (
    <article class={`alert-card alarm-${alert.kind}`} data-state={alert.state}>
      <header class="alert-head">
        <AlertMark alert={alert} />
        <h2>{name === null ? alert.title : `${name}: ${alert.title}`}</h2>
        {alert.message !== '' && <p>{alert.message}</p>}
        <p class="small">{say('alert.since', { when })}</p>
        <By alert={alert} />
      </header>
      <Answers alert={alert} onAnswered={onAnswered} onChanged={onChanged} />
      <Deadline alert={alert} />
      <h3>{say('alert.told')}</h3>
      <Rungs deliveries={alert.deliveries} />
      <Sights deliveries={alert.deliveries} open={whole} />
    </article>
  )
}

export function AlertMark({ alert: { state, kind } }: { alert: Pick<Alert, 'state' | 'kind'> }): JSX.Element {
  const say = useWords(words)
  if (state === 'open')
    return (
      <StateMark
        state={kind === 'urgent' ? 'urgent' : kind === 'warning' ? 'alert' : 'watch'}
        word={say(`kind.${kind}`)}
      />
    )
  const mark = state === 'acknowledged' ? 'watch' : state === 'resolved' ? 'ok' : 'stale'
  return <StateMark state={mark} word={say(`state.${state}`)} />
}

function By({ alert }: { alert: Alert }): JSX.Element | null {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  const { acknowledged_at: at, acknowledged_by_name: name } = alert
  if (at === null) return null
  const when = format.moment(Date.parse(at), zone, clock.nowMs())
  return (
    <p class="alert-by">
      {name === null ? say('alert.bySomebody', { when }) : say('alert.by', { name, when })}
    </p>
  )
}

/** The time until the next ones are called, counting down. */
function Deadline({ alert }: { alert: Alert }): JSX.Element | null {
  const { clock, format, zone } = useApp()
  const say = useWords(words)
  const text = useComputed(() => {
    const deadline = deadlineOf(alert, clock.tick.value)
    if (deadline === null) return ''
    if (deadline.kind === 'end')
      return say('alert.closes', { when: format.moment(deadline.atMs, zone, clock.nowMs()) })
    return deadline.leftMs === 0
      ? say('alert.nextNow')
      : say('alert.next', { left: clockOf(deadline.leftMs) })
  })
  return deadlineOf(alert, clock.nowMs()) === null ? null : <p class="alert-clock">{text}</p>
}

function Answers({ alert, onAnswered, onChanged }: CardProps): JSX.Element | null {
  const app = useApp()
  const { api, t } = app
  const say = useWords(words)
  const action = useAction()
  const answer = (path: string, said: string, body?: unknown) =>
    void action.run(async () => {
      onAnswered(await api.post<AlertDetail>(`${pathOf(alert.id)}/${path}`, body))
      app.said.value = said
    })
  const ofEpisode = (tell: (path: string) => Promise<unknown>, said: string) =>
    void action.run(async () => {
      await tell(`/episodes/${encodeURIComponent(alert.episode_id ?? '')}`)
      app.said.value = said
      await onChanged()
    })
  const disabled = action.busy.value
  const isOver = alert.state === 'resolved' || alert.state === 'expired'
  return (
    <div class="alert-answers">
      {calling(alert) && (
        <>
          <button
            type="button"
            class="button primary"
            disabled={disabled}
            onClick={() => answer('acknowledge', say('said.acknowledged'))}
          >
            {say('alert.acknowledge')}
          </button>
          <fieldset class="alert-snooze">
            <legend>{say('alert.snooze')}</legend>
            {SNOOZES.map((minutes) => (
              <button
                key={minutes}
                type="button"
                class="button compact"
                disabled={disabled}
                onClick={() => answer('snooze', say('said.snoozed', { minutes }), { minutes })}
              >
                {say('alert.minutes', { minutes })}
              </button>
            ))}
          </fieldset>
        </>
      )}
      {alert.episode_id !== null && (
        <div class="alert-further">
          {calling(alert) && (
            <button
              type="button"
              class="button compact"
              disabled={disabled}
              onClick={() => ofEpisode((path) => api.post(`${path}/escalate`), say('said.escalated'))}
            >
              {say('alert.escalate')}
            </button>
          )}
          {!isOver && (
            <button
              type="button"
              class="button compact"
              disabled={disabled}
              onClick={() => ofEpisode((path) => api.put(`${path}/resolve`, {}), say('said.resolved'))}
            >
              {say('alert.resolve')}
            </button>
          )}
          <Link to={`/alerts/episodes/${alert.episode_id}`} class="button compact">
            {say('alert.episode')}
          </Link>
        </div>
      )}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </div>
  )
}
