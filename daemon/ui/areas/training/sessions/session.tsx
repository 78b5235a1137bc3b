/** One session: what happens in it while it runs, and what happened once it has ended. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Show, Skeleton } from '../../../parts/feedback.tsx'
import { Screen } from '../../../parts/screen.tsx'
import type { TrainingSession } from './answers.ts'
import { Review } from './review.tsx'
import { RunningSession } from './running.tsx'
import { sessionPath, useAnswer, useSessionWords } from './sessions.ts'

export function OneSession({ id }: { id: string }): JSX.Element {
  const { t } = useApp()
  const w = useSessionWords()
  const session = useAnswer<TrainingSession>(sessionPath(id))
  const { value, error } = session.state.value
  if (value?.live) return <RunningSession session={value} onEnd={() => void session.reload()} />
  if (value) return <Review session={value} />
  return (
    <Screen title={error ? w('review.missing') : t('state.loading')} back="/training/sessions">
      <Show of={session} loading={<Skeleton rows={2} tall />}>
        {() => null}
      </Show>
    </Screen>
  )
}
