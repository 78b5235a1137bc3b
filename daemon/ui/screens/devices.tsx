/** Everything that may talk to the hub: devices with their state, and the phones that are signed in. */
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { isOwner, useApp } from '../app.ts'
import { Found } from '../areas/devices/found.tsx'
import type { Device, PairedDevice } from '../net/answers.ts'
import { Confirm } from '../parts/action.tsx'
import { Empty, Show } from '../parts/feedback.tsx'
import { deviceIcon, Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'
import { Screen, Section } from '../parts/screen.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { createResource } from '../state/resource.ts'
import { roleText, typeText } from './words.ts'

export function Devices(): JSX.Element {
  const app = useApp()
  const { t, household } = app
  useEffect(() => void household.devices.reload(), [])
  return (
    <Screen title={t('nav.devices')} narrow>
      {isOwner(app) && (
        <div class="twin">
          <Link to="/devices/new" class="button">
            <Icon name="plus" size={20} />
            {t('devices.add')}
          </Link>
          <Link to="/pair" class="button">
            <Icon name="qr" size={20} />
            {t('devices.pair')}
          </Link>
        </div>
      )}
      <Show of={household.devices}>
        {(all) => {
          const devices = all.filter((device) => !device.revoked)
          return devices.length === 0 ? (
            <Empty icon="watch" title={t('devices.empty')} text={t('devices.emptyText')} />
          ) : (
            <ul class="rows">
              {devices.map((device) => (
                <li key={device.id}>
                  <DeviceRow device={device} />
                </li>
              ))}
            </ul>
          )
        }}
      </Show>
      {isOwner(app) && <Found />}
      {isOwner(app) && <SignIns />}
    </Screen>
  )
}

function DeviceRow({ device }: { device: Device }): JSX.Element {
  const app = useApp()
  const { t, household } = app
  const wearer = household.people.state.value.value?.find(({ id }) => id === device.person_id)
  return (
    <Link to={`/devices/${device.id}`} class="row">
      <Icon name={deviceIcon(device.type)} />
      <span class="row-text">
        <span class="row-title">{device.name}</span>
        <span class="row-more">
          {typeText(t, device.type)}
          {wearer && ` · ${wearer.name}`}
        </span>
        <span class="row-more">
          <Presence device={device} />
          {device.battery !== null && <Battery percent={device.battery} />}
        </span>
        {device.quarantined > 0 && isOwner(app) && (
          <span class="row-more warn">
            <Icon name="warning" size={16} />
            {t('device.aside', { count: device.quarantined })}
          </span>
        )}
      </span>
      <Icon name="next" size={20} />
    </Link>
  )
}

export function Presence({ device }: { device: Device }): JSX.Element {
  const { t, format, clock } = useApp()
  if (device.online) return <StateMark state="ok" word={t('device.online')} />
  if (device.last_seen === null) return <StateMark state="none" word={t('device.never')} />
  const age = format.age(clock.tick.value - Date.parse(device.last_seen))
  return <StateMark state="stale" word={t('device.offline', { age })} />
}

export function Battery({ percent }: { percent: number }): JSX.Element {
  const { t } = useApp()
  return (
    <span class={percent <= 15 ? 'battery warn' : 'battery'}>
      <Icon name="battery" size={18} />
      {t('device.battery', { percent: Math.round(percent) })}
    </span>
  )
}

/** Phones and tablets that people use the app on; devices have their own list above. */
function SignIns(): JSX.Element {
  const { t, api } = useApp()
  const paired = useMemo(() => createResource(() => api.all<PairedDevice>('/pairing/devices')), [])
  useEffect(() => void paired.reload(), [paired])
  return (
    <Section title={t('signIns.title')}>
      <Show of={paired}>
        {(all) => {
          const phones = all.filter((one) => one.user_id !== null)
          if (phones.length === 0) return <p class="small">{t('signIns.empty')}</p>
          return (
            <ul class="rows">
              {phones.map((phone) => (
                <li key={phone.id} class="row">
                  <Icon name="phone" />
                  <span class="row-text">
                    <span class="row-title">{phone.name}</span>
                    <span class="row-more">
                      {roleText(t, phone.role)}
                      {phone.last_seen !== null && <LastUse at={phone.last_seen} />}
                    </span>
                  </span>
                  <Confirm
                    small
                    label={t('action.remove')}
                    title={t('signIns.removeTitle', { name: phone.name })}
                    text={t('signIns.removeText')}
                    confirm={t('signIns.remove')}
                    onConfirm={async () => {
                      await api.remove(`/pairing/${encodeURIComponent(phone.id)}`)
                      await paired.reload()
                    }}
                  />
                </li>
              ))}
            </ul>
          )
        }}
      </Show>
    </Section>
  )
}

function LastUse({ at }: { at: string }): JSX.Element {
  const { t, format, clock } = useApp()
  return <> · {t('signIns.used', { age: format.age(clock.tick.value - Date.parse(at)) })}</>
}
