/** Who is on call when: a group's turns by weekday and wall clock. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { isOwner, useApp, useWords } from '../../app.ts'
import { ErrorLine, Form, useAction } from '../../parts/action.tsx'
import { errorText } from '../../parts/feedback.tsx'
import { Checks, Field, Select } from '../../parts/fields.tsx'
import type { Group, Shift } from './answers.ts'
import { words } from './words.ts'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

interface RotaProps {
  group: Group
  path: string
  onChanged: () => Promise<void>
}

export function Rota({ group, path, onChanged }: RotaProps): JSX.Element {
  const app = useApp()
  const { api, t } = app
  const say = useWords(words)
  const action = useAction()
  const nameOf = (id: string) =>
    group.members.find((one) => one.member_id === id || one.person_id === id)?.name ?? id
  const keep = async (rota: readonly Shift[]) => {
    await api.patch(path, { rota })
    await onChanged()
  }
  return (
    <div class="rota">
      <h3>{say('rota.title')}</h3>
      {group.rota.length === 0 && <p class="small">{say('rota.none')}</p>}
      <ul class="rows">
        {group.rota.map((shift, index) => (
          <li key={JSON.stringify(shift)} class="row">
            <span class="row-text">
              <span class="row-title">{nameOf(shift.person_id)}</span>
              <span class="row-more">
                {shift.days.map((day) => say(`day.${day}`)).join(', ')} · {shift.from}–{shift.to}
              </span>
            </span>
            {isOwner(app) && (
              <button
                type="button"
                class="button compact"
                disabled={action.busy.value}
                onClick={() => void action.run(() => keep(group.rota.filter((_, at) => at !== index)))}
              >
                {t('action.remove')}
              </button>
            )}
          </li>
        ))}
      </ul>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      {isOwner(app) && group.members.length > 0 && (
        <details>
          <summary class="button compact">{say('rota.add')}</summary>
          <AddShift group={group} onAdd={(shift) => keep([...group.rota, shift])} />
        </details>
      )}
    </div>
  )
}

function AddShift({ group, onAdd }: { group: Group; onAdd: (shift: Shift) => Promise<void> }): JSX.Element {
  const say = useWords(words)
  const action = useAction()
  const who = useSignal('')
  const days = useSignal<readonly (typeof DAYS)[number][]>(['mon', 'tue', 'wed', 'thu', 'fri'])
  const from = useSignal('07:00')
  const to = useSignal('19:00')
  const isWhole = days.value.length > 0 && TIME.test(from.value) && TIME.test(to.value)
  return (
    <Form
      action={action}
      submit={say('rota.add')}
      disabled={!isWhole}
      onSubmit={() =>
        onAdd({ person_id: who.peek(), days: [...days.peek()], from: from.peek(), to: to.peek() })
      }
    >
      <Select
        label={say('rota.who')}
        value={who}
        options={group.members.map(({ member_id: value, name: label }) => ({ value, label }))}
      />
      <Checks
        legend={say('rota.days')}
        values={days}
        options={DAYS.map((value) => ({ value, label: say(`day.${value}`) }))}
      />
      <Field label={say('rota.from')} value={from} required maxLength={5} />
      <Field label={say('rota.to')} value={to} required maxLength={5} hint={say('rota.overnight')} />
    </Form>
  )
}
