/** A device that sends its pictures by MQTT: one that is known, or a new one with its key. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { isOwner, useApp } from '../../../app.ts'
import type { Device } from '../../../net/answers.ts'
import { CopyLine, Form, useAction } from '../../../parts/action.tsx'
import { Notice } from '../../../parts/feedback.tsx'
import { Choice, Field, type Option } from '../../../parts/fields.tsx'
import { useTraining } from '../training.ts'
import type { Draft } from './draft.ts'

const NEW = 'new'

interface Made {
  id: string
  key: string
  name: string
}

export interface DeviceStepProps {
  onBack: () => void
  onReady: (draft: Draft) => void
}

export function DeviceStep({ onBack, onReady }: DeviceStepProps): JSX.Element {
  const app = useApp()
  const { t, api, household } = app
  const { w, cameras } = useTraining()
  const made = useSignal<Made | null>(null)
  const taken = new Set((cameras.state.value.value ?? []).map((camera) => camera.device_id))
  const free = (household.devices.state.value.value ?? []).filter(
    (device) => device.type === 'camera' && !device.revoked && !taken.has(device.id),
  )
  const options: Option<string>[] = [
    ...free.map((device) => ({ value: device.id, label: device.name })),
    ...(isOwner(app) ? [{ value: NEW, label: w('device.new'), text: w('device.newText') }] : []),
  ]
  const chosen = useSignal(options[0]?.value ?? '')
  const name = useSignal('')
  const action = useAction()
  const ready = (id: string, called: string) =>
    onReady({ source: { kind: 'mqtt', device_id: id }, looked: null, name: called })
  const back = (
    <button type="button" class="button quiet" onClick={onBack}>
      {t('nav.back')}
    </button>
  )
  if (made.value) return <NewKey made={made.value} onReady={ready} />
  if (options.length === 0)
    return (
      <>
        <Notice tone="plain" icon="camera">
          {w('device.none')}
        </Notice>
        {back}
      </>
    )
  return (
    <Form
      action={action}
      submit={t('action.continue')}
      aside={back}
      disabled={chosen.value === '' || (chosen.value === NEW && name.value.trim() === '')}
      onSubmit={async () => {
        const known = free.find(({ id }) => id === chosen.value)
        if (known) return ready(known.id, known.name)
        const body = { type: 'camera', name: name.value.trim() }
        const device = await api.post<Device & { api_key: string }>('/devices', body)
        await household.devices.reload()
        made.value = { id: device.id, key: device.api_key, name: device.name }
      }}
    >
      <Choice legend={w('device.title')} value={chosen} options={options} />
      {chosen.value === NEW && (
        <Field label={t('device.name')} value={name} required maxLength={60} autocomplete="off" />
      )}
    </Form>
  )
}

function NewKey({ made, onReady }: { made: Made; onReady: (id: string, name: string) => void }): JSX.Element {
  const { t, welcome } = useApp()
  const { w } = useTraining()
  const port = welcome.value?.mqtts_port ?? null
  return (
    <div class="form">
      <Notice tone="watch" icon="key">
        {t('device.once')}
      </Notice>
      <div class="copy-lines">
        <CopyLine label={t('connect.user')} value={made.id} />
        <CopyLine label={t('device.key')} value={made.key} />
        <CopyLine label={t('connect.host')} value={window.location.hostname} />
        {port !== null && <CopyLine label={t('connect.port')} value={String(port)} />}
        <CopyLine label={w('device.topic')} value={`hf/${made.id}/frame`} />
      </div>
      <p class="small">
        {w('device.payload')}: {w('device.payloadText')}. {t('connect.password')}
      </p>
      <div class="form-actions">
        <button type="button" class="button primary" onClick={() => onReady(made.id, made.name)}>
          {w('device.done')}
        </button>
      </div>
    </div>
  )
}
