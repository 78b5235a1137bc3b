/** Groups: who is called in which order, how long each step waits, and who is on call when. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp, useWords } from '../../app.ts'
import type { User } from '../../net/answers.ts'
import { Confirm, ErrorLine, Form, useAction } from '../../parts/action.tsx'
import { errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Field, Select } from '../../parts/fields.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import type { Group, GroupMember } from './answers.ts'
import { Rota } from './rota.tsx'
import { words } from './words.ts'

const KINDS = ['family', 'care', 'team'] as const
const ROLES = ['cared_for', 'parent', 'carer', 'coach', 'player', 'member'] as const
const ORDERS = ['1', '2', '3', '4', '5'] as const

export function GroupsPage(): JSX.Element {
  const app = useApp()
  const { api } = app
  const say = useWords(words)
  const groups = useMemo(() => createResource(() => api.all<Group>('/groups')), [api])
  useEffect(() => void groups.reload(), [groups])
  return (
    <Screen title={say('groups.title')} back="/alerts" narrow>
      <p class="lead">{say('groups.lead')}</p>
      <Show of={groups}>
        {(found) => (
          <>
            {found.length === 0 && <p>{say('groups.none')}</p>}
            {found.map((group) => (
              <GroupOf key={group.id} group={group} onChanged={groups.reload} />
            ))}
          </>
        )}
      </Show>
      {isOwner(app) && <NewGroup onMade={groups.reload} />}
    </Screen>
  )
}

interface GroupProps {
  group: Group
  onChanged: () => Promise<void>
}

function GroupOf({ group, onChanged }: GroupProps): JSX.Element {
  const app = useApp()
  const { api, t } = app
  const say = useWords(words)
  const path = `/groups/${encodeURIComponent(group.id)}`
  const owner = isOwner(app)
  const ordered = [...group.members].sort((a, b) => (a.escalation_order ?? 100) - (b.escalation_order ?? 100))
  return (
    <Section title={group.name}>
      <p class="small">
        {say(`groups.kind.${group.kind}`)} · {say('groups.step', { minutes: group.step_minutes })}
      </p>
      {!isCallingFor(group) && (
        <Notice tone="watch" icon="warning">
          {say('groups.nobody')}
        </Notice>
      )}
      <ul class="rows">
        {ordered.map((member) => (
          <Member key={member.member_id} member={member} path={path} onChanged={onChanged} />
        ))}
      </ul>
      {owner && <AddMember group={group} path={path} onChanged={onChanged} />}
      <Rota group={group} path={path} onChanged={onChanged} />
      {owner && (
        <div class="alert-further">
          <Confirm
            small
            label={say('groups.remove')}
            title={say('groups.removeTitle', { name: group.name })}
            text={say('groups.removeText')}
            confirm={t('action.remove')}
            onConfirm={async () => {
              await api.remove(path)
              await onChanged()
            }}
          />
        </div>
      )}
    </Section>
  )
}

/** A team is no ladder; any other group calls for those whom it looks after, and without one for nobody. */
function isCallingFor({ kind, members }: Group): boolean {
  return kind === 'team' || members.some(({ role }) => role === 'cared_for' || role === 'player')
}

interface MemberProps {
  member: GroupMember
  path: string
  onChanged: () => Promise<void>
}

function Member({ member, path, onChanged }: MemberProps): JSX.Element {
  const app = useApp()
  const { api, t } = app
  const say = useWords(words)
  const action = useAction()
  const order = member.escalation_order
  return (
    <li class="row">
      <span class="row-text">
        <span class="row-title">{member.name}</span>
        <span class="row-more">
          {say(`groups.role.${member.role}`)} ·{' '}
          {order === null ? say('groups.notCalled') : say('groups.order', { order })}
        </span>
        {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      </span>
      {isOwner(app) && (
        <button
          type="button"
          class="button compact"
          aria-label={say('groups.take', { name: member.name })}
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              await api.remove(`${path}/members/${encodeURIComponent(member.member_id)}`)
              await onChanged()
            })
          }
        >
          {t('action.remove')}
        </button>
      )}
    </li>
  )
}

/** Adding somebody once more changes role and order. */
function AddMember({ group, path, onChanged }: GroupProps & { path: string }): JSX.Element {
  const { api, household } = useApp()
  const say = useWords(words)
  const action = useAction()
  const users = useMemo(() => createResource(() => api.all<User>('/users')), [api])
  useEffect(() => void users.reload(), [users])
  const who = useSignal('')
  const role = useSignal<(typeof ROLES)[number]>('parent')
  const order = useSignal<string>('')
  const people = household.people.state.value.value ?? []
  const named = new Set(people.map(({ name }) => name))
  const others = (users.state.value.value ?? []).filter(({ name }) => !named.has(name))
  const options = [...people, ...others].map(({ id, name }) => ({ value: id, label: name }))
  const chosen = who.value || options[0]?.value
  // Begins with what somebody is by now: one careless press must not make a parent of the child.
  useEffect(() => {
    const member = group.members.find(({ member_id }) => member_id === chosen)
    const isPerson = people.some(({ id }) => id === chosen)
    role.value = member?.role ?? (isPerson ? (group.kind === 'team' ? 'player' : 'cared_for') : 'parent')
    order.value = member?.escalation_order ? String(member.escalation_order) : ''
  }, [chosen])
  return (
    <Form
      action={action}
      submit={say('groups.add')}
      disabled={options.length === 0}
      onSubmit={async () => {
        const place = order.peek() === '' ? null : Number(order.peek())
        const member = { person_id: who.peek(), role: role.peek(), escalation_order: place }
        await api.post(`${path}/members`, member)
        await onChanged()
      }}
    >
      <Select label={say('groups.who', { group: group.name })} value={who} options={options} />
      <Select
        label={say('groups.role')}
        value={role}
        options={ROLES.map((value) => ({ value, label: say(`groups.role.${value}`) }))}
      />
      <Select
        label={say('groups.orderLabel')}
        value={order}
        options={[
          { value: '', label: say('groups.notCalled') },
          ...ORDERS.map((value) => ({ value, label: say('groups.order', { order: value }) })),
        ]}
      />
    </Form>
  )
}

function NewGroup({ onMade }: { onMade: () => Promise<void> }): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const action = useAction()
  const name = useSignal('')
  const kind = useSignal<(typeof KINDS)[number]>('family')
  const minutes = useSignal('2')
  const stepMinutes = Number(minutes.value)
  return (
    <Section title={say('groups.new')}>
      <Form
        action={action}
        submit={say('groups.make')}
        disabled={name.value.trim() === '' || !Number.isInteger(stepMinutes) || stepMinutes < 1}
        onSubmit={async () => {
          const group = { name: name.peek().trim(), kind: kind.peek(), step_minutes: stepMinutes }
          await api.post('/groups', group)
          name.value = ''
          await onMade()
        }}
      >
        <Field label={say('groups.name')} value={name} required maxLength={80} />
        <Select
          label={say('groups.kind')}
          value={kind}
          options={KINDS.map((value) => ({ value, label: say(`groups.kind.${value}`) }))}
        />
        <Field label={say('groups.minutes')} value={minutes} inputMode="numeric" required />
      </Form>
    </Section>
  )
}
