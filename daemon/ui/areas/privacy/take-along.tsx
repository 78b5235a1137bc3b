/** Everything about one person as a file, made by the hub and fetched once. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp, useWords } from '../../app.ts'
import { sizeText } from '../../i18n/size.ts'
import { Form, useAction } from '../../parts/action.tsx'
import { Show } from '../../parts/feedback.tsx'
import { Select } from '../../parts/fields.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Section } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { PersonalExport } from './answers.ts'
import { download, untilDone } from './job.ts'
import { words } from './words.ts'

export function TakeAlong(): JSX.Element | null {
  const app = useApp()
  const { api, household, session } = app
  const say = useWords(words)
  const state = session.state.value
  const self = state.kind === 'signed-in' ? state.user.person_id : null
  const people = (household.people.state.value.value ?? []).filter(({ id }) => isOwner(app) || id === self)
  const personId = useSignal(people[0]?.id ?? '')
  const percent = useSignal<number | null>(null)
  const action = useAction()
  const made = useMemo(() => createResource(() => api.get<PersonalExport[]>('/privacy/export')), [])
  useEffect(() => void made.reload(), [])
  if (people.length === 0) return null
  return (
    <Section title={say('take.title')}>
      <p>{say('take.text')}</p>
      <Form
        action={action}
        submit={percent.value === null ? say('take.make') : say('take.working', { percent: percent.value })}
        onSubmit={async () => {
          const { job_id: jobId } = await api.post<{ job_id: string }>('/privacy/export', {
            person_id: personId.value,
          })
          try {
            await untilDone(api, jobId, (now) => {
              percent.value = now
            })
          } finally {
            percent.value = null
            await made.reload()
          }
        }}
      >
        <Select
          label={say('take.who')}
          value={personId}
          options={people.map(({ id, name }) => ({ value: id, label: name }))}
        />
      </Form>
      <Show of={made} loading={''}>
        {(all) => (
          <ul class="rows">
            {all.map((one) => (
              <Made key={one.id} one={one} onFetched={() => made.reload()} />
            ))}
          </ul>
        )}
      </Show>
      <p class="small">{say('take.unsafe')}</p>
    </Section>
  )
}

function Made({ one, onFetched }: { one: PersonalExport; onFetched: () => Promise<void> }): JSX.Element {
  const { api, locale, format, zone, household } = useApp()
  const say = useWords(words)
  const action = useAction()
  const name =
    household.people.state.value.value?.find(({ id }) => id === one.person_id)?.name ?? one.person_id
  return (
    <li class="row">
      <Icon name="box" />
      <span class="row-text">
        <span class="row-title">
          {one.bytes === null ? name : say('take.ready', { name, size: sizeText(one.bytes, locale) })}
        </span>
        <span class="row-more">{format.moment(Date.parse(one.asked_at), zone)}</span>
        {!one.ready && <span class="row-more">{say('take.being')}</span>}
        {one.fetched && <span class="row-more">{say('take.fetched')}</span>}
        {action.error.value && <span class="row-more">{action.error.value.message}</span>}
      </span>
      {one.ready && !one.fetched && (
        <button
          type="button"
          class="button compact"
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              const { url } = await api.post<{ url: string }>(
                `/privacy/export/${encodeURIComponent(one.id)}/ticket`,
              )
              download(url)
              setTimeout(() => void onFetched(), 1500)
            })
          }
        >
          {say('take.fetch')}
        </button>
      )}
    </li>
  )
}
