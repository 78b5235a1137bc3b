/** Marks a moment with one tap; the moment is that of the tap, however long the hub takes to hear of it. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { ErrorLine, Form, useAction } from '../../../parts/action.tsx'
import { errorText } from '../../../parts/feedback.tsx'
import { Field, Select } from '../../../parts/fields.tsx'
import { Section } from '../../../parts/screen.tsx'
import { clockOf, useNames, useSessionWords } from './sessions.ts'

const LABELS = ['tag.goal', 'tag.good', 'tag.mistake', 'tag.look'] as const

export interface TagsProps {
  sessionId: string
  startedAtMs: number
}

export function Tags({ sessionId, startedAtMs }: TagsProps): JSX.Element {
  const { t, api, clock, said } = useApp()
  const w = useSessionWords()
  const own = useSignal('')
  const quick = useAction()
  const written = useAction()
  const mark = async (label: string) => {
    // Never before the session: this device's idea of the hub's clock may be off by a little.
    const atMs = Math.max(startedAtMs, Math.round(clock.nowMs()))
    await api.post(`/live/${encodeURIComponent(sessionId)}/tags`, { label, ts: atMs })
    said.value = w('tag.done', { label, time: clockOf((atMs - startedAtMs) / 1000) })
  }
  return (
    <Section title={w('tag.title')}>
      <div class="tag-buttons">
        {LABELS.map((name) => (
          <button
            key={name}
            type="button"
            class="button"
            disabled={quick.busy.value}
            onClick={() => void quick.run(() => mark(w(name)))}
          >
            {w(name)}
          </button>
        ))}
      </div>
      {quick.error.value && <ErrorLine>{errorText(t, quick.error.value)}</ErrorLine>}
      <div class="tag-own">
        <Form
          action={written}
          submit={w('tag.add')}
          disabled={own.value.trim() === ''}
          onSubmit={async () => {
            await mark(own.value.trim())
            own.value = ''
          }}
        >
          <Field label={w('tag.own')} value={own} required maxLength={200} autocomplete="off" />
        </Form>
      </div>
    </Section>
  )
}

export interface MarkMomentProps {
  /** Of the session, below `/api/v1`. */
  path: string
  /** The moment that is looked at. */
  moment: { value: number }
  fromMs: number
  players: readonly string[]
  onDone: () => void
}

const NOBODY = ''

/** Marks a moment while looking back. */
export function MarkMoment({ path, moment, fromMs, players, onDone }: MarkMomentProps): JSX.Element {
  const { api, said } = useApp()
  const w = useSessionWords()
  const nameOf = useNames()
  const label = useSignal('')
  const about = useSignal(NOBODY)
  const action = useAction()
  const time = clockOf((moment.value - fromMs) / 1000)
  return (
    <div class="tag-own">
      <Form
        action={action}
        submit={w('review.mark', { time })}
        disabled={label.value.trim() === ''}
        onSubmit={async () => {
          const text = label.value.trim()
          await api.post(`${path}/tags`, {
            ...{ label: text, ts: moment.value },
            ...(about.value !== NOBODY && { player_id: about.value }),
          })
          said.value = w('tag.done', { label: text, time })
          label.value = ''
          onDone()
        }}
      >
        <Field label={w('tag.own')} value={label} required maxLength={200} autocomplete="off" />
        {players.length > 0 && (
          <Select
            label={w('review.player')}
            value={about}
            options={[
              { value: NOBODY, label: w('review.everybody') },
              ...players.map((id) => ({ value: id, label: nameOf(id) })),
            ]}
          />
        )}
      </Form>
    </div>
  )
}
