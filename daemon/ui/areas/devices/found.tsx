/** Devices that gateways heard and nobody decided about: the owner takes them in, for somebody or for nobody, or ignores them. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useApp, useWords } from '../../app.ts'
import { Confirm, Form, useAction } from '../../parts/action.tsx'
import { Field, Select } from '../../parts/fields.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Section } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import { wearerOptions } from '../../screens/device-form.tsx'
import { createResource } from '../../state/resource.ts'
import type { FoundDevice } from './answers.ts'
import { words } from './words.ts'

const LOOK_AGAIN_MS = 5000
/** What a phone's Bluetooth calls good and usable, in dBm. */
const STRONG_DBM = -70
const WEAK_DBM = -85

/** Nothing at all while nothing was heard: most homes have no gateway. */
export function Found(): JSX.Element | null {
  const { api, household } = useApp()
  const say = useWords(words)
  const found = useMemo(() => createResource(() => api.get<FoundDevice[]>('/devices/found?per_page=50')), [])
  useEffect(() => {
    void found.reload()
    const timer = setInterval(() => void found.reload(), LOOK_AGAIN_MS)
    return () => clearInterval(timer)
  }, [])
  const all = found.state.value.value ?? []
  if (all.length === 0) return null
  const changed = async () => {
    await Promise.all([found.reload(), household.devices.reload()])
  }
  return (
    <Section title={say('found.title')}>
      <p class="small">{say('found.text')}</p>
      <ul class="rows">
        {all.map((device) => (
          <li key={device.key} class="found">
            <One device={device} onChanged={changed} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

interface OneProps {
  device: FoundDevice
  onChanged: () => Promise<void>
}

function One({ device, onChanged }: OneProps): JSX.Element {
  const { api, format, clock, household } = useApp()
  const say = useWords(words)
  const taking = useSignal(false)
  const called = device.name ?? say('found.unnamed')
  const via = household.devices.state.value.value?.find(({ id }) => id === device.via)?.name ?? device.via
  const age = format.age(clock.tick.value - Date.parse(device.last_seen))
  return (
    <>
      <div class="row">
        <Icon name="gateway" />
        <span class="row-text">
          <span class="row-title">{called}</span>
          <span class="row-more">{say('found.line', { kind: say(`kind.${device.kind}`), via })}</span>
          <span class="row-more">
            {say('found.heard', { count: device.messages, age })} · <code>{device.address}</code>
          </span>
          {device.rssi !== null && (
            <span class="row-more">
              <Signal dbm={device.rssi} />
            </span>
          )}
          {device.rssi !== null && device.rssi < WEAK_DBM && (
            <span class="row-more">{say('signal.closer')}</span>
          )}
        </span>
      </div>
      {taking.value ? (
        <Take device={device} onTaken={onChanged} />
      ) : (
        <div class="form-actions">
          <button type="button" class="button primary compact" onClick={() => (taking.value = true)}>
            {say('found.take')}
          </button>
          <Confirm
            small
            label={say('found.ignore')}
            title={say('found.ignoreTitle', { name: called })}
            text={say('found.ignoreText')}
            confirm={say('found.ignore')}
            onConfirm={async () => {
              await api.remove(`/devices/found/${device.key}`)
              await onChanged()
            }}
          />
        </div>
      )}
    </>
  )
}

function Signal({ dbm }: { dbm: number }): JSX.Element {
  const say = useWords(words)
  if (dbm >= STRONG_DBM) return <StateMark state="ok" word={say('signal.strong', { dbm })} />
  const weak = dbm < WEAK_DBM
  return <StateMark state={weak ? 'watch' : 'ok'} word={say(weak ? 'signal.weak' : 'signal.fair', { dbm })} />
}

function Take({ device, onTaken }: { device: FoundDevice; onTaken: () => Promise<void> }): JSX.Element {
  const { t, api, household, said } = useApp()
  const say = useWords(words)
  const name = useSignal(device.name ?? '')
  const wearer = useSignal('')
  const action = useAction()
  const people = household.people.state.value.value ?? []
  return (
    <Form
      action={action}
      submit={say('found.take')}
      disabled={name.value.trim() === ''}
      onSubmit={async () => {
        await api.post(`/devices/found/${device.key}/approve`, {
          name: name.value.trim(),
          ...(wearer.value === '' ? {} : { person_id: wearer.value }),
        })
        said.value = say('found.taken', { name: name.value.trim() })
        await onTaken()
      }}
    >
      <Field label={say('found.name')} value={name} required maxLength={60} autocomplete="off" />
      <Select
        label={t('device.wearer')}
        value={wearer}
        options={wearerOptions(t, people)}
        hint={t('device.wearerHint')}
      />
    </Form>
  )
}
