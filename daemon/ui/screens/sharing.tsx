/** Who can see what: every grant in plain words, given and taken back here. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import type { DataClass } from '../../domain/access.ts'
import { isOwner, useApp } from '../app.ts'
import type { Grant, Person, User } from '../net/answers.ts'
import { Confirm, Form, useAction } from '../parts/action.tsx'
import { Empty, Show } from '../parts/feedback.tsx'
import { Checks, Select } from '../parts/fields.tsx'
import { Icon } from '../parts/icon.tsx'
import { Screen, Section } from '../parts/screen.tsx'
import { createResource, type Resource } from '../state/resource.ts'
import { classOptions } from './words.ts'

interface Sharing {
  grants: Grant[]
  users: User[]
}

export function Sharing(): JSX.Element {
  const app = useApp()
  const { t, api, household } = app
  const owner = isOwner(app)
  const sharing = useMemo(
    () =>
      createResource<Sharing>(async () => {
        const [grants, users] = await Promise.all([
          api.all<Grant>('/privacy/consents'),
          owner ? api.all<User>('/users') : [],
        ])
        return { grants, users }
      }),
    [owner],
  )
  useEffect(() => void sharing.reload(), [sharing])
  const people = household.people.state.value.value ?? []
  return (
    <Screen title={t('sharing.title')} back="/more" narrow>
      <p class="lead">{t(owner ? 'sharing.lead' : 'sharing.leadOwn')}</p>
      <Show of={sharing}>
        {({ grants, users }) => (
          <>
            {grants.length === 0 && (
              <Empty icon="shield" title={t('sharing.empty')} text={t('sharing.emptyText')} />
            )}
            {people
              .filter((person) => grants.some((grant) => grant.person_id === person.id))
              .map((person) => (
                <Section key={person.id} title={t('sharing.of', { name: person.name })}>
                  <ul class="rows">
                    {grants
                      .filter((grant) => grant.person_id === person.id)
                      .map((grant) => (
                        <GrantRow key={grant.id} grant={grant} users={users} sharing={sharing} />
                      ))}
                  </ul>
                </Section>
              ))}
            {owner && <Give users={users} people={people} sharing={sharing} />}
          </>
        )}
      </Show>
    </Screen>
  )
}

interface GrantRowProps {
  grant: Grant
  users: readonly User[]
  sharing: Resource<Sharing>
}

function GrantRow({ grant, users, sharing }: GrantRowProps): JSX.Element {
  const app = useApp()
  const { t, api, format, zone } = app
  const user = users.find(({ id }) => id === grant.user_id)
  const name = user?.name ?? t('sharing.you')
  return (
    <li class="row">
      <Icon name="user" />
      <span class="row-text">
        <span class="row-title">{name}</span>
        <span class="row-more">
          {t(`class.${grant.class}`)} · {t(grant.action === 'write' ? 'sharing.write' : 'sharing.read')}
        </span>
        {grant.expires_at !== null && (
          <span class="row-more">
            {t('sharing.until', { date: format.date(Date.parse(grant.expires_at), zone) })}
          </span>
        )}
      </span>
      {isOwner(app) && (
        <Confirm
          small
          label={t('sharing.stop')}
          title={t('sharing.stopTitle', { name })}
          text={t('sharing.stopText')}
          confirm={t('sharing.stop')}
          onConfirm={async () => {
            await api.remove(`/privacy/consents/${encodeURIComponent(grant.id)}`)
            await sharing.reload()
          }}
        />
      )}
    </li>
  )
}

interface GiveProps {
  users: readonly User[]
  people: readonly Person[]
  sharing: Resource<Sharing>
}

/** Owners see everything anyway, so only others can be given something. */
function Give({ users, people, sharing }: GiveProps): JSX.Element | null {
  const { t, api, said } = useApp()
  const others = users.filter((user) => user.role !== 'owner' && !user.disabled)
  const userId = useSignal(others[0]?.id ?? '')
  const personId = useSignal(people[0]?.id ?? '')
  const classes = useSignal<readonly DataClass[]>([])
  const action = useAction()
  if (others.length === 0 || people.length === 0) return <p class="small">{t('sharing.nobody')}</p>
  return (
    <Section title={t('sharing.give')}>
      <Form
        action={action}
        submit={t('sharing.submit')}
        disabled={classes.value.length === 0}
        onSubmit={async () => {
          for (const name of classes.value) {
            await api.post('/privacy/consents', {
              user_id: userId.value,
              person_id: personId.value,
              class: name,
              action: 'read',
            })
          }
          classes.value = []
          await sharing.reload()
          said.value = t('said.saved')
        }}
      >
        <Select
          label={t('sharing.who')}
          value={userId}
          options={others.map((user) => ({ value: user.id, label: user.name }))}
        />
        <Select
          label={t('sharing.whose')}
          value={personId}
          options={people.map((person) => ({ value: person.id, label: person.name }))}
        />
        <Checks legend={t('pair.classes')} values={classes} options={classOptions(t)} />
      </Form>
    </Section>
  )
}
