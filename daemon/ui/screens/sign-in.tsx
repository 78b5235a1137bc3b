/** Sign in with name or e-mail and password, or go to joining with a code. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Welcome } from '../net/answers.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Notice } from '../parts/feedback.tsx'
import { Field, PasswordField } from '../parts/fields.tsx'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Entrance } from './shell.tsx'
import { welcomePage } from './trust-notice.tsx'

export interface SignInProps {
  welcome: Welcome
  why: 'never' | 'left' | 'ended'
}

export function SignIn({ welcome, why }: SignInProps): JSX.Element {
  const { t, session, updates } = useApp()
  const name = useSignal('')
  const password = useSignal('')
  const action = useAction()
  return (
    <Entrance title={t('signIn.title')}>
      {why === 'ended' && (
        <Notice tone="watch" icon="shield" live>
          {t('signIn.ended')}
        </Notice>
      )}
      {why === 'left' && (
        <Notice tone="plain" icon="check" live>
          {t('signIn.left')}
        </Notice>
      )}
      <Form
        action={action}
        submit={t('signIn.submit')}
        disabled={name.value.trim() === '' || password.value === ''}
        onSubmit={() => session.signIn(name.value.trim(), password.value)}
        explain={(error) => (error.status === 401 ? t('signIn.wrong') : undefined)}
      >
        <Field label={t('signIn.name')} value={name} autocomplete="username" required maxLength={254} />
        <PasswordField label={t('signIn.password')} value={password} autocomplete="current-password" />
      </Form>
      <Link to="/join" class="row">
        <Icon name="qr" />
        <span class="row-text">
          <span class="row-title">{t('signIn.join')}</span>
          <span class="row-more">{t('signIn.joinText')}</span>
        </span>
        <Icon name="next" size={20} />
      </Link>
      {updates.state.value === 'untrusted' && (
        <a class="text-link" href={welcomePage(welcome)}>
          {t('trust.link')}
        </a>
      )}
    </Entrance>
  )
}
