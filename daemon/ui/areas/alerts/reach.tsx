/** Who would hear an alarm now, with what proves it, and a test alarm with its receipts. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Show } from '../../parts/feedback.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { createResource } from '../../state/resource.ts'
import type { AlertDetail, Reach } from './answers.ts'
import { AlertCard } from './card.tsx'
import { words } from './words.ts'

/** Watches and phones come and go without an event. */
const AGAIN_MS = 10_000

export function ReachPage(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const reach = useMemo(() => createResource(() => api.get<Reach[]>('/alerts/reach')), [api])
  useEffect(() => {
    void reach.reload()
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void reach.reload()
    }, AGAIN_MS)
    return () => clearInterval(timer)
  }, [reach])
  return (
    <Screen title={say('reach.title')} back="/alerts" narrow>
      <Show of={reach}>
        {(people) => people.map((person) => <ReachOf key={person.person_id} reach={person} />)}
      </Show>
    </Screen>
  )
}

function ReachOf({ reach }: { reach: Reach }): JSX.Element {
  const { api, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const tested = useSignal<string | null>(null)
  const name = reach.name ?? ''
  const test = () =>
    action.run(async () => {
      const { id } = await api.post<AlertDetail>('/alerts/test', { person_id: reach.person_id })
      tested.value = id
    })
  return (
    <Section title={name}>
      <p class="reach-head">
        <StateMark
          state={reach.heard ? 'ok' : 'urgent'}
          word={say(reach.heard ? 'reach.heard' : 'reach.unheard')}
        />
      </p>
      {reach.message !== null && <p>{reach.message}</p>}
      <ul class="rows">
        {reach.recipients.map((one) => (
          <Recipient key={`${one.step} ${one.user_id ?? one.person_id ?? 'house'}`} recipient={one} />
        ))}
      </ul>
      <button
        type="button"
        class="button wide"
        aria-label={say('reach.testFor', { name })}
        disabled={action.busy.value}
        onClick={() => void test()}
      >
        {say('reach.test')}
      </button>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      {tested.value !== null && (
        <div class="reach-tested">
          <h3>{say('reach.tested')}</h3>
          <AlertCard id={tested.value} whole />
        </div>
      )}
    </Section>
  )
}

function Recipient({ recipient }: { recipient: Reach['recipients'][number] }): JSX.Element {
  const { format, zone, clock } = useApp()
  const say = useWords(words)
  const isHouse = recipient.user_id === null && recipient.person_id === null
  return (
    <li class="row">
      <span class="row-text">
        <span class="row-title">
          {isHouse ? say('recipient.house') : (recipient.name ?? say('recipient.unknown'))}
        </span>
        {recipient.channels.map(({ channel, device_id: device, would_hear: hears, last_proof: proof }) => (
          <span key={`${channel} ${device}`} class="row-more">
            <StateMark
              state={hears ? 'ok' : 'stale'}
              word={`${say(`channel.${channel}`)}: ${say(hears ? 'reach.would' : 'reach.wouldNot')}`}
            />
            <span>
              {proof === null
                ? say('reach.noProof')
                : say('reach.proof', { when: format.moment(Date.parse(proof), zone, clock.nowMs()) })}
            </span>
          </span>
        ))}
      </span>
      <span class="small">{say('alert.step', { step: recipient.step })}</span>
    </li>
  )
}
