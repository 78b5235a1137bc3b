/** One episode: its life line, the values around it, why it was opened, and what can be done. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { ErrorLine, Form, useAction } from '../../parts/action.tsx'
import { errorText, Show, Skeleton } from '../../parts/feedback.tsx'
import { Field } from '../../parts/fields.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import type { EpisodeDetail } from './answers.ts'
import { nameIn, useCurrent } from './current.ts'
import { Vitals } from './vitals.tsx'
import { Why } from './why.tsx'
import { words } from './words.ts'

export function EpisodePage({ id }: { id: string }): JSX.Element {
  const say = useWords(words)
  const path = `/episodes/${encodeURIComponent(id)}`
  const episode = useCurrent(
    ({ api }) => api.get<EpisodeDetail>(path),
    () => true,
    id,
  )
  return (
    <Screen title={say('episode.title')} back="/alerts" narrow>
      <Show of={episode} loading={<Skeleton rows={2} tall />}>
        {(found) => (
          <>
            <Head episode={found} />
            <Actions episode={found} path={path} onAnswered={episode.set} />
            <Vitals episode={found} />
            <LifeLine episode={found} />
            <Note path={path} onAnswered={episode.set} />
          </>
        )}
      </Show>
    </Screen>
  )
}

function Head({ episode }: { episode: EpisodeDetail }): JSX.Element {
  const app = useApp()
  const say = useWords(words)
  const name = nameIn(app, episode.person_id)
  const { state, severity } = episode
  const when = app.format.moment(Date.parse(episode.started_at), app.zone, app.clock.nowMs())
  const mark = state === 'resolved' ? 'ok' : state === 'acknowledged' ? 'watch' : severityMark(severity)
  return (
    <div class="alert-head">
      <StateMark state={mark} word={say(`episode.${state}`)} />
      <h2>{name === null ? episode.title : `${name}: ${episode.title}`}</h2>
      <p class="small">{say('alert.since', { when })}</p>
    </div>
  )
}

function severityMark(severity: EpisodeDetail['severity']): 'urgent' | 'alert' {
  return severity === 'urgent' ? 'urgent' : 'alert'
}

interface ActionsProps {
  episode: EpisodeDetail
  path: string
  onAnswered: (episode: EpisodeDetail) => void
}

function Actions({ episode, path, onAnswered }: ActionsProps): JSX.Element {
  const { api, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const { state } = episode
  const act = (ask: () => Promise<EpisodeDetail>) => void action.run(async () => onAnswered(await ask()))
  const button = (word: string, ask: () => Promise<EpisodeDetail>, isFirst = false) => (
    <button
      type="button"
      class={isFirst ? 'button primary' : 'button'}
      disabled={action.busy.value}
      onClick={() => act(ask)}
    >
      {word}
    </button>
  )
  return (
    <div class="alert-answers">
      <div class="alert-further">
        {(state === 'open' || state === 'escalated') &&
          button(say('alert.acknowledge'), () => api.post(`${path}/acknowledge`), true)}
        {(state === 'open' || state === 'acknowledged') &&
          button(say('alert.escalate'), () => api.post(`${path}/escalate`))}
        {state === 'resolved'
          ? button(say('episode.reopen'), () => api.post(`${path}/reopen`))
          : button(say('alert.resolve'), () => api.put(`${path}/resolve`, {}))}
        <Why episode={episode} />
      </div>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </div>
  )
}

/** Everything that happened, in its order, with who did it. */
function LifeLine({ episode }: { episode: EpisodeDetail }): JSX.Element {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  return (
    <Section title={say('episode.line')}>
      <ol class="rungs">
        {episode.timeline.map(({ number, ts, kind, by_name: by, text }) => (
          <li key={number}>
            <span class="rung-step">{format.moment(Date.parse(ts), zone, clock.nowMs())}</span>
            <div>
              <strong>{say(`row.${kind}`)}</strong> <span class="rung-fate">{by}</span>
            </div>
            {text !== null && <p>{text}</p>}
          </li>
        ))}
      </ol>
    </Section>
  )
}

function Note({ path, onAnswered }: Omit<ActionsProps, 'episode'>): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const action = useAction()
  const text = useSignal('')
  return (
    <Section title={say('episode.note')}>
      <Form
        action={action}
        submit={say('episode.addNote')}
        disabled={text.value.trim() === ''}
        onSubmit={async () => {
          onAnswered(await api.post<EpisodeDetail>(`${path}/notes`, { text: text.peek().trim() }))
          text.value = ''
        }}
      >
        <Field label={say('episode.noteText')} value={text} required maxLength={1000} />
      </Form>
    </Section>
  )
}
