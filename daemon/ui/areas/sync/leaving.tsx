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
  const open = useSignal<string | null>(null)
  const people = household.people.state.value.value ?? []
  const nameOf = (id: string) => people.find((person) => person.id === id)?.name ?? id
  const chosen = found.people.find(({ person_id: id }) => id === open.value)
  return (
    <Section title={say('people.title')}>
      <p>{say('people.text')}</p>
      {found.people.length === 0 && <p>{say('people.none')}</p>}
      <ul class="rows">
        {found.people.map(({ person_id: id, leaves }) => (
          <li key={id} class="row">
            <span class="row-text">
              <span class="row-title">{nameOf(id)}</span>
              <span class="row-more">
                {leaves.map((one) => say(`short.${one.class}`)).join(', ') || say('leaves.nothing')}
              </span>
            </span>
            <button
              type="button"
              class="button compact"
              aria-expanded={open.value === id}
              aria-label={say('leaves.changeOf', { name: nameOf(id) })}
              onClick={() => {
                open.value = open.value === id ? null : id
              }}
            >
              {say('leaves.change')}
            </button>
          </li>
        ))}
      </ul>
      {chosen && (
        <Choose
          key={chosen.person_id}
          id={chosen.person_id}
          name={nameOf(chosen.person_id)}
          leaves={chosen.leaves}
          cloud={cloud}
          onDone={() => {
            open.value = null
          }}
        />
      )}
    </Section>
  )
}

interface ChooseProps {
  id: string
  name: string
  leaves: Leaves[]
  cloud: Resource<CloudStanding>
  onDone: () => void
}

function Choose({ id, name, leaves, cloud, onDone }: ChooseProps): JSX.Element {
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
      <Checks
        legend={say('leaves.rawLegend')}
        values={raw}
        options={[{ value: 'raw', label: say('leaves.raw') }]}
      />
      <p class="small">{say('leaves.off')}</p>
    </Form>
  )
}
