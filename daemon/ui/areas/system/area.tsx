/** The box itself, for its owner: what works, room and wear, copies, clock, versions, and a file for somebody who helps. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { StateMark, type StateName } from '../../parts/state-mark.tsx'
import type { Place } from '../../router.ts'
import { Nowhere } from '../../screens/nowhere.tsx'
import { createResource, type Resource } from '../../state/resource.ts'
import type { HubState, Part } from './answers.ts'
import { PlainText, RecoveredText } from './banner.tsx'
import { Clock, Versions } from './clock.tsx'
import { Copies, Storage } from './storage.tsx'
import { words } from './words.ts'

const STATES = { up: 'ok', starting: 'watch', degraded: 'watch', down: 'alert' } as const satisfies Record<
  Part['state'],
  StateName
>
const MORE = [
  { to: '/more/privacy', icon: 'eye', word: 'more.audit', text: 'more.auditText' },
  { to: '/more/privacy/backup', icon: 'box', word: 'more.backup', text: 'more.backupText' },
  { to: '/more/about', icon: 'shield', word: 'more.about', text: 'more.aboutText' },
] as const satisfies readonly { to: string; icon: IconName; word: string; text: string }[]

export function System({ path }: Place): JSX.Element {
  return path === '/more/system' ? <Page /> : <Nowhere />
}

function Page(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const hub = useMemo(() => createResource(() => api.get<HubState>('/system')), [])
  useEffect(() => void hub.reload(), [])
  return (
    <Screen title={say('title')} back="/more" narrow>
      <Show of={hub}>
        {(state) => (
          <div class="system">
            <Urgent state={state} of={hub} />
            <Parts parts={state.parts} />
            <Storage storage={state.storage} />
            <Copies storage={state.storage} onMade={() => hub.reload()} />
            <Clock clock={state.clock} />
            <Versions state={state} />
            <Further />
            <Support />
          </div>
        )}
      </Show>
    </Screen>
  )
}

/** What wants somebody to do something. */
function Urgent({ state, of }: { state: HubState; of: Resource<HubState> }): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const { recovered, plain_uploads: plain, storage } = state
  const { room } = storage
  return (
    <>
      {recovered && (
        <Dealt
          tone="watch"
          word={say('recovered.read')}
          onDone={() => api.remove('/system/recovered').then(of.reload)}
        >
          <RecoveredText recovered={recovered} />
        </Dealt>
      )}
      {plain && (
        <Dealt
          tone="alert"
          word={say('plain.end')}
          onDone={() => api.remove('/uploaders/plain').then(of.reload)}
        >
          <PlainText expiresAt={plain.expires_at} />
        </Dealt>
      )}
      {room.state !== 'roomy' && (
        <Notice tone="alert" icon="warning">
          {say(`storage.${room.state}`)}
          {room.refused_rows > 0 && <> {say('storage.refused', { count: room.refused_rows })}</>}
        </Notice>
      )}
    </>
  )
}

interface DealtProps {
  tone: 'watch' | 'alert'
  children: ComponentChildren
  word: string
  onDone: () => Promise<void>
}

function Dealt({ tone, children, word, onDone }: DealtProps): JSX.Element {
  const { t } = useApp()
  const action = useAction()
  const button = (
    <button
      type="button"
      class="button compact"
      disabled={action.busy.value}
      onClick={() => void action.run(onDone)}
    >
      {word}
    </button>
  )
  return (
    <>
      <Notice tone={tone} icon="warning" action={button}>
        {children}
      </Notice>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </>
  )
}

function Parts({ parts }: { parts: readonly Part[] }): JSX.Element {
  const say = useWords(words)
  const called = (name: string) => {
    const key = `part.${name}`
    return key in words ? say(key as 'part.store') : name
  }
  return (
    <Section title={say('parts.title')}>
      <ul class="rows">
        {parts.map(({ name, state, detail }) => (
          <li key={name} class="row">
            <span class="row-text">
              <span class="row-title">{called(name)}</span>
              {detail !== null && <span class="row-more">{detail}</span>}
            </span>
            <StateMark state={STATES[state]} word={say(`state.${state}`)} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Further(): JSX.Element {
  const say = useWords(words)
  return (
    <Section title={say('more.title')}>
      <ul class="rows">
        {MORE.map(({ to, icon, word, text }) => (
          <li key={to}>
            <Link to={to} class="row">
              <Icon name={icon} />
              <span class="row-text">
                <span class="row-title">{say(word)}</span>
                <span class="row-more">{say(text)}</span>
              </span>
              <Icon name="next" size={20} />
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Support(): JSX.Element {
  const { t, api } = useApp()
  const say = useWords(words)
  const action = useAction()
  const make = async () => {
    const bundle = await api.get<{ made_at: string }>('/system/support')
    const file = new Blob([JSON.stringify(bundle, null, 2)], { type: 'application/json' })
    save(file, `homefield-support-${bundle.made_at.slice(0, 10)}.json`)
  }
  return (
    <Section title={say('support.title')}>
      <p>{say('support.text')}</p>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <button type="button" class="button" disabled={action.busy.value} onClick={() => void action.run(make)}>
        {say('support.make')}
      </button>
    </Section>
  )
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
