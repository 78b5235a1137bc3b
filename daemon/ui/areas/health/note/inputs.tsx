/** Inputs of notes: a moment by the person's wall clock, an amount, a few words, one of a handful. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { wallClockMs, wallTimeToMs } from '../../../../domain/zone.ts'
import { useApp } from '../../../app.ts'

/** `2026-11-20T14:05` as the zone's clock shows it. */
export function wallTime(atMs: number, zone: string): string {
  return new Date(wallClockMs(atMs, zone)).toISOString().slice(0, 16)
}

/** The instant of what was chosen, never ahead of now; null while it is not complete. */
export function instantOf(wall: string, zone: string, nowMs: number): string | null {
  const atMs = wallTimeToMs(wall, zone)
  return atMs === null ? null : new Date(Math.min(atMs, nowMs)).toISOString()
}

export interface MomentFieldProps {
  label: string
  value: Signal<string>
  max?: string
  /** After it was changed, with what stood there before. */
  onChange?: (before: string) => void
}

export function MomentField({ label, value, max, onChange }: MomentFieldProps): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="datetime-local"
        required
        value={value.value}
        max={max}
        onInput={(event) => {
          const before = value.peek()
          value.value = event.currentTarget.value
          onChange?.(before)
        }}
      />
    </div>
  )
}

export interface AmountFieldProps {
  label: string
  unit: string
  value: Signal<string>
  max: number
  required?: boolean
}

export function AmountField({ label, unit, value, max, required = false }: AmountFieldProps): JSX.Element {
  const id = useId()
  const { t } = useApp()
  return (
    <div class="field">
      <label for={id}>
        {label} ({unit}){!required && <span class="optional">{t('field.optional')}</span>}
      </label>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        min={0}
        max={max}
        step="any"
        required={required}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value
        }}
      />
    </div>
  )
}

/** Undefined for an empty field, which is not zero. */
export function amountOf(text: string): number | undefined {
  const amount = Number(text)
  return text.trim() === '' || !Number.isFinite(amount) ? undefined : amount
}

export interface NoteFieldProps {
  label: string
  value: Signal<string>
  placeholder?: string
}

const NOTE_MAX = 4000

export function NoteField({ label, value, placeholder = '' }: NoteFieldProps): JSX.Element {
  const id = useId()
  const { t } = useApp()
  return (
    <div class="field">
      <label for={id}>
        {label}
        <span class="optional">{t('field.optional')}</span>
      </label>
      <textarea
        id={id}
        rows={2}
        maxLength={NOTE_MAX}
        placeholder={placeholder}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value
        }}
      />
    </div>
  )
}

export interface ChipsProps<Value extends string> {
  legend: string
  value: Signal<Value | ''>
  options: readonly { value: Value; label: string }[]
  /** All in one row. */
  even?: boolean
}

/** One of a few words; arrow keys move, as in every radio group. */
export function Chips<Value extends string>({
  legend,
  value,
  options,
  even = false,
}: ChipsProps<Value>): JSX.Element {
  const name = useId()
  return (
    <fieldset class={even ? 'chips even' : 'chips'}>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} class="chip-choice">
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={value.value === option.value}
            onChange={() => {
              value.value = option.value
            }}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  )
}
