/** Buttons that do something at the hub: busy once, failing in words, never twice by a double tap. */
import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../app.ts'
import type { ApiError } from '../net/api.ts'
import { asApiError } from '../state/resource.ts'
import { errorText } from './feedback.tsx'
import { Icon, type IconName } from './icon.tsx'

export interface Action {
  run(work: () => Promise<void>): Promise<void>
  busy: Signal<boolean>
  error: Signal<ApiError | null>
}

export function useAction(): Action {
  const busy = useSignal(false)
  const error = useSignal<ApiError | null>(null)
  return {
    busy,
    error,
    async run(work) {
      if (busy.peek()) return
      busy.value = true
      error.value = null
      try {
        await work()
      } catch (cause) {
        error.value = asApiError(cause)
      } finally {
        busy.value = false
      }
    },
  }
}

export interface FormProps {
  action: Action
  onSubmit: () => Promise<void>
  submit: string
  children: ComponentChildren
  /** Beside the submit button. */
  aside?: ComponentChildren
  disabled?: boolean
  /** Other words for some refusals, where the general sentence would mislead. */
  explain?: (error: ApiError) => string | undefined
}

export function Form(props: FormProps): JSX.Element {
  const { action, onSubmit, submit, children, aside, disabled = false, explain } = props
  const { t } = useApp()
  const { value: error } = action.error
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault()
        void action.run(onSubmit)
      }}
    >
      {children}
      {error && <ErrorLine>{explain?.(error) ?? errorText(t, error)}</ErrorLine>}
      <div class="form-actions">
        <button type="submit" class="button primary" disabled={disabled || action.busy.value}>
          {action.busy.value ? t('state.working') : submit}
        </button>
        {aside}
      </div>
    </form>
  )
}

export function ErrorLine({ children }: { children: ComponentChildren }): JSX.Element {
  const line = useRef<HTMLParagraphElement>(null)
  useEffect(() => line.current?.scrollIntoView({ block: 'nearest' }), [children])
  return (
    <p ref={line} class="error-line" role="alert">
      <Icon name="warning" size={20} />
      <span>{children}</span>
    </p>
  )
}

export interface ConfirmProps {
  /** The button that opens the question. */
  label: string
  icon?: IconName
  title: string
  text: string
  /** What the button that does it says: the verb, not "OK". */
  confirm: string
  onConfirm: () => Promise<void>
  small?: boolean
}

/** Asks before something that cannot be taken back; Escape and the first button keep things as they are. */
export function Confirm(props: ConfirmProps): JSX.Element {
  const { label, icon, title, text, confirm, onConfirm, small = false } = props
  const { t } = useApp()
  const dialog = useRef<HTMLDialogElement>(null)
  const action = useAction()
  const { value: error } = action.error
  return (
    <>
      <button
        type="button"
        class={small ? 'button danger compact' : 'button danger'}
        onClick={() => dialog.current?.showModal()}
      >
        {icon !== undefined && <Icon name={icon} size={20} />}
        {label}
      </button>
      <dialog ref={dialog} class="dialog" aria-label={title}>
        <h2>{title}</h2>
        <p>{text}</p>
        {error && <ErrorLine>{errorText(t, error)}</ErrorLine>}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {t('action.keep')}
          </button>
          <button
            type="button"
            class="button danger solid"
            disabled={action.busy.value}
            onClick={() =>
              void action.run(async () => {
                await onConfirm()
                dialog.current?.close()
              })
            }
          >
            {confirm}
          </button>
        </div>
      </dialog>
    </>
  )
}

/** Something to carry over to another device, with a button that copies it. */
export function CopyLine({ label, value }: { label: string; value: string }): JSX.Element {
  const { t, said } = useApp()
  const copied = useSignal(false)
  return (
    <div class="copy-line">
      <div class="copy-text">
        <span class="copy-label">{label}</span>
        <code>{value}</code>
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label={t('action.copy', { what: label })}
        onClick={() => {
          navigator.clipboard.writeText(value).then(
            () => {
              copied.value = true
              said.value = t('said.copied', { what: label })
              setTimeout(() => {
                copied.value = false
              }, 2000)
            },
            () => {
              said.value = t('said.notCopied')
            },
          )
        }}
      >
        <Icon name={copied.value ? 'check' : 'copy'} size={22} />
      </button>
    </div>
  )
}
