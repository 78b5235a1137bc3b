/** The hub in one line under the tiles: what is in touch, and what it could not read. */
import type { JSX } from 'preact'
import { isOwner, useApp } from '../app.ts'
import { Icon } from '../parts/icon.tsx'
import { Link } from '../parts/link.tsx'

export function HubStrip(): JSX.Element | null {
  const app = useApp()
  const { household, t, welcome } = app
  const devices = household.devices.state.value.value?.filter((device) => !device.revoked)
  if (!devices) return null
  const online = devices.filter((device) => device.online).length
  const aside = devices.reduce((sum, device) => sum + device.quarantined, 0)
  const weak = devices.filter((device) => device.battery !== null && device.battery <= 15)
  return (
    <Link to="/devices" class="hub-strip">
      <Icon name="box" />
      <span class="hub-strip-text">
        <span class="hub-strip-main">
          {devices.length === 0 ? t('hub.noDevices') : t('hub.online', { online, count: devices.length })}
        </span>
        {weak.map((device) => (
          <span key={device.id} class="hub-strip-more">
            {t('hub.weak', { name: device.name, percent: device.battery ?? 0 })}
          </span>
        ))}
        {aside > 0 && isOwner(app) && <span class="hub-strip-more">{t('hub.aside', { count: aside })}</span>}
        {welcome.value && (
          <span class="hub-strip-more">{t('hub.version', { version: welcome.value.version })}</span>
        )}
      </span>
      <Icon name="next" size={20} />
    </Link>
  )
}
