/** A camera that is not there, or not there for whoever asks. */
import type { JSX } from 'preact'
import { useApp } from '../../app.ts'
import { Empty } from '../../parts/feedback.tsx'
import { Screen } from '../../parts/screen.tsx'
import { useTraining } from './training.ts'

export function Missing(): JSX.Element {
  const { t } = useApp()
  const { w } = useTraining()
  return (
    <Screen title={w('live.missing')} back="/training">
      <Empty icon="shield" title={t('failed.missing')} text={t('error.NOT_FOUND')} />
    </Screen>
  )
}
