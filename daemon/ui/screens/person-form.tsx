/** The fields of a person, used when adding the first child and when editing anyone. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Person, PersonKind } from '../net/answers.ts'
import { Field, Select } from '../parts/fields.tsx'
import { kindOptions, zoneOptions } from './words.ts'

export interface PersonForm {
  name: Signal<string>
  kind: Signal<PersonKind>
  birthDate: Signal<string>
  zone: Signal<string>
}

export function usePersonForm(person: Person | null): PersonForm {
  const { zone } = useApp()
  return {
    name: useSignal(person?.name ?? ''),
    kind: useSignal<PersonKind>(person?.kind ?? 'child'),
    birthDate: useSignal(person?.birth_date ?? ''),
    zone: useSignal(person?.timezone ?? zone),
  }
}

export function personBody({ name, kind, birthDate, zone }: PersonForm): Record<string, string> {
  return {
    name: name.value.trim(),
    kind: kind.value,
    timezone: zone.value,
    ...(birthDate.value === '' ? {} : { birth_date: birthDate.value }),
  }
}

export function PersonFields({ form }: { form: PersonForm }): JSX.Element {
  const { t } = useApp()
  return (
    <>
      <Field label={t('person.name')} value={form.name} required maxLength={80} autocomplete="off" />
      <Select label={t('person.kind')} value={form.kind} options={kindOptions(t)} />
      <Field
        label={t('person.birthDate')}
        value={form.birthDate}
        type="date"
        max={new Date().toISOString().slice(0, 10)}
        hint={t('person.birthDateHint')}
      />
      <Select
        label={t('person.zone')}
        value={form.zone}
        options={zoneOptions(form.zone.value)}
        hint={t('person.zoneHint')}
      />
    </>
  )
}
