/** For each person, what may leave this house. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { Form, useAction } from '../../parts/action.tsx'
import { Checks } from '../../parts/fields.tsx'
import { Section } from '../../parts/screen.tsx'
import type { Resource } from '../../state/resource.ts'
import { CLASSES, type CloudStanding, type Leaves } from './answers.ts'
import { words } from './words.ts'

interface LeavingProps {
  found: CloudStanding
  cloud: Resource<CloudStanding>
}

export function PeopleLeaving({ found, cloud }: LeavingProps): JSX.Element {
  const { household } = useApp()
  const say = useWords(words)
  const people = household.people.state.value.value ?? []
  return (
    <Section title={say('people.title')}>
      <p>{say('people.text')}</p>
      {found.people.length === 0 && <p>{say('people.none')}</p>}
      <ul class="rows">
        {found.people.map(({ person_id: id, leaves }) => {
          const name = people.find((person) => person.id === id)?.name ?? id
          return <Person key={id} id={id} name={name} leaves={leaves} cloud={cloud} />
        })}
      </ul>
    </Section>
  )
}

interface PersonProps {
  id: string
  name: string
  leaves: Leaves[]
  cloud: Resource<CloudStanding>
}

function Person({ id, name, leaves, cloud }: PersonProps): JSX.Element {
  const say = useWords(words)
  const open = useSignal(false)
  const summary = leaves.map((one) => say(`short.${one.class}`)).join(', ') || say('leaves.nothing')
  return (
    <li>
      <button
        type="button"
        class="row"
        aria-expanded={open.value}
        aria-label={say('leaves.change', { name })}
        onClick={() => {
          open.value = !open.value
        }}
      >
        <span class="row-text">
          <span class="row-title">{name}</span>
          <span class="row-more">{summary}</span>
        </span>
      </button>
      {open.value && (
        <Choose
          id={id}
          name={name}
          leaves={leaves}
          cloud={cloud}
          onDone={() => {
            open.value = false
          }}
        />
      )}
    </li>
  )
}

function Choose({ id, name, leaves, cloud, onDone }: PersonProps & { onDone: () => void }): JSX.Element {
  const { api } = useApp()
  const say = useWords(words)
  const classes = useSignal<string[]>(leaves.map((one) => one.class))
  const raw = useSignal<string[]>(leaves.some((one) => one.raw) ? ['raw'] : [])
  const action = useAction()
  return (
    <Form
      action={action}
      submit={say('leaves.save')}
      onSubmit={async () => {
        const wanted = CLASSES.filter((one) => classes.value.includes(one))
        const asked = wanted.map((one) => ({ class: one, raw: raw.value.includes('raw') }))
        const path = `/sync/people/${encodeURIComponent(id)}`
        cloud.set(await api.put<CloudStanding>(path, { leaves: asked }))
        onDone()
      }}
    >
      <Checks
        legend={say('leaves.legend', { name })}
        values={classes}
        options={CLASSES.map((one) => ({ value: one as string, label: say(`class.${one}`) }))}
      />
      <Checks legend="" values={raw} options={[{ value: 'raw', label: say('leaves.raw') }]} />
      <p class="small">{say('leaves.off')}</p>
    </Form>
  )
}
