/** Phones that want to film a running session: taken or not by who runs it, sent away again when it is enough. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText, Notice } from '../../../parts/feedback.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { SeenPhone } from './answers.ts'
import { useSessionWords } from './sessions.ts'

export interface PhonesProps {
  sessionId: string
  phones: readonly SeenPhone[]
  onDone: () => void
}

/** Those that ask stand above everything else: somebody holds one in their hand. */
export function AskingPhones(props: PhonesProps): JSX.Element {
  const w = useSessionWords()
  const asking = props.phones.filter(({ state }) => state === 'waiting')
  return (
    <>
      {asking.map((phone) => (
        <Notice key={phone.user_id} tone="watch" icon="phone" live>
          <strong>{w('phones.wants', { name: phone.name })}</strong>
          <br />
          {w('phones.wantsText')}
          <Answers {...props} phone={phone} />
        </Notice>
      ))}
    </>
  )
}

/** Those that film, each with the way to send it away. */
export function FilmingPhones(props: PhonesProps): JSX.Element | null {
  const w = useSessionWords()
  const filming = props.phones.filter(({ state }) => state === 'taken')
  if (filming.length === 0) return null
  return (
    <Section title={w('phones.title')}>
      <ul class="rows">
        {filming.map((phone) => (
          <li key={phone.user_id} class="row file-row">
            <span class="row-text">
              <span class="row-title">{phone.name}</span>
            </span>
            <Answers {...props} phone={phone} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Answers({ sessionId, phone, onDone }: PhonesProps & { phone: SeenPhone }): JSX.Element {
  const { t, api, said } = useApp()
  const w = useSessionWords()
  const action = useAction()
  const { name, user_id: userId, state } = phone
  const path = `/live/${encodeURIComponent(sessionId)}/phones/${encodeURIComponent(userId)}`
  const take = () =>
    void action.run(async () => {
      await api.post(`${path}/accept`)
      said.value = w('phones.taken', { name })
      onDone()
    })
  const refuse = () =>
    void action.run(async () => {
      await api.remove(path)
      said.value = w(state === 'taken' ? 'phones.ended' : 'phones.refused', { name })
      onDone()
    })
  const { value: error } = action.error
  return (
    <>
      <div class="phone-answers">
        {state === 'waiting' && (
          <button type="button" class="button primary compact" disabled={action.busy.value} onClick={take}>
            {w('phones.take')}
          </button>
        )}
        <button type="button" class="button compact" disabled={action.busy.value} onClick={refuse}>
          {w(state === 'taken' ? 'phones.end' : 'phones.refuse')}
        </button>
      </div>
      {error && <ErrorLine>{error.code === 'FORBIDDEN' ? error.message : errorText(t, error)}</ErrorLine>}
    </>
  )
}
