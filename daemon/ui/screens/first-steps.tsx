/** After claiming: the first child, then the first watch; both can wait. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Person } from '../net/answers.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Link } from '../parts/link.tsx'
import { DeviceForm } from './device-form.tsx'
import { DeviceKey, type NewDevice } from './device-key.tsx'
import { PersonFields, personBody, usePersonForm } from './person-form.tsx'
import { Entrance } from './shell.tsx'
import { Steps } from './steps.tsx'

export function FirstChild(): JSX.Element {
  const { t, api, household, router } = useApp()
  const form = usePersonForm(null)
  const action = useAction()
  const key = useSignal(crypto.randomUUID())
  return (
    <Entrance title={t('first.child')}>
      <Steps at={2} of={3} />
      <p class="lead">{t('first.childLead')}</p>
      <Form
        action={action}
        submit={t('action.continue')}
        disabled={form.name.value.trim() === ''}
        aside={
          <Link to="/" class="button quiet">
            {t('action.later')}
          </Link>
        }
        onSubmit={async () => {
          const person = await api.post<Person>('/people', personBody(form), { idempotencyKey: key.value })
          await household.people.reload()
          router.go(`/welcome/watch?person=${person.id}`, { replace: true })
        }}
      >
        <PersonFields form={form} />
      </Form>
    </Entrance>
  )
}

export function FirstWatch({ personId }: { personId: string | null }): JSX.Element {
  const { t } = useApp()
  const made = useSignal<NewDevice | null>(null)
  if (made.value) {
    return (
      <Entrance title={t('device.ready')}>
        <DeviceKey device={made.value} />
        <Link to="/" class="button primary wide">
          {t('first.done')}
        </Link>
      </Entrance>
    )
  }
  return (
    <Entrance title={t('first.watch')}>
      <Steps at={3} of={3} />
      <p class="lead">{t('first.watchLead')}</p>
      <DeviceForm
        personId={personId}
        onMade={(device) => {
          made.value = device
        }}
        aside={
          <Link to="/" class="button quiet">
            {t('action.later')}
          </Link>
        }
      />
    </Entrance>
  )
}
