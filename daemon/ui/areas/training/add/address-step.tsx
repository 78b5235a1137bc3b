/** The address of a camera and how to sign in there, then one look through it. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Field, PasswordField } from '../../../parts/fields.tsx'
import { useTraining } from '../training.ts'
import { type Draft, isAddress, signIn } from './draft.ts'
import { LookResult, useLook } from './look.tsx'

export interface AddressStepProps {
  address: Signal<string>
  username: Signal<string>
  password: Signal<string>
  onBack: () => void
  onReady: (draft: Draft) => void
}

export function AddressStep(props: AddressStepProps): JSX.Element {
  const { address, username, password, onBack, onReady } = props
  const { t } = useApp()
  const { w } = useTraining()
  const isWrong = useSignal(false)
  const action = useAction()
  const look = useLook()
  const url = address.value.trim()
  const state = look.state.value
  const looked = state.kind === 'done' ? state.looked : null
  const typed = { username: username.value.trim(), password: password.value }
  const ready = () => onReady({ source: { kind: 'fetched', url, ...typed }, looked, name: '' })
  if (state.kind === 'done' && state.looked.ok)
    return (
      <div class="form">
        <h2>{w('found.title')}</h2>
        <LookResult look={look} />
        <div class="form-actions">
          <button type="button" class="button primary" onClick={ready}>
            {t('action.continue')}
          </button>
          <button type="button" class="button" onClick={look.stop}>
            {w('address.change')}
          </button>
        </div>
      </div>
    )
  return (
    <>
      <h2>{w('address.title')}</h2>
      <Form
        action={action}
        submit={w('address.look')}
        disabled={url === '' || state.kind === 'looking'}
        aside={
          <button type="button" class="button quiet" onClick={onBack}>
            {t('nav.back')}
          </button>
        }
        onSubmit={async () => {
          isWrong.value = !isAddress(url)
          if (!isWrong.value) await look.start({ url, ...signIn(typed) })
        }}
      >
        <Field
          label={w('address.label')}
          value={address}
          type="address"
          required
          maxLength={1024}
          autocomplete="off"
          hint={w('address.hint')}
          error={isWrong.value && !isAddress(url) ? w('address.noScheme') : undefined}
        />
        <Field label={w('address.user')} value={username} type="address" maxLength={128} autocomplete="off" />
        <PasswordField
          label={w('address.password')}
          value={password}
          autocomplete="off"
          hint={w('address.secret')}
          required={false}
        />
        <LookResult look={look} />
      </Form>
      {looked && (
        <button type="button" class="button wide" onClick={ready}>
          {w('address.keepAnyway')}
        </button>
      )}
    </>
  )
}
