/** The form that makes a device: what it is, what it is called, who wears it. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useApp } from '../app.ts'
import type { Translate } from '../i18n/translate.ts'
import type { Device, Person } from '../net/answers.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Choice, Field, type Option, Select } from '../parts/fields.tsx'
import { deviceIcon } from '../parts/icon.tsx'
import type { NewDevice } from './device-key.tsx'
import type { DeviceType } from './words.ts'

export interface DeviceFormProps {
  personId: string | null
  onMade: (device: NewDevice) => void
  aside?: ComponentChildren
}

/** Phones come in by pairing, where their person proves who they are. */
const TYPES = ['watch', 'gateway', 'camera', 'integration'] as const satisfies readonly DeviceType[]
type MadeType = (typeof TYPES)[number]
const NOBODY = ''

export function DeviceForm({ personId, onMade, aside }: DeviceFormProps): JSX.Element {
  const { t, api, household } = useApp()
  const type = useSignal<MadeType>('watch')
  const wearer = useSignal(personId ?? NOBODY)
  const sender = useSignal(NOBODY)
  const name = useSignal('')
  const action = useAction()
  const key = useSignal(crypto.randomUUID())
  const people = household.people.state.value.value ?? []
  const worn = type.value === 'watch'
  const uploads = type.value === 'integration'
  const person = people.find(({ id }) => id === wearer.value)
  const suggested = nameFor(t, type.value, worn ? person : undefined)
  return (
    <Form
      action={action}
      submit={t('device.make')}
      aside={aside}
      onSubmit={async () => {
        const body = {
          type: type.value,
          name: name.value.trim() || suggested,
          ...(worn && person ? { person_id: person.id } : {}),
          ...(uploads && sender.value !== NOBODY ? { person_id: sender.value } : {}),
        }
        const device = await api.post<Device & { api_key: string }>('/devices', body, {
          idempotencyKey: key.value,
        })
        await household.devices.reload()
        const { id, api_key, name: called, type: kind } = device
        onMade({ id, key: api_key, name: called, type: kind, uploads: uploads && sender.value !== NOBODY })
      }}
    >
      <Choice legend={t('device.type')} value={type} options={typeOptions(t)} />
      {worn && people.length > 0 && (
        <Select
          label={t('device.wearer')}
          value={wearer}
          options={wearerOptions(t, people)}
          hint={t('device.wearerHint')}
        />
      )}
      {uploads && people.length > 0 && (
        <Select
          label={t('uploader.person')}
          value={sender}
          options={wearerOptions(t, people)}
          hint={t('uploader.personHint')}
        />
      )}
      <Field
        label={t('device.name')}
        value={name}
        maxLength={60}
        placeholder={suggested}
        hint={t('device.nameHint')}
        autocomplete="off"
      />
    </Form>
  )
}

export function wearerOptions(t: Translate, people: readonly Person[]): Option<string>[] {
  return [
    ...people.map((person) => ({ value: person.id, label: person.name })),
    { value: NOBODY, label: t('device.nobody') },
  ]
}

function typeOptions(t: Translate): Option<MadeType>[] {
  return TYPES.map((type) => ({
    value: type,
    label: t(`type.${type}`),
    text: t(`type.${type}.text`),
    icon: deviceIcon(type),
  }))
}

function nameFor(t: Translate, type: DeviceType, person: Person | undefined): string {
  return person ? t('device.nameOf', { name: person.name }) : t(`type.${type}`)
}
