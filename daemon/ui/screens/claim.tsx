/** The first visit of the first person: the code from the box makes them the owner. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Welcome } from '../net/answers.ts'
import type { ApiError } from '../net/api.ts'
import type { ClaimForm } from '../net/session.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Field, PasswordField } from '../parts/fields.tsx'
import { type Strength, strengthOf } from '../state/password.ts'
import { Entrance } from './shell.tsx'
import { Steps } from './steps.tsx'

export function Claim({ welcome }: { welcome: Welcome }): JSX.Element {
  const { t, session, router, zone } = useApp()
  const code = useSignal('')
  const name = useSignal('')
  const password = useSignal('')
  const hubName = useSignal(welcome.hub_name)
  const action = useAction()
  const strength = strengthOf(password.value)
  const ready = code.value.trim() !== '' && name.value.trim() !== '' && strength.enough
  return (
    <Entrance title={t('claim.title')}>
      <Steps at={1} of={3} />
      <p class="lead">{t('claim.lead')}</p>
      <Form
        action={action}
        submit={t('claim.submit')}
        disabled={!ready}
        explain={(error) => explain(error)}
        onSubmit={async () => {
          // Set first: signing in draws the next screen at once.
          router.go('/welcome/child', { replace: true })
          await session.claim(form()).catch((error: unknown) => {
            router.go('/', { replace: true })
            throw error
          })
        }}
      >
        <Field
          label={t('claim.code')}
          value={code}
          code
          required
          autocomplete="one-time-code"
          maxLength={64}
          hint={
            <>
              {t('claim.codeHint')} <code>homefield claim-code</code>
            </>
          }
        />
        <Field label={t('claim.name')} value={name} autocomplete="name" required maxLength={80} />
        <PasswordField
          label={t('claim.password')}
          value={password}
          autocomplete="new-password"
          hint={<StrengthHint strength={strength} empty={password.value === ''} />}
        />
        <Field label={t('claim.hubName')} value={hubName} maxLength={60} hint={t('claim.hubNameHint')} />
      </Form>
    </Entrance>
  )

  function form(): ClaimForm {
    const called = hubName.value.trim()
    return {
      claim_code: code.value.trim(),
      name: name.value.trim(),
      password: password.value,
      timezone: zone,
      ...(called === '' ? {} : { hub_name: called }),
    }
  }

  function explain(error: ApiError): string | undefined {
    if (error.code === 'PAIRING_INVALID') return t('claim.wrongCode')
    if (error.code === 'PAIRING_EXPIRED') return t('claim.newCode')
    if (error.code === 'CONFLICT') return t('claim.taken')
    return undefined
  }
}

function StrengthHint({ strength, empty }: { strength: Strength; empty: boolean }): JSX.Element {
  const { t } = useApp()
  if (empty) return <>{t('password.hint')}</>
  return (
    <div class="strength">
      <div class={`strength-bar level-${strength.level}`} aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <span role="status">
        {strength.missing > 0
          ? t('password.short', { count: strength.missing })
          : t(
              strength.level === 3 ? 'password.strong' : strength.enough ? 'password.good' : 'password.plain',
            )}
      </span>
    </div>
  )
}
