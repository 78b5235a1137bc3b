/** Asks for the password once more, over whatever screen is open, and says whether it was right. */
import { useSignal } from '@preact/signals'
import { type JSX, render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { type App, AppContext, useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText } from '../../parts/feedback.tsx'

const words = {
  title: 'Your password, please',
  text: 'What you are about to do cannot be done by somebody who only picked up this device. The password counts for five minutes.',
  password: 'Password',
  name: 'Name of the owner whose password it is',
  nameHint: 'Only where this device was let in without a password of its own.',
  go: 'Go on',
  wrong: 'This is not the right password.',
} as const

/** The question is a tree of its own, in which ids that are made would be those of the screen below. */
const ID = { password: 'step-up-password', name: 'step-up-name', nameHint: 'step-up-name-hint' } as const

/** Resolves with false when the question was closed. */
export function askPassword(app: App): Promise<boolean> {
  const place = document.createElement('div')
  document.body.append(place)
  return new Promise((resolve) => {
    const done = (proven: boolean) => {
      render(null, place)
      place.remove()
      resolve(proven)
    }
    render(
      <AppContext.Provider value={app}>
        <StepUp onDone={done} />
      </AppContext.Provider>,
      place,
    )
  })
}

function StepUp({ onDone }: { onDone: (proven: boolean) => void }): JSX.Element {
  const { t, api } = useApp()
  const say = useWords(words)
  const password = useSignal('')
  const name = useSignal('')
  const action = useAction()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const { value: error } = action.error
  return (
    <dialog ref={dialog} class="dialog" aria-label={say('title')} onClose={() => onDone(false)}>
      <h2>{say('title')}</h2>
      <p>{say('text')}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault()
          void action.run(async () => {
            const owner = name.value.trim()
            await api.post('/auth/step-up', {
              password: password.value,
              ...(owner === '' ? {} : { name: owner }),
            })
            onDone(true)
          })
        }}
      >
        <div class="field">
          <label for={ID.password}>{say('password')}</label>
          <input
            id={ID.password}
            type="password"
            autocomplete="current-password"
            required
            maxLength={256}
            value={password.value}
            onInput={(event) => {
              password.value = event.currentTarget.value
            }}
          />
        </div>
        <div class="field">
          <label for={ID.name}>
            {say('name')}
            <span class="optional"> {t('field.optional')}</span>
          </label>
          <input
            id={ID.name}
            autocomplete="off"
            maxLength={120}
            aria-describedby={ID.nameHint}
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value
            }}
          />
          <p id={ID.nameHint} class="small">
            {say('nameHint')}
          </p>
        </div>
        {error && <ErrorLine>{error.code === 'FORBIDDEN' ? say('wrong') : errorText(t, error)}</ErrorLine>}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {t('action.later')}
          </button>
          <button type="submit" class="button primary" disabled={password.value === '' || action.busy.value}>
            {action.busy.value ? t('state.working') : say('go')}
          </button>
        </div>
      </form>
    </dialog>
  )
}
