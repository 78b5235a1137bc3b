/** Add a device by hand: the form, then its key. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../app.ts'
import { Link } from '../parts/link.tsx'
import { Screen } from '../parts/screen.tsx'
import { DeviceForm } from './device-form.tsx'
import { DeviceKey, type NewDevice } from './device-key.tsx'

export function AddDevice({ personId }: { personId: string | null }): JSX.Element {
  const { t } = useApp()
  const made = useSignal<NewDevice | null>(null)
  if (made.value) {
    return (
      <Screen title={t('device.ready')} back="/devices" narrow>
        <DeviceKey device={made.value} />
        <Link to="/" class="button primary wide">
          {t('first.done')}
        </Link>
      </Screen>
    )
  }
  return (
    <Screen title={t('device.add')} back="/devices" narrow>
      <DeviceForm
        personId={personId}
        onMade={(device) => {
          made.value = device
        }}
      />
    </Screen>
  )
}
