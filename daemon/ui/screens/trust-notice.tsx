/** Tells once that this device does not trust the hub's certificate yet, which costs offline use. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Welcome } from '../net/answers.ts'
import { Notice } from '../parts/feedback.tsx'
import { Icon } from '../parts/icon.tsx'

const DISMISSED = 'homefield.trust-dismissed'

export function TrustNotice(): JSX.Element | null {
  const { t, updates, welcome } = useApp()
  const dismissed = useSignal(localStorage.getItem(DISMISSED) === 'yes')
  if (updates.state.value !== 'untrusted' || dismissed.value || !welcome.value) return null
  return (
    <Notice
      tone="plain"
      icon="shield"
      action={
        <button
          type="button"
          class="icon-button"
          aria-label={t('action.dismiss')}
          onClick={() => {
            localStorage.setItem(DISMISSED, 'yes')
            dismissed.value = true
          }}
        >
          <Icon name="close" size={20} />
        </button>
      }
    >
      <a class="text-link" href={welcomePage(welcome.value)}>
        {t('trust.link')}
      </a>
    </Notice>
  )
}

/** The page that installs the certificate stands beside the certificate, on plain HTTP. */
export function welcomePage(welcome: Welcome): string {
  return new URL('/welcome', welcome.ca_url).href
}
