/** My quiet hours: when warnings wait until morning. Urgent alerts ring all the same. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { Form, useAction } from '../../parts/action.tsx'
import { Show } from '../../parts/feedback.tsx'
import { Choice, Field } from '../../parts/fields.tsx'
import { Screen } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { HowToTell } from './answers.ts'
import { words } from './words.ts'

const EVENING = '22:00'
const MORNING = '07:00'
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

export function QuietPage(): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const settings = useMemo(() => createResource(() => api.get<HowToTell>('/alerts/settings')), [api])
  useEffect(() => void settings.reload(), [settings])
  return (
    <Screen title={say('quiet.title')} back="/alerts" narrow>
      <p class="lead">{say('quiet.lead')}</p>
      <Show of={settings}>{(found) => <QuietForm before={found} />}</Show>
    </Screen>
  )
}

function QuietForm({ before }: { before: HowToTell }): JSX.Element {
  const { api, said, t } = useApp()
  const say = useWords(words)
  const action = useAction()
  const kept = useSignal<'always' | 'quiet'>(before.quiet === null ? 'always' : 'quiet')
  const from = useSignal(before.quiet?.from ?? EVENING)
  const to = useSignal(before.quiet?.to ?? MORNING)
  const isQuiet = kept.value === 'quiet'
  const isWhole = TIME.test(from.value) && TIME.test(to.value) && from.value !== to.value
  return (
    <Form
      action={action}
      submit={t('action.save')}
      disabled={isQuiet && !isWhole}
      onSubmit={async () => {
        await api.patch('/alerts/settings', { quiet: isQuiet ? { from: from.peek(), to: to.peek() } : null })
        said.value = t('said.saved')
      }}
    >
      <Choice
        legend={say('quiet.warnings')}
        value={kept}
        options={[
          { value: 'always', label: say('quiet.always'), text: say('quiet.alwaysText') },
          { value: 'quiet', label: say('quiet.hours'), text: say('quiet.hoursText') },
        ]}
      />
      {isQuiet && <Field label={say('rota.from')} value={from} required maxLength={5} />}
      {isQuiet && (
        <Field label={say('rota.to')} value={to} required maxLength={5} hint={say('quiet.overnight')} />
      )}
    </Form>
  )
}
