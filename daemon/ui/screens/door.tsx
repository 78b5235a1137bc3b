/** Someone's device asks to come in: who, as what, for whom, and the words that both screens must show. */
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import type { PairingRequest } from '../net/answers.ts'
import { ErrorLine, useAction } from '../parts/action.tsx'
import { errorText } from '../parts/feedback.tsx'
import { deviceIcon, Icon } from '../parts/icon.tsx'
import { roleText } from './words.ts'

/** All open requests; nothing when nobody is at the door. */
export function Door(): JSX.Element | null {
  const { pairing } = useApp()
  const waiting = (pairing.requests.state.value.value ?? []).filter((request) => request.status === 'waiting')
  if (waiting.length === 0) return null
  return (
    <>
      {waiting.map((request) => (
        <Knock key={request.id} request={request} />
      ))}
    </>
  )
}

function Knock({ request }: { request: PairingRequest }): JSX.Element {
  const { t, household, pairing, said } = useApp()
  const action = useAction()
  const { value: error } = action.error
  const person = household.people.state.value.value?.find(({ id }) => id === request.person_id)
  const decide = (answer: 'approve' | 'deny') =>
    void action.run(async () => {
      await pairing.decide(request.id, answer)
      said.value = t(answer === 'approve' ? 'door.approved' : 'door.denied', { name: request.device_name })
      if (answer === 'approve') await household.devices.reload()
    })
  return (
    <section class="knock" role="alert" aria-label={t('door.label')}>
      <div class="knock-head">
        <Icon name={deviceIcon(request.device_type)} size={28} />
        <div>
          <h2>{t('door.title', { name: request.device_name })}</h2>
          <p class="knock-role">
            {roleText(t, request.role)}
            {person && <> · {person.name}</>}
          </p>
        </div>
      </div>
      <p class="knock-ask">{t('door.compare')}</p>
      <Words words={request.words} />
      {error && <ErrorLine>{errorText(t, error)}</ErrorLine>}
      <div class="dialog-actions">
        <button type="button" class="button" disabled={action.busy.value} onClick={() => decide('deny')}>
          {t('door.deny')}
        </button>
        <button
          type="button"
          class="button primary"
          disabled={action.busy.value}
          onClick={() => decide('approve')}
        >
          {t('door.approve')}
        </button>
      </div>
    </section>
  )
}

/** Three words, large enough to read across a table. */
export function Words({ words }: { words: readonly string[] }): JSX.Element {
  return (
    <ul class="words">
      {words.map((word) => (
        <li key={word}>{word}</li>
      ))}
    </ul>
  )
}
