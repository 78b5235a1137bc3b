/** The last questions before a camera is kept: its name, whom it films, and whether the hub looks for players. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Field } from '../../../parts/fields.tsx'
import type { Camera } from '../answers.ts'
import { useTraining } from '../training.ts'
import { type Draft, sourceBody } from './draft.ts'
import { PeopleAndLooking } from './people.tsx'

export function KeepStep({ draft, onBack }: { draft: Draft; onBack: () => void }): JSX.Element {
  const { t, api, router, said } = useApp()
  const { w, cameras } = useTraining()
  const name = useSignal(draft.name)
  const people = useSignal<readonly string[]>([])
  const analyse = useSignal<'yes' | 'no'>('yes')
  const key = useSignal(crypto.randomUUID())
  const action = useAction()
  return (
    <Form
      action={action}
      submit={w('keep.submit')}
      disabled={name.value.trim() === ''}
      aside={
        <button type="button" class="button quiet" onClick={onBack}>
          {t('nav.back')}
        </button>
      }
      onSubmit={async () => {
        const body = {
          ...sourceBody(draft.source),
          name: name.value.trim(),
          person_ids: people.value,
          analyse: analyse.value === 'yes',
        }
        const camera = await api.post<Camera>('/cameras', body, { idempotencyKey: key.value })
        await cameras.reload()
        said.value = w('keep.added', { name: camera.name })
        const place = `/training/cameras/${camera.id}`
        router.go(camera.kind === 'phone' ? `${place}/film` : place, { replace: true })
      }}
    >
      <Field
        label={w('keep.name')}
        value={name}
        required
        maxLength={60}
        autocomplete="off"
        hint={w('keep.nameHint')}
      />
      <PeopleAndLooking people={people} analyse={analyse} />
    </Form>
  )
}
