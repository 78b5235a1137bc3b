/** What runs on a gateway: the topics that the hub takes from it, and what to type into it. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import type { Device } from '../../net/answers.ts'
import { Form, useAction } from '../../parts/action.tsx'
import { Select } from '../../parts/fields.tsx'
import { Section } from '../../parts/screen.tsx'
import { words } from './words.ts'

/** Where each publishes unless told otherwise; `homeassistant` is where it announces what it has. */
const TOPICS = {
  none: [],
  openmqttgateway: ['home', 'homeassistant'],
  esphome: ['esphome', 'homeassistant'],
  tasmota: ['tele', 'stat', 'tasmota', 'homeassistant'],
  espruino: ['/ble'],
} as const satisfies Record<string, readonly string[]>
type Known = keyof typeof TOPICS
const NAMES = [
  'none',
  'openmqttgateway',
  'esphome',
  'tasmota',
  'espruino',
] as const satisfies readonly Known[]

export function Firmware({ device }: { device: Device }): JSX.Element {
  const { t, api, household, said } = useApp()
  const say = useWords(words)
  const action = useAction()
  const now = firmwareOf(device.prefixes)
  const chosen = useSignal<Known | 'own'>(now)
  const names = now === 'own' ? [...NAMES, 'own' as const] : NAMES
  return (
    <Section title={say('firmware.title')}>
      <p class="small">{say('firmware.text')}</p>
      <Form
        action={action}
        submit={t('action.save')}
        disabled={chosen.value === now}
        onSubmit={async () => {
          const { value } = chosen
          if (value === 'own') return
          await api.patch(`/devices/${encodeURIComponent(device.id)}`, { prefixes: TOPICS[value] })
          await household.devices.reload()
          said.value = t('said.saved')
        }}
      >
        <Select
          label={say('firmware.label')}
          value={chosen}
          options={names.map((value) => ({ value, label: say(`firmware.${value}`) }))}
        />
        <p class="small">{say(`hint.${chosen.value}`, { topics: device.prefixes.join(', ') })}</p>
      </Form>
    </Section>
  )
}

export function firmwareOf(prefixes: readonly string[]): Known | 'own' {
  const same = (name: Known) =>
    TOPICS[name].length === prefixes.length &&
    TOPICS[name].every((topic) => prefixes.some((one) => one.replace(/\/$/, '') === topic))
  return NAMES.find(same) ?? 'own'
}
