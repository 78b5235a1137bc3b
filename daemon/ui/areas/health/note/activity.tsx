/** Something done with the body: what, when, how long, how hard. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Field } from '../../../parts/fields.tsx'
import { useHealth, useSay } from '../health.ts'
import { AmountField, amountOf, Chips, instantOf, MomentField, NoteField, wallTime } from './inputs.tsx'
import { useTelling, Waiting } from './telling.tsx'

const INTENSITIES = ['light', 'moderate', 'vigorous'] as const
const DAY_MIN = 1440

export function ActivityEntry(): JSX.Element {
  const { clock } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const { outbox, tell } = useTelling()
  const zone = person.timezone
  const at = useSignal(wallTime(clock.nowMs(), zone))
  const type = useSignal('')
  const minutes = useSignal('')
  const intensity = useSignal<(typeof INTENSITIES)[number] | ''>('')
  const notes = useSignal('')
  const action = useAction()
  const instant = instantOf(at.value, zone, clock.nowMs())
  return (
    <>
      <div class="day">
        <Form
          action={action}
          submit={say('note.submit')}
          disabled={instant === null || type.value.trim() === ''}
          onSubmit={async () => {
            const [length, text] = [amountOf(minutes.value), notes.value.trim()]
            await tell('activity', {
              timestamp: instant,
              activity_type: type.value.trim(),
              ...(length === undefined ? {} : { duration_minutes: length }),
              ...(intensity.value === '' ? {} : { intensity: intensity.value }),
              ...(text === '' ? {} : { notes: text }),
            })
            type.value = ''
            minutes.value = ''
            notes.value = ''
            at.value = wallTime(clock.nowMs(), zone)
          }}
        >
          <Field
            label={say('activity.what')}
            value={type}
            required
            maxLength={50}
            placeholder={say('activity.whatHint')}
          />
          <MomentField label={say('activity.began')} value={at} max={wallTime(clock.nowMs(), zone)} />
          <AmountField label={say('activity.length')} unit="min" value={minutes} max={DAY_MIN} />
          <Chips
            legend={say('activity.intensity')}
            value={intensity}
            options={INTENSITIES.map((value) => ({ value, label: say(`intensity.${value}`) }))}
          />
          <NoteField label={say('mood.notes')} value={notes} />
        </Form>
      </div>
      <Waiting outbox={outbox} />
    </>
  )
}
