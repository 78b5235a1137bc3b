/** What an address that means nothing here shows. */
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import { Empty } from '../parts/feedback.tsx'
import { Link } from '../parts/link.tsx'
import { Screen } from '../parts/screen.tsx'

export function Nowhere(): JSX.Element {
  const { t } = useApp()
  return (
    <Screen title={t('nowhere.title')} back="/">
      <Empty icon="shield" title={t('nowhere.head')} text={t('nowhere.text')}>
        <Link to="/" class="button primary">
          {t('nav.home')}
        </Link>
      </Empty>
    </Screen>
  )
}
