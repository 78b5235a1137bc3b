/** Erasing a person in two steps: what would go, then the name typed by hand. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText } from '../../parts/feedback.tsx'
import { Field, Select } from '../../parts/fields.tsx'
import { Section } from '../../parts/screen.tsx'
import type { Question } from './answers.ts'
import { untilDone } from './job.ts'
import { words } from './words.ts'

export function Forget(): JSX.Element | null {
  const { t, api, household, said } = useApp()
  const say = useWords(words)
  const people = household.people.state.value.value ?? []
  const personId = useSignal(people[0]?.id ?? '')
  const question = useSignal<Question | null>(null)
  const typed = useSignal('')
  const percent = useSignal<number | null>(null)
  const asking = useAction()
  const doing = useAction()
  const dialog = useRef<HTMLDialogElement>(null)
  const person = people.find(({ id }) => id === personId.value)
  if (people.length === 0) return null
  const name = person?.name ?? ''

  const ask = () =>
    void asking.run(async () => {
      question.value = await api.post<Question>('/privacy/erase', { person_id: personId.value })
      typed.value = ''
      doing.error.value = null
      dialog.current?.showModal()
    })
  const erase = () =>
    void doing.run(async () => {
      const { job_id: jobId } = await api.post<{ job_id: string }>('/privacy/erase/confirm', {
        token: question.value?.token ?? '',
      })
      try {
        const result = await untilDone(api, jobId, (now) => {
          percent.value = now
        })
        const rows =
          typeof result === 'object' && result !== null && 'rows' in result ? Number(result.rows) : 0
        said.value = say('forget.done', { count: rows })
        dialog.current?.close()
        await household.people.reload()
      } finally {
        percent.value = null
      }
    })

  return (
    <Section title={say('forget.title')}>
      <p>{say('forget.text')}</p>
      <Select
        label={say('forget.who')}
        value={personId}
        options={people.map((one) => ({ value: one.id, label: one.name }))}
      />
      {asking.error.value && <ErrorLine>{errorText(t, asking.error.value)}</ErrorLine>}
      <button type="button" class="button danger" disabled={asking.busy.value} onClick={ask}>
        {say('forget.ask', { name })}
      </button>
      <dialog ref={dialog} class="dialog" aria-label={say('forget.question', { name })}>
        <h2>{say('forget.question', { name })}</h2>
        {question.value && <p>{say('forget.holds', question.value.holds)}</p>}
        <p>{say('forget.elsewhere')}</p>
        <Field label={say('forget.type')} value={typed} required autocomplete="off" />
        {doing.error.value && <ErrorLine>{errorText(t, doing.error.value)}</ErrorLine>}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {t('action.keep')}
          </button>
          <button
            type="button"
            class="button danger solid"
            disabled={doing.busy.value || typed.value.trim().toLowerCase() !== name.trim().toLowerCase()}
            onClick={erase}
          >
            {percent.value === null ? say('forget.do') : say('forget.working', { percent: percent.value })}
          </button>
        </div>
      </dialog>
    </Section>
  )
}
