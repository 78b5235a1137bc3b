/** The people of the household: the list, and the form that adds or changes one. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { isOwner, useApp } from '../app.ts'
import type { Person } from '../net/answers.ts'
import { Confirm, Form, useAction } from '../parts/action.tsx'
import { Empty, Show } from '../parts/feedback.tsx'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Screen } from '../parts/screen.tsx'
import { PersonFields, personBody, usePersonForm } from './person-form.tsx'

export function People(): JSX.Element {
  const app = useApp()
  const { t, household } = app
  const add = isOwner(app) ? (
    <Link to="/people/new" class="button compact">
      <Icon name="plus" size={20} />
      {t('action.add')}
    </Link>
  ) : undefined
  return (
    <Screen title={t('nav.people')} actions={add} narrow>
      <Show of={household.people}>
        {(people) =>
          people.length === 0 ? (
            <Empty icon="people" title={t('home.empty')} text={t('home.emptyText')} />
          ) : (
            <ul class="rows">
              {people.map((person) => (
                <li key={person.id}>
                  <PersonRow person={person} />
                </li>
              ))}
            </ul>
          )
        }
      </Show>
    </Screen>
  )
}

function PersonRow({ person }: { person: Person }): JSX.Element {
  const app = useApp()
  const { t, household } = app
  const worn = household.devices.state.value.value?.filter(
    (device) => device.person_id === person.id && !device.revoked,
  )
  const kind = t(`kind.${person.kind}`)
  const age = person.age === null ? kind : t('person.age', { kind, count: person.age })
  return (
    <Link to={isOwner(app) ? `/people/${person.id}` : `/p/${person.id}`} class="row">
      <span class="initial" aria-hidden="true">
        {person.name.slice(0, 1)}
      </span>
      <span class="row-text">
        <span class="row-title">{person.name}</span>
        <span class="row-more">
          {age}
          {worn && worn.length > 0 && ` · ${worn.map((device) => device.name).join(', ')}`}
        </span>
      </span>
      <Icon name="next" size={20} />
    </Link>
  )
}

export function EditPerson({ id }: { id: string | null }): JSX.Element {
  const { t, household } = useApp()
  if (id === null) return <PersonForm person={null} />
  return (
    <Show of={household.people}>
      {(people) => {
        const person = people.find((one) => one.id === id)
        if (person) return <PersonForm person={person} />
        return (
          <Screen title={t('person.missing')} back="/people">
            <Empty icon="shield" title={t('failed.missing')} text={t('error.NOT_FOUND')} />
          </Screen>
        )
      }}
    </Show>
  )
}

function PersonForm({ person }: { person: Person | null }): JSX.Element {
  const { t, api, household, router, said } = useApp()
  const form = usePersonForm(person)
  const action = useAction()
  const key = useSignal(crypto.randomUUID())
  const gone = async (sentence: string) => {
    await household.people.reload()
    said.value = sentence
    router.go('/people', { replace: true })
  }
  return (
    <Screen title={person ? t('person.edit', { name: person.name }) : t('person.add')} back="/people" narrow>
      <Form
        action={action}
        submit={t('action.save')}
        disabled={form.name.value.trim() === ''}
        onSubmit={async () => {
          const body = personBody(form)
          if (person) await api.patch(`/people/${person.id}`, body)
          else await api.post('/people', body, { idempotencyKey: key.value })
          await gone(t('said.saved'))
        }}
      >
        <PersonFields form={form} />
      </Form>
      {person && (
        <div class="danger-zone">
          <Confirm
            label={t('person.remove')}
            title={t('person.removeTitle', { name: person.name })}
            text={t('person.removeText')}
            confirm={t('person.remove')}
            onConfirm={async () => {
              await api.remove(`/people/${person.id}`)
              await gone(t('said.removed'))
            }}
          />
        </div>
      )}
    </Screen>
  )
}
