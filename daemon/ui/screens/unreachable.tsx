/** The hub does not answer and nothing is remembered here: say so, and what to look at. */
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import { Empty } from '../parts/feedback.tsx'
import { Icon } from '../parts/icon.tsx'
import { Entrance } from './shell.tsx'

export function Unreachable(): JSX.Element {
  const { t, session } = useApp()
  return (
    <Entrance title={t('unreachable.title')}>
      <Empty icon="offline" title={t('unreachable.head')} text={t('unreachable.text')}>
        <button type="button" class="button primary" onClick={() => void session.start()}>
          <Icon name="refresh" size={20} />
          {t('action.retry')}
        </button>
      </Empty>
    </Entrance>
  )
}
