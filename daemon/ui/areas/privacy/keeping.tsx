/** For how many days what is kept, changed by an owner. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { Form, useAction } from '../../parts/action.tsx'
import { Show } from '../../parts/feedback.tsx'
import { Field } from '../../parts/fields.tsx'
import { Screen } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { Retention } from './answers.ts'
import { words } from './words.ts'

export function Keeping(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const limits = useMemo(() => createResource(() => api.get<Retention>('/privacy/retention')), [])
  useEffect(() => void limits.reload(), [])
  return (
    <Screen title={say('keeping.title')} back="/more/privacy" narrow>
      <p class="lead">{say('keeping.text')}</p>
      <Show of={limits}>{(found) => <Limits limits={found} onSaved={limits.set} />}</Show>
    </Screen>
  )
}

function Limits({
  limits,
  onSaved,
}: {
  limits: Retention
  onSaved: (saved: Retention) => void
}): JSX.Element {
  const { t, api, said } = useApp()
  const say = useWords(words)
  const action = useAction()
  const days = (value: number) => useSignal(String(value))
  const wellness = days(limits.raw_days.wellness)
  const glucose = days(limits.raw_days.glucose)
  const training = days(limits.raw_days.training)
  const minute = days(limits.minute_days)
  const movement = days(limits.movement_days)
  const minors = days(limits.minors_video_days)
  const audit = days(limits.audit_days)
  const field = (label: string, value: Signal<string>) => (
    <Field label={label} value={value} inputMode="numeric" required maxLength={5} />
  )
  return (
    <Form
      action={action}
      submit={t('action.save')}
      onSubmit={async () => {
        const number = (of: Signal<string>) => Number(of.value)
        onSaved(
          await api.patch<Retention>('/privacy/retention', {
            raw_days: { wellness: number(wellness), glucose: number(glucose), training: number(training) },
            minute_days: number(minute),
            movement_days: number(movement),
            minors_video_days: number(minors),
            audit_days: number(audit),
          }),
        )
        said.value = t('said.saved')
      }}
    >
      {field(say('keeping.wellness'), wellness)}
      {field(say('keeping.glucose'), glucose)}
      {field(say('keeping.training'), training)}
      {field(say('keeping.minute'), minute)}
      {field(say('keeping.movement'), movement)}
      {field(say('keeping.minors'), minors)}
      {field(say('keeping.audit'), audit)}
    </Form>
  )
}
