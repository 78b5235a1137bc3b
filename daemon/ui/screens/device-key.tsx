/** A new device's id and key, shown this once, and what to type into the device. */
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import { CopyLine } from '../parts/action.tsx'
import { Notice } from '../parts/feedback.tsx'
import { Section } from '../parts/screen.tsx'

export interface NewDevice {
  id: string
  key: string
  name: string
  type: string
  /** Bound to one person, whose glucose an uploader may send with it. */
  uploads?: boolean
}

export function DeviceKey({ device }: { device: NewDevice }): JSX.Element {
  const { t, welcome } = useApp()
  const { host, hostname } = window.location
  const port = welcome.value?.mqtts_port ?? null
  const listens = device.type === 'integration'
  return (
    <>
      <Notice tone="watch" icon="key">
        {t('device.once')}
      </Notice>
      <div class="copy-lines">
        <CopyLine label={t('device.id')} value={device.id} />
        <CopyLine label={t('device.key')} value={device.key} />
      </div>
      <Section title={t('connect.title')}>
        <p>{t('connect.text')}</p>
        <div class="copy-lines">
          <CopyLine label={t('connect.host')} value={hostname} />
          {port !== null && <CopyLine label={t('connect.port')} value={String(port)} />}
          <CopyLine label={t('connect.user')} value={device.id} />
          <CopyLine label={t('connect.topic')} value={listens ? 'hf/out/#' : `hf/${device.id}/obs`} />
          {!listens && <CopyLine label={t('connect.payload')} value={'{"ts":1790000000,"hr":72}'} />}
        </div>
        <p class="small">{t('connect.password')}</p>
      </Section>
      {listens && device.uploads === true && (
        <Section title={t('uploader.title')}>
          <p>{t('uploader.text')}</p>
          <div class="copy-lines">
            <CopyLine label={t('uploader.address')} value={`https://${device.key}@${host}/api/v1/`} />
          </div>
          <p class="small">{t('uploader.old')}</p>
        </Section>
      )}
    </>
  )
}
