/** The cloud: off by default, joined by a code, and what leaves this house in plain sight. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { Confirm, ErrorLine, Form, useAction } from '../../parts/action.tsx'
import { errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Field } from '../../parts/fields.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { createResource, type Resource } from '../../state/resource.ts'
import type { CloudStanding } from './answers.ts'
import { PeopleLeaving } from './leaving.tsx'
import { Asked, Erasures, Progress, Troubles } from './standing.tsx'
import { words } from './words.ts'

const REFRESH_MS = 5000

export function Cloud(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const cloud = useMemo(() => createResource(() => api.get<CloudStanding>('/sync')), [api])
  useEffect(() => {
    void cloud.reload()
    const timer = setInterval(() => document.visibilityState === 'visible' && void cloud.reload(), REFRESH_MS)
    return () => clearInterval(timer)
  }, [cloud])
  return (
    <Screen title={say('title')} back="/more/privacy" narrow>
      <Show of={cloud}>
        {(found) => (found.state === 'off' ? <Off cloud={cloud} /> : <Joined found={found} cloud={cloud} />)}
      </Show>
    </Screen>
  )
}

interface CloudProps {
  cloud: Resource<CloudStanding>
}

function Off({ cloud }: CloudProps): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const address = useSignal('')
  const code = useSignal('')
  const action = useAction()
  return (
    <>
      <p class="lead">{say('off.lead')}</p>
      <p>{say('off.more')}</p>
      <Section title={say('join.title')}>
        <Form
          action={action}
          submit={say('join.submit')}
          explain={(error) => (error.code === 'OFFLINE' ? undefined : error.message)}
          onSubmit={async () => {
            cloud.set(
              await api.post<CloudStanding>('/sync/enrol', {
                address: address.value.trim(),
                code: code.value.trim(),
              }),
            )
          }}
        >
          <Field label={say('join.address')} value={address} hint={say('join.addressHint')} required />
          <Field label={say('join.code')} value={code} hint={say('join.codeHint')} code required />
        </Form>
      </Section>
    </>
  )
}

function Joined({ found, cloud }: CloudProps & { found: CloudStanding }): JSX.Element {
  const { api, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const { state } = found
  if (state === 'off') return <></>
  const household = found.household ?? ''
  const paused = state === 'paused'
  return (
    <>
      <Notice
        tone={state === 'on' ? 'plain' : paused ? 'watch' : 'alert'}
        icon={state === 'on' ? 'check' : 'warning'}
        live
      >
        <strong>{say(`state.${state}`, { household })}</strong>
        <br />
        {say(`state.${state}Text`)}
      </Notice>
      <PeopleLeaving found={found} cloud={cloud} />
      <Progress found={found} />
      <Troubles found={found} />
      <Erasures found={found} />
      <Asked found={found} />
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      {(state === 'on' || paused) && (
        <button
          type="button"
          class="button wide cloud-apart"
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              cloud.set(await api.put<CloudStanding>('/sync/pause', { paused: !paused }))
            })
          }
        >
          {say(paused ? 'resume' : 'pause')}
        </button>
      )}
      <div class="cloud-apart">
        <Confirm
          label={say('leave')}
          title={say('leaveTitle', { household })}
          text={say('leaveText')}
          confirm={say('leave')}
          onConfirm={async () => {
            await api.remove('/sync/enrol')
            await cloud.reload()
          }}
        />
      </div>
    </>
  )
}
