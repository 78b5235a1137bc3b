/** Something eaten, with its carbohydrates and a photo: it explains glucose. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp, useWords } from '../../../app.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Notice } from '../../../parts/feedback.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { Meal } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { MealList } from '../meals/meal-list.tsx'
import { PhotoInput } from '../meals/meal-photo.tsx'
import { sendPhoto } from '../meals/photo.ts'
import { words as photoWords } from '../meals/words.ts'
import { useToday } from '../parts/day-step.tsx'
import { AmountField, amountOf, Chips, instantOf, MomentField, NoteField, wallTime } from './inputs.tsx'
import { useTelling, Waiting } from './telling.tsx'

const TYPES = ['breakfast', 'lunch', 'dinner', 'snack'] as const

export function MealEntry(): JSX.Element {
  const { api, clock, session } = useApp()
  const sayPhoto = useWords(photoWords)
  const { person } = useHealth()
  const say = useSay()
  const { outbox, tell } = useTelling()
  const zone = person.timezone
  const at = useSignal(wallTime(clock.nowMs(), zone))
  const type = useSignal<(typeof TYPES)[number] | ''>('')
  const carbs = useSignal('')
  const calories = useSignal('')
  const description = useSignal('')
  const photo = useSignal<Blob | null>(null)
  const fraction = useSignal<number | null>(null)
  const isLeftOut = useSignal(false)
  const today = useToday()
  const about = `person_id=${encodeURIComponent(person.id)}`
  const kept = useKept(`meals.${person.id}`, today, () =>
    api.all<Meal>(`/meals?${about}&from=${today}&to=${today}`),
  )
  const sent = outbox?.sent.value ?? 0
  useEffect(() => {
    if (sent > 0) void kept.reload()
  }, [sent])
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
            await sendItsPhoto(instant)
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
          <div class="photo-choice">
            <Preview photo={photo.value} />
            <PhotoInput
              label={sayPhoto(photo.value === null ? 'photo.add' : 'photo.chosen')}
              onPhoto={(chosen) => {
                photo.value = chosen
                isLeftOut.value = false
              }}
            />
            {photo.value !== null && (
              <button type="button" class="button compact" onClick={() => (photo.value = null)}>
                {sayPhoto('photo.without')}
              </button>
            )}
          </div>
          {fraction.value !== null && (
            <progress aria-label={sayPhoto('photo.sending')} value={fraction.value} />
          )}
        </Form>
      </div>
      {isLeftOut.value && (
        <Notice tone="watch" icon="camera" live>
          {sayPhoto('photo.notKept')}
        </Notice>
      )}
      <Waiting outbox={outbox} />
      <Section title={sayPhoto('meals.today')}>
        <Known of={kept}>
          {(meals) =>
            meals.length === 0 ? (
              <p class="small">{sayPhoto('meals.none')}</p>
            ) : (
              <MealList meals={meals} onChanged={() => void kept.reload()} />
            )
          }
        </Known>
      </Section>
    </>
  )

  /** The photo goes after the meal, which it needs; a meal that waits for the hub goes without. */
  async function sendItsPhoto(at: string | null): Promise<void> {
    const chosen = photo.peek()
    if (chosen === null || at === null) return
    const until = new Date(Date.parse(at) + 1).toISOString()
    const found = await api
      .get<Meal[]>(`/meals?${about}&from=${encodeURIComponent(at)}&to=${encodeURIComponent(until)}`)
      .catch(() => [])
    const meal = found.at(0)
    photo.value = null
    if (!meal) {
      isLeftOut.value = true
      return
    }
    fraction.value = 0
    try {
      await sendPhoto(session, meal.id, chosen, (done) => {
        fraction.value = done
      })
    } finally {
      fraction.value = null
      void kept.reload()
    }
  }
}

function Preview({ photo }: { photo: Blob | null }): JSX.Element | null {
  const say = useWords(photoWords)
  const url = useSignal<string | null>(null)
  useEffect(() => {
    const made = photo === null ? null : URL.createObjectURL(photo)
    url.value = made
    return () => {
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [photo])
  return url.value === null ? null : <img class="photo-preview" src={url.value} alt={say('photo.preview')} />
}
