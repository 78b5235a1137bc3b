/** Old uploaders that take no certificate of the house: an owner lets them in without TLS for a while, in red. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { isOwner, useApp } from '../../../app.ts'
import { Confirm, CopyLine, ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText, Notice } from '../../../parts/feedback.tsx'
import { Select } from '../../../parts/fields.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { PlainUploads } from '../answers.ts'
import { useSay } from '../health.ts'
import { type Kept, Known, useKept } from '../kept.tsx'

const HOURS = ['1', '24', '168'] as const

/** For owners only; everybody else is not told. */
export function Uploaders(): JSX.Element | null {
  const app = useApp()
  return isOwner(app) ? <OfOwner /> : null
}

function OfOwner(): JSX.Element {
  const { api } = useApp()
  const say = useSay()
  const kept = useKept('uploaders', 'plain', () => api.get<PlainUploads>('/uploaders/plain'))
  return (
    <Section title={say('plain.title')}>
      <Known of={kept}>
        {(plain) => (plain.open ? <Open plain={plain} of={kept} /> : <Shut of={kept} />)}
      </Known>
    </Section>
  )
}

function Open({ plain, of }: { plain: PlainUploads; of: Kept<PlainUploads> }): JSX.Element {
  const { t, api, format, clock } = useApp()
  const say = useSay()
  const action = useAction()
  const until = plain.expires_at === null ? 0 : Date.parse(plain.expires_at)
  return (
    <>
      <Notice tone="alert" icon="warning" live>
        {say('plain.open', { when: format.moment(until, undefined, clock.nowMs()) })}
      </Notice>
      <div class="copy-lines">
        {plain.urls.map((url) => (
          <CopyLine key={url} label={say('plain.address')} value={url} />
        ))}
      </div>
      <p class="small">{say('plain.secret')}</p>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <div class="form-actions">
        <button
          type="button"
          class="button primary"
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              await api.remove('/uploaders/plain')
              await of.reload()
            })
          }
        >
          {say('plain.shut')}
        </button>
      </div>
    </>
  )
}

function Shut({ of }: { of: Kept<PlainUploads> }): JSX.Element {
  const { api } = useApp()
  const say = useSay()
  const hours = useSignal<(typeof HOURS)[number]>('24')
  return (
    <>
      <p class="small">{say('plain.text')}</p>
      <Select
        label={say('plain.hours')}
        value={hours}
        options={HOURS.map((value) => ({ value, label: say(`plain.hours.${value}`) }))}
      />
      <div class="form-actions">
        <Confirm
          label={say('plain.let')}
          title={say('plain.title')}
          text={say('plain.warning')}
          confirm={say('plain.let')}
          onConfirm={async () => {
            await api.put('/uploaders/plain', { hours: Number(hours.peek()) })
            await of.reload()
          }}
        />
      </div>
    </>
  )
}
