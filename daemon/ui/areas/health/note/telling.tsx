/** Writes something down: kept on this device first, told to the hub when it is in reach, and what waits is shown. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { ApiError } from '../../../net/api.ts'
import type { Letter, Outbox } from '../../../offline/outbox.ts'
import { errorText, Notice } from '../../../parts/feedback.tsx'
import { Section } from '../../../parts/screen.tsx'
import { StateMark } from '../../../parts/state-mark.tsx'
import { useHealth, useSay } from '../health.ts'

export type NoteKind = 'mood' | 'journal' | 'meal' | 'activity'

const PATHS: Readonly<Record<NoteKind, string>> = {
  mood: '/mood',
  journal: '/journal',
  meal: '/meals',
  activity: '/activities',
}
const KINDS = Object.keys(PATHS) as NoteKind[]

export interface Telling {
  outbox: Outbox | null
  /** Resolves when it is safe; rejects when it could be neither sent nor kept. */
  tell(kind: NoteKind, fields: object): Promise<void>
}

export function useTelling(): Telling {
  const app = useApp()
  const { person } = useHealth()
  const say = useSay()
  const outbox = useSignal<Outbox | null>(null)
  useEffect(() => {
    app.outbox().then(
      (opened) => {
        outbox.value = opened
      },
      () => undefined,
    )
  }, [])
  return {
    outbox: outbox.value,
    async tell(kind, fields) {
      const opened = await app.outbox().catch(() => {
        throw new ApiError('OFFLINE', '')
      })
      const body = { person_id: person.id, ...fields }
      const fate = await opened.add({ kind, personId: person.id, path: PATHS[kind], body })
      if (fate === 'full') throw new ApiError('FULL', say('outbox.full'))
      const refused = fate === 'refused' ? opened.letters.peek().at(-1) : undefined
      if (refused?.refused) {
        await opened.discard(refused.id)
        throw new ApiError(refused.refused.code, refused.refused.message)
      }
      app.said.value = say(fate === 'sent' ? 'outbox.said.sent' : 'outbox.said.waiting')
    },
  }
}

/** What has not reached the hub yet, with the way to give up on what it refused. */
export function Waiting({ outbox }: { outbox: Outbox | null }): JSX.Element | null {
  const say = useSay()
  const letters = outbox?.letters.value ?? []
  if (!outbox || letters.length === 0) return null
  return (
    <Section title={say('outbox.title')}>
      {!outbox.durable.value && (
        <Notice tone="watch" icon="warning">
          {say('outbox.notKept')}
        </Notice>
      )}
      <ul class="rows">
        {letters.map((letter) => (
          <WaitingRow key={letter.id} letter={letter} outbox={outbox} />
        ))}
      </ul>
      <p class="small">{say('outbox.signOut')}</p>
    </Section>
  )
}

function WaitingRow({ letter, outbox }: { letter: Letter; outbox: Outbox }): JSX.Element {
  const { t, format, household, clock } = useApp()
  const say = useSay()
  const { kind, personId, writtenAtMs, refused } = letter
  const name = household.people.state.value.value?.find(({ id }) => id === personId)?.name ?? ''
  return (
    <li class="row">
      <span class="row-text">
        <span class="row-title">
          {say(`outbox.kind.${KINDS.find((one) => one === kind) ?? 'mood'}`, { name })}
        </span>
        <span class="row-more">
          {format.moment(writtenAtMs, undefined, clock.nowMs())}
          {refused ? (
            <StateMark state="alert" word={say('outbox.refused')} />
          ) : (
            <StateMark state="stale" word={say(outbox.sending.value ? 'outbox.sending' : 'outbox.waiting')} />
          )}
        </span>
        {refused && (
          <span class="row-more warn">{errorText(t, new ApiError(refused.code, refused.message))}</span>
        )}
      </span>
      {refused && (
        <button type="button" class="button compact" onClick={() => void outbox.discard(letter.id)}>
          {say('outbox.discard')}
        </button>
      )}
    </li>
  )
}
