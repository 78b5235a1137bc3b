/** Alerts on closed phones: what goes through whom, the owner's switch, and this device's own yes. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp, useWords } from '../../app.ts'
import { Confirm, ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { PushState } from './answers.ts'
import { fingerprintHere, permission, tellHere, tellNoMore } from './push-here.ts'
import { words } from './words.ts'

interface Known {
  state: PushState
  /** Of this browser, as the hub lists it. */
  here: string | null
}

export function PushPage(): JSX.Element {
  const app = useApp()
  const { api } = app
  const say = useWords(words)
  const known = useMemo(
    () =>
      createResource<Known>(async () => ({
        state: await api.get<PushState>('/alerts/push'),
        here: await fingerprintHere(),
      })),
    [api],
  )
  useEffect(() => void known.reload(), [known])
  return (
    <Screen title={say('push.title')} back="/alerts" narrow>
      <p class="lead">{say('push.lead')}</p>
      <Notice tone="watch" icon="warning">
        {say('push.through')}
      </Notice>
      <Show of={known}>
        {(found) => (
          <>
            {found.state.enabled ? (
              <>
                <Here known={found} onChanged={known.reload} />
                <Mine known={found} onChanged={known.reload} />
              </>
            ) : (
              <p>{say(isOwner(app) ? 'push.offOwner' : 'push.off')}</p>
            )}
            {isOwner(app) && <Switch state={found.state} onChanged={known.reload} />}
          </>
        )}
      </Show>
    </Screen>
  )
}

interface PartProps {
  known: Known
  onChanged: () => Promise<void>
}

function Here({ known: { state, here }, onChanged }: PartProps): JSX.Element {
  const { api, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const refused = useSignal(false)
  const given = permission()
  if (given === 'impossible') return <p>{say('push.impossible')}</p>
  const isTold = state.subscriptions.some(({ endpoint_sha256: one }) => one === here)
  if (isTold)
    return (
      <p class="small">
        {say('push.here')} <Link to="/alerts/reach">{say('reach.test')}</Link>
      </p>
    )
  return (
    <>
      {(given === 'denied' || refused.value) && <p>{say('push.denied')}</p>}
      <button
        type="button"
        class="button primary wide"
        disabled={action.busy.value || given === 'denied'}
        onClick={() =>
          void action.run(async () => {
            const told = await tellHere(api, state.public_key ?? '')
            refused.value = told === null
            await onChanged()
          })
        }
      >
        {say('push.turnOn')}
      </button>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </>
  )
}

/** My browsers that are told, with when the service took something last. */
function Mine({ known: { state, here }, onChanged }: PartProps): JSX.Element | null {
  const { api, format, zone, clock, t } = useApp()
  const say = useWords(words)
  if (state.subscriptions.length === 0) return null
  return (
    <Section title={say('push.mine')}>
      <ul class="rows">
        {state.subscriptions.map((one) => {
          const isHere = one.endpoint_sha256 === here
          const when =
            one.accepted_at === null ? null : format.moment(Date.parse(one.accepted_at), zone, clock.nowMs())
          return (
            <li key={one.id} class="row">
              <span class="row-text">
                <span class="row-title">{isHere ? say('push.thisOne', { name: one.name }) : one.name}</span>
                <span class="row-more">
                  {one.failure ?? (when === null ? say('push.never') : say('push.last', { when }))}
                </span>
              </span>
              <Confirm
                small
                label={say('push.turnOff', { name: one.name })}
                title={say('push.turnOffTitle', { name: one.name })}
                text={say('push.turnOffText')}
                confirm={t('action.remove')}
                onConfirm={async () => {
                  await tellNoMore(api, one.id, isHere)
                  await onChanged()
                }}
              />
            </li>
          )
        })}
      </ul>
    </Section>
  )
}

function Switch({ state, onChanged }: { state: PushState; onChanged: () => Promise<void> }): JSX.Element {
  const { api, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const put = (body: { enabled: boolean; has_words?: boolean }) =>
    void action.run(async () => {
      await api.put('/alerts/push', body)
      await onChanged()
    })
  const button = (word: string, body: { enabled: boolean; has_words?: boolean }) => (
    <button type="button" class="button wide" disabled={action.busy.value} onClick={() => put(body)}>
      {word}
    </button>
  )
  return (
    <Section title={say('push.household')}>
      {state.enabled && <p class="small">{say(state.has_words ? 'push.withWords' : 'push.withoutWords')}</p>}
      {state.enabled &&
        button(say(state.has_words ? 'push.leaveOut' : 'push.putIn'), {
          ...{ enabled: true, has_words: !state.has_words },
        })}
      {button(say(state.enabled ? 'push.switchOff' : 'push.switchOn'), { enabled: !state.enabled })}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </Section>
  )
}
