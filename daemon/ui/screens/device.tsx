/** One device: its facts, who wears it, what it sent that the hub could not read, and taking its access away. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp, useWords } from '../app.ts'
import { Firmware } from '../areas/devices/firmware.tsx'
import { words } from '../areas/devices/words.ts'
import type { Device, Quarantined } from '../net/answers.ts'
import { Confirm, CopyLine, Form, useAction } from '../parts/action.tsx'
import { Empty, Show } from '../parts/feedback.tsx'
import { Checks, Field, Select } from '../parts/fields.tsx'
import { Screen, Section } from '../parts/screen.tsx'
import { createResource } from '../state/resource.ts'
import { wearerOptions } from './device-form.tsx'
import { Battery, Presence } from './devices.tsx'
import { typeText } from './words.ts'

export function DeviceDetail({ id }: { id: string }): JSX.Element {
  const app = useApp()
  const { t, household } = app
  return (
    <Show of={household.devices}>
      {(devices) => {
        const device = devices.find((one) => one.id === id)
        if (!device) {
          return (
            <Screen title={t('device.missing')} back="/devices">
              <Empty icon="shield" title={t('failed.missing')} text={t('error.NOT_FOUND')} />
            </Screen>
          )
        }
        return (
          <Screen title={device.name} back="/devices" narrow>
            <Facts device={device} />
            {isOwner(app) && !device.revoked && <OwnerPart key={device.id} device={device} />}
          </Screen>
        )
      }}
    </Show>
  )
}

function Facts({ device }: { device: Device }): JSX.Element {
  const { t, format, household, zone } = useApp()
  const wearer = household.people.state.value.value?.find(({ id }) => id === device.person_id)
  const facts: [string, ComponentChildren][] = [
    [t('device.state'), device.revoked ? t('device.revoked') : <Presence device={device} />],
    [t('device.type'), typeText(t, device.type)],
    [t('device.wearer'), wearer?.name ?? t('device.nobody')],
    [
      t('device.batteryName'),
      device.battery === null ? t('device.unknown') : <Battery percent={device.battery} />,
    ],
  ]
  if (device.last_seen !== null) {
    facts.push([t('device.lastSeen'), format.moment(Date.parse(device.last_seen), zone)])
  }
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="copy-lines">
        <CopyLine label={t('device.id')} value={device.id} />
      </div>
    </>
  )
}

function OwnerPart({ device }: { device: Device }): JSX.Element {
  const { t, api, household, router, said } = useApp()
  const say = useWords(words)
  const { id } = device
  return (
    <>
      <Section title={t('handOver.title')}>
        <Change device={device} />
      </Section>
      {device.type === 'wall' && (
        <Section title={say('whom.title')}>
          <Whom device={device} />
        </Section>
      )}
      {device.type === 'gateway' && <Firmware device={device} />}
      <Section title={t('aside.title')}>
        <Aside deviceId={id} />
      </Section>
      <div class="danger-zone">
        <Confirm
          label={t('device.revoke')}
          title={t('device.revokeTitle', { name: device.name })}
          text={t('device.revokeText')}
          confirm={t('device.revoke')}
          onConfirm={async () => {
            await api.remove(`/devices/${encodeURIComponent(id)}`)
            await household.devices.reload()
            said.value = t('said.revoked', { name: device.name })
            router.go('/devices', { replace: true })
          }}
        />
      </div>
    </>
  )
}

/** What the device measures from now on belongs to the new wearer; what it measured before stays where it is. */
function Change({ device }: { device: Device }): JSX.Element {
  const { t, api, household, said } = useApp()
  const name = useSignal(device.name)
  const say = useWords(words)
  const wearer = useSignal(device.person_id ?? '')
  const since = useSignal('')
  const action = useAction()
  const people = household.people.state.value.value ?? []
  const called = name.value.trim()
  const handedOver = wearer.value !== (device.person_id ?? '')
  return (
    <Form
      action={action}
      submit={t('action.save')}
      disabled={called === '' || (called === device.name && !handedOver)}
      onSubmit={async () => {
        await api.patch(`/devices/${encodeURIComponent(device.id)}`, {
          ...(called === device.name ? {} : { name: called }),
          ...(handedOver ? { person_id: wearer.value === '' ? null : wearer.value } : {}),
          // The field speaks of the clock on the wall here.
          ...(handedOver && since.value !== '' ? { from: new Date(since.value).toISOString() } : {}),
        })
        await household.devices.reload()
        said.value = t('said.saved')
      }}
    >
      <Field label={t('device.name')} value={name} required maxLength={60} autocomplete="off" />
      <Select
        label={t('handOver.to')}
        value={wearer}
        options={wearerOptions(t, people)}
        hint={t('handOver.hint')}
      />
      {handedOver && <Field label={say('from.label')} value={since} type="moment" hint={say('from.hint')} />}
    </Form>
  )
}

/** Whose alarms ring on a wall tablet, and whose names stand on it. */
function Whom({ device }: { device: Device }): JSX.Element {
  const { t, api, household, said } = useApp()
  const say = useWords(words)
  const chosen = useSignal<readonly string[]>(device.serves)
  const action = useAction()
  const people = household.people.state.value.value ?? []
  return (
    <Form
      action={action}
      submit={t('action.save')}
      onSubmit={async () => {
        await api.patch(`/devices/${encodeURIComponent(device.id)}`, { serves: chosen.peek() })
        await household.devices.reload()
        said.value = t('said.saved')
      }}
    >
      <p class="small">{say('whom.text')}</p>
      <Checks
        legend={say('whom.legend')}
        values={chosen}
        options={people.map(({ id, name }) => ({ value: id, label: name }))}
      />
    </Form>
  )
}

/** Messages that were acknowledged but not understood, with the reason: nothing is dropped quietly. */
function Aside({ deviceId }: { deviceId: string }): JSX.Element {
  const { t, api, format, zone } = useApp()
  const messages = useMemo(
    () =>
      createResource(() =>
        api.get<Quarantined[]>(`/devices/${encodeURIComponent(deviceId)}/quarantine?page=1&per_page=20`),
      ),
    [deviceId],
  )
  useEffect(() => void messages.reload(), [messages])
  return (
    <Show of={messages}>
      {(found) =>
        found.length === 0 ? (
          <p class="small">{t('aside.none')}</p>
        ) : (
          <ul class="rows">
            {found.map((message) => (
              <li key={message.id} class="row">
                <span class="row-text">
                  <span class="row-title">{message.reason}</span>
                  <span class="row-more">
                    {format.moment(Date.parse(message.at), zone)} · <code>{message.topic}</code>
                  </span>
                  <span class="row-more">{t('aside.size', { count: message.payload_bytes })}</span>
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </Show>
  )
}
