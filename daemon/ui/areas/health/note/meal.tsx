/** Something eaten, with its carbohydrates: it explains glucose. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { useHealth, useSay } from '../health.ts'
import { AmountField, amountOf, Chips, instantOf, MomentField, NoteField, wallTime } from './inputs.tsx'
import { useTelling, Waiting } from './telling.tsx'

const TYPES = ['breakfast', 'lunch', 'dinner', 'snack'] as const

export function MealEntry(): JSX.Element {
  const { clock } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const { outbox, tell } = useTelling()
  const zone = person.timezone
  const at = useSignal(wallTime(clock.nowMs(), zone))
  const type = useSignal<(typeof TYPES)[number] | ''>('')
  const carbs = useSignal('')
  const calories = useSignal('')
  const description = useSignal('')
  const action = useAction()
  const instant = instantOf(at.value, zone, clock.nowMs())
  return (
    <>
      <div class="day">
        <Form
          action={action}
          submit={say('note.submit')}
          disabled={instant === null}
          onSubmit={async () => {
            const [grams, kcal, text] = [
              amountOf(carbs.value),
              amountOf(calories.value),
              description.value.trim(),
            ]
            await tell('meal', {
              timestamp: instant,
              ...(type.value === '' ? {} : { meal_type: type.value }),
              ...(grams === undefined ? {} : { carbs_grams: grams }),
              ...(kcal === undefined ? {} : { calories: kcal }),
              ...(text === '' ? {} : { description: text }),
            })
            carbs.value = ''
            calories.value = ''
            description.value = ''
            at.value = wallTime(clock.nowMs(), zone)
          }}
        >
          <MomentField label={say('note.when')} value={at} max={wallTime(clock.nowMs(), zone)} />
          <Chips
            legend={say('meal.type')}
            value={type}
            options={TYPES.map((value) => ({ value, label: say(`meal.${value}`) }))}
          />
          <div class="field-pair">
            <AmountField label={say('meal.carbsName')} unit="g" value={carbs} max={2000} />
            <AmountField label={say('meal.energyName')} unit="kcal" value={calories} max={20_000} />
          </div>
          <NoteField label={say('meal.what')} value={description} />
        </Form>
      </div>
      <Waiting outbox={outbox} />
    </>
  )
}
