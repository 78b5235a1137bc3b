/** Who looked at whom, newest first, and whether the log is as it was written. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import type { DataClass } from '../../../domain/access.ts'
import { isOwner, useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText, Show } from '../../parts/feedback.tsx'
import { Select } from '../../parts/fields.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Section } from '../../parts/screen.tsx'
import { createResource } from '../../state/resource.ts'
import { actText } from './acts.ts'
import type { AuditEntry, Verified } from './answers.ts'
import { words } from './words.ts'

const PAGE = 20
const EVERYBODY = '*'

export function Looked(): JSX.Element {
  const app = useApp()
  const { api, household } = app
  const say = useWords(words)
  const owner = isOwner(app)
  const people = household.people.state.value.value ?? []
  const personId = useSignal(EVERYBODY)
  const pages = useSignal(1)
  const entries = useMemo(
    () =>
      createResource(async () => {
        const of = personId.peek() === EVERYBODY ? '' : `&person_id=${encodeURIComponent(personId.peek())}`
        return api.get<AuditEntry[]>(`/privacy/audit?per_page=${Math.min(200, PAGE * pages.peek())}${of}`)
      }),
    [],
  )
  useEffect(() => void entries.reload(), [personId.value, pages.value])
  return (
    <Section title={say('looked.title')}>
      {owner && people.length > 0 && (
        <Select
          label={say('looked.of')}
          value={personId}
          options={[
            { value: EVERYBODY, label: say('looked.everybody') },
            ...people.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
      <Show of={entries}>
        {(found) => (
          <>
            {found.length === 0 && <p>{say('looked.none')}</p>}
            <ul class="rows">
              {found.map((entry) => (
                <Line key={entry.seq} entry={entry} />
              ))}
            </ul>
            {found.length >= PAGE * pages.value && PAGE * pages.value < 200 && (
              <button type="button" class="button" onClick={() => pages.value++}>
                {say('looked.more')}
              </button>
            )}
          </>
        )}
      </Show>
      <p class="small">{say('looked.note')}</p>
      {owner && <Check />}
    </Section>
  )
}

function Line({ entry }: { entry: AuditEntry }): JSX.Element {
  const { t, format, zone, household } = useApp()
  const say = useWords(words)
  const { kind, name } = entry.who
  const who = name ?? (kind === 'user' || kind === 'device' ? say('looked.gone') : say(`looked.${kind}`))
  const person = household.people.state.value.value?.find(({ id }) => id === entry.person_id)?.name
  const what =
    entry.act === 'read'
      ? say('act.read', {
          what:
            entry.class === 'any' || entry.class === null
              ? say('act.any')
              : t(`class.${entry.class as DataClass}`),
        })
      : actText(entry.act)
  return (
    <li class="row">
      <Icon name={entry.act === 'read' ? 'eye' : 'key'} />
      <span class="row-text">
        <span class="row-title">{who}</span>
        <span class="row-more">
          {person === undefined ? what : say('looked.ofWhom', { act: what, name: person })}
        </span>
        <span class="row-more">{format.moment(Date.parse(entry.at), zone)}</span>
      </span>
    </li>
  )
}

function Check(): JSX.Element {
  const { t, api } = useApp()
  const say = useWords(words)
  const verified = useSignal<Verified | null>(null)
  const action = useAction()
  const { value: found } = verified
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={action.busy.value}
        onClick={() =>
          void action.run(async () => {
            verified.value = await api.get<Verified>('/privacy/audit/verify')
          })
        }
      >
        <Icon name="shield" size={20} />
        {say('looked.check')}
      </button>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      {found?.whole && <p role="status">{say('looked.whole', { count: found.entries })}</p>}
      {found && !found.whole && (
        <ErrorLine>{say('looked.broken', { problem: found.problem ?? '' })}</ErrorLine>
      )}
    </>
  )
}
