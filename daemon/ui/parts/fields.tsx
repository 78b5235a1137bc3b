/** Form fields with label, help and error in their proper places, large enough for a thumb. */
import type { Signal } from '@preact/signals'
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId } from 'preact/hooks'
import { useApp } from '../app.ts'
import { Icon, type IconName } from './icon.tsx'

/** Whole attribute objects, because the types of an input depend on its kind. */
const KINDS = {
  text: { type: 'text' },
  email: { type: 'email' },
  date: { type: 'date' },
  moment: { type: 'datetime-local' },
  /** Addresses and user names, which no keyboard may improve. */
  address: { type: 'text', inputMode: 'url', autocapitalize: 'none', spellcheck: false },
} as const
const SHOWN = { type: 'text' } as const
const HIDDEN = { type: 'password' } as const

export interface FieldProps {
  label: string
  value: Signal<string>
  hint?: ComponentChildren
  error?: string | undefined
  type?: keyof typeof KINDS
  autocomplete?: string
  inputMode?: 'text' | 'numeric' | 'decimal' | 'email'
  placeholder?: string
  required?: boolean
  maxLength?: number
  max?: string
  /** Wide letter spacing for codes that are read digit by digit. */
  code?: boolean
}

export function Field(props: FieldProps): JSX.Element {
  const id = useId()
  const { label, value, hint, error, type = 'text', code = false, required = false, ...rest } = props
  const { t } = useApp()
  return (
    <div class={error === undefined ? 'field' : 'field has-error'}>
      <label for={id}>
        {label}
        {!required && <span class="optional"> {t('field.optional')}</span>}
      </label>
      <input
        {...rest}
        {...KINDS[type]}
        id={id}
        class={code ? 'code-input' : undefined}
        value={value.value}
        required={required}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-more`}
        onInput={(event) => {
          value.value = event.currentTarget.value
        }}
      />
      <More id={id} hint={hint} error={error} />
    </div>
  )
}

export interface PasswordProps {
  label: string
  value: Signal<string>
  autocomplete: 'new-password' | 'current-password' | 'off'
  hint?: ComponentChildren
  error?: string | undefined
  required?: boolean
}

export function PasswordField(props: PasswordProps): JSX.Element {
  const { label, value, autocomplete, hint, error, required = true } = props
  const id = useId()
  const shown = useSignal(false)
  const { t } = useApp()
  return (
    <div class={error === undefined ? 'field' : 'field has-error'}>
      <label for={id}>
        {label}
        {!required && <span class="optional"> {t('field.optional')}</span>}
      </label>
      <div class="with-button">
        <input
          {...(shown.value ? SHOWN : HIDDEN)}
          id={id}
          value={value.value}
          required={required}
          maxLength={256}
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          aria-invalid={error !== undefined}
          aria-describedby={`${id}-more`}
          onInput={(event) => {
            value.value = event.currentTarget.value
          }}
        />
        <button
          type="button"
          class="icon-button"
          aria-pressed={shown.value}
          aria-label={t(shown.value ? 'field.hide' : 'field.show')}
          onClick={() => {
            shown.value = !shown.value
          }}
        >
          <Icon name={shown.value ? 'eyeOff' : 'eye'} />
        </button>
      </div>
      <More id={id} hint={hint} error={error} />
    </div>
  )
}

function More({
  id,
  hint,
  error,
}: {
  id: string
  hint: ComponentChildren
  error: string | undefined
}): JSX.Element {
  return (
    <div id={`${id}-more`} class="field-more">
      {error !== undefined && (
        <p class="field-error">
          <Icon name="warning" size={18} />
          {error}
        </p>
      )}
      {hint !== undefined && error === undefined && <div class="hint">{hint}</div>}
    </div>
  )
}

export interface Option<Value extends string> {
  value: Value
  label: string
  text?: string
  icon?: IconName
}

export interface SelectProps<Value extends string> {
  label: string
  value: Signal<Value>
  options: readonly Option<Value>[]
  hint?: ComponentChildren
}

export function Select<Value extends string>({
  label,
  value,
  options,
  hint,
}: SelectProps<Value>): JSX.Element {
  const id = useId()
  // The options may arrive after the form; what the browser then shows as chosen must be what is sent.
  useEffect(() => {
    const [first] = options
    if (first && !options.some((option) => option.value === value.value)) value.value = first.value
  }, [options.length])
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value.value}
        aria-describedby={`${id}-more`}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.currentTarget.value)
          if (chosen) value.value = chosen.value
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <More id={id} hint={hint} error={undefined} />
    </div>
  )
}

export interface ChoiceProps<Value extends string> {
  legend: string
  value: Signal<Value>
  options: readonly Option<Value>[]
}

/** A handful of choices with an explanation each; arrow keys move, as in every radio group. */
export function Choice<Value extends string>({ legend, value, options }: ChoiceProps<Value>): JSX.Element {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-row">
          <input
            class="tick"
            type="radio"
            name={name}
            value={option.value}
            checked={value.value === option.value}
            onChange={() => {
              value.value = option.value
            }}
          />
          {option.icon !== undefined && <Icon name={option.icon} />}
          <span class="choice-text">
            <span class="choice-label">{option.label}</span>
            {option.text !== undefined && <span class="choice-more">{option.text}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}

export interface ChecksProps<Value extends string> {
  legend: string
  values: Signal<readonly Value[]>
  options: readonly Option<Value>[]
}

export function Checks<Value extends string>({ legend, values, options }: ChecksProps<Value>): JSX.Element {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-row">
          <input
            class="tick"
            type="checkbox"
            checked={values.value.includes(option.value)}
            onChange={(event) => {
              const others = values.value.filter((value) => value !== option.value)
              values.value = event.currentTarget.checked ? [...others, option.value] : others
            }}
          />
          <span class="choice-text">
            <span class="choice-label">{option.label}</span>
            {option.text !== undefined && <span class="choice-more">{option.text}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
