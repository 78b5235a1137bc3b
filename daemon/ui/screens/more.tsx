/** Everything that is not daily: sharing, one's own account, and what this hub is. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp } from '../app.ts'
import type { Me } from '../net/answers.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Show } from '../parts/feedback.tsx'
import { Field } from '../parts/fields.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Screen, Section } from '../parts/screen.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { createResource } from '../state/resource.ts'
import { Words } from './door.tsx'
import { welcomePage } from './trust-notice.tsx'
import { UnitsChoice } from './units-choice.tsx'
import { roleText } from './words.ts'

const ENTRIES = [
  { to: '/devices', icon: 'watch', word: 'nav.devices', text: 'more.devicesText' },
  { to: '/more/sharing', icon: 'shield', word: 'more.sharing', text: 'more.sharingText' },
  { to: '/more/privacy', icon: 'eye', word: 'more.privacy', text: 'more.privacyText' },
  { to: '/more/system', icon: 'chart', word: 'more.system', text: 'more.systemText', owner: true },
  { to: '/more/account', icon: 'user', word: 'more.account', text: 'more.accountText' },
  { to: '/more/about', icon: 'box', word: 'more.about', text: 'more.aboutText' },
] as const satisfies readonly { to: string; icon: IconName; word: string; text: string; owner?: true }[]

export function More(): JSX.Element {
  const app = useApp()
  const { t, session } = app
  const state = session.state.value
  const entries = ENTRIES.filter((entry) => !('owner' in entry) || isOwner(app))
  return (
    <Screen title={t('nav.more')} narrow>
      {state.kind === 'signed-in' && (
        <p class="lead">
          {t('more.signedIn', { name: state.user.name, role: roleText(t, state.user.role) })}
        </p>
      )}
      <ul class="rows">
        {entries.map((entry) => (
          <li key={entry.to}>
            <Link to={entry.to} class="row">
              <Icon name={entry.icon} />
              <span class="row-text">
                <span class="row-title">{t(entry.word)}</span>
                <span class="row-more">{t(entry.text)}</span>
              </span>
              <Icon name="next" size={20} />
            </Link>
          </li>
        ))}
      </ul>
      <SignOut />
    </Screen>
  )
}

function SignOut(): JSX.Element {
  const { t, session, router } = useApp()
  const action = useAction()
  return (
    <button
      type="button"
      class="button wide"
      disabled={action.busy.value}
      onClick={() =>
        void action.run(async () => {
          await session.signOut()
          router.go('/', { replace: true })
        })
      }
    >
      <Icon name="leave" size={20} />
      {t('more.signOut')}
    </button>
  )
}

export function Account(): JSX.Element {
  const { t, api } = useApp()
  const me = useMemo(() => createResource(() => api.get<Me>('/auth/me')), [])
  useEffect(() => void me.reload(), [me])
  return (
    <Screen title={t('more.account')} back="/more" narrow>
      <Show of={me}>
        {(found) => (
          <AccountForm
            me={found}
            onSaved={(changed) => {
              me.set(changed)
            }}
          />
        )}
      </Show>
      <UnitsChoice />
      <SignOut />
    </Screen>
  )
}

function AccountForm({ me, onSaved }: { me: Me; onSaved: (me: Me) => void }): JSX.Element {
  const { t, api, said } = useApp()
  const name = useSignal(me.name)
  const email = useSignal(me.email ?? '')
  const action = useAction()
  const same = name.value.trim() === me.name && email.value.trim() === (me.email ?? '')
  return (
    <Form
      action={action}
      submit={t('action.save')}
      disabled={same || name.value.trim() === ''}
      onSubmit={async () => {
        const address = email.value.trim()
        onSaved(
          await api.patch<Me>('/auth/me', {
            name: name.value.trim(),
            ...(address === '' ? {} : { email: address }),
          }),
        )
        said.value = t('said.saved')
      }}
    >
      <Field label={t('claim.name')} value={name} required maxLength={80} autocomplete="name" />
      <Field
        label={t('account.email')}
        value={email}
        type="email"
        inputMode="email"
        autocomplete="email"
        maxLength={254}
        hint={t('account.emailHint')}
      />
    </Form>
  )
}

export function About(): JSX.Element {
  const { t, welcome, updates, hubName } = useApp()
  const hub = welcome.value
  const offline = updates.state.value !== 'untrusted'
  return (
    <Screen title={t('more.about')} back="/more" narrow>
      <dl class="facts">
        <div>
          <dt>{t('about.hub')}</dt>
          <dd>{hubName}</dd>
        </div>
        {hub && (
          <div>
            <dt>{t('about.version')}</dt>
            <dd>{hub.version}</dd>
          </div>
        )}
        <div>
          <dt>{t('about.offline')}</dt>
          <dd>
            <StateMark
              state={offline ? 'ok' : 'watch'}
              word={t(offline ? 'about.offlineYes' : 'about.offlineNo')}
            />
          </dd>
        </div>
      </dl>
      {hub && (
        <Section title={t('about.fingerprint')}>
          <p>{t('about.fingerprintText')}</p>
          <Words words={hub.fingerprint_words} />
          <p class="small fingerprint">{hub.ca_sha256}</p>
          <a class="text-link" href={welcomePage(hub)}>
            {t(offline ? 'about.install' : 'trust.link')}
          </a>
        </Section>
      )}
      <p class="small promise">{t('about.promise')}</p>
    </Screen>
  )
}
