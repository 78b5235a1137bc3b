/** Adding a camera, one question at a time: what kind, where, what the hub sees there, whose pictures these are. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Choice, type Option } from '../../../parts/fields.tsx'
import { Screen } from '../../../parts/screen.tsx'
import { Steps } from '../../../screens/steps.tsx'
import { useTraining, type Words } from '../training.ts'
import { AddressStep } from './address-step.tsx'
import { DeviceStep } from './device-step.tsx'
import type { Draft, Way } from './draft.ts'
import { KeepStep } from './keep-step.tsx'
import { SeekStep } from './seek-step.tsx'

export function AddCamera(): JSX.Element {
  const { w } = useTraining()
  const way = useSignal<Way | null>(null)
  const draft = useSignal<Draft | null>(null)
  // Kept here, so that going back and forth costs no typing.
  const address = useSignal('')
  const username = useSignal('')
  const password = useSignal('')
  const at = draft.value ? 3 : way.value ? 2 : 1
  const found = (made: Draft) => {
    draft.value = made
    window.scrollTo(0, 0)
  }
  const choose = (chosen: Way) => {
    if (chosen === 'phone') found({ source: { kind: 'phone' }, looked: null, name: '' })
    else way.value = chosen
  }
  const restart = () => {
    way.value = null
  }
  return (
    <Screen title={w('add.title')} back="/training" narrow>
      <div class="wizard">
        <Steps at={at} of={3} />
        {draft.value ? (
          <KeepStep
            draft={draft.value}
            onBack={() => {
              draft.value = null
            }}
          />
        ) : (
          <>
            {way.value === null && <KindStep onChosen={choose} />}
            {way.value === 'address' && (
              <AddressStep
                address={address}
                username={username}
                password={password}
                onBack={restart}
                onReady={found}
              />
            )}
            {way.value === 'seek' && (
              <SeekStep
                onBack={restart}
                onType={(url) => {
                  address.value = url
                  way.value = 'address'
                }}
                onReady={found}
              />
            )}
            {way.value === 'device' && <DeviceStep onBack={restart} onReady={found} />}
          </>
        )}
      </div>
    </Screen>
  )
}

function KindStep({ onChosen }: { onChosen: (way: Way) => void }): JSX.Element {
  const { t } = useApp()
  const { w } = useTraining()
  const chosen = useSignal<Way>('address')
  const action = useAction()
  return (
    <Form action={action} submit={t('action.continue')} onSubmit={async () => onChosen(chosen.value)}>
      <Choice legend={w('add.kind')} value={chosen} options={ways(w)} />
    </Form>
  )
}

function ways(w: Words): Option<Way>[] {
  return [
    { value: 'address', label: w('add.address'), text: w('add.address.text'), icon: 'camera' },
    { value: 'seek', label: w('add.seek'), text: w('add.seek.text'), icon: 'gateway' },
    { value: 'device', label: w('add.device'), text: w('add.device.text'), icon: 'box' },
    { value: 'phone', label: w('add.phone'), text: w('add.phone.text'), icon: 'phone' },
  ]
}
