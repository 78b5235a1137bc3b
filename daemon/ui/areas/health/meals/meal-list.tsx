/** Meals of a day, each with what it was and its photo. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import type { Meal } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { MealPhoto } from './meal-photo.tsx'
import { mealsOnce } from './once.ts'

export function MealList({
  meals,
  onChanged,
}: {
  meals: readonly Meal[]
  onChanged: () => void
}): JSX.Element {
  const { format } = useApp()
  const { person } = useHealth()
  const say = useSay()
  return (
    <ul class="rows">
      {mealsOnce(meals).map(({ meal, alsoBy }) => {
        const name = meal.meal_type === null ? say('meal.short') : say(`meal.${meal.meal_type}`)
        const time = format.time(Date.parse(meal.timestamp), person.timezone)
        const what = [
          meal.carbs_grams === null ? '' : say('meal.carbs', { grams: Math.round(meal.carbs_grams) }),
          meal.description ?? '',
          alsoBy.length === 0 ? '' : say('meal.also', { sources: alsoBy.join(', ') }),
        ]
        return (
          <li key={meal.id} class="row">
            <span class="row-text">
              <span class="row-title">
                {time} · {name}
              </span>
              <span class="row-more">{what.filter((part) => part !== '').join(' · ')}</span>
            </span>
            <MealPhoto meal={meal} name={`${name} ${time}`} onChanged={onChanged} />
          </li>
        )
      })}
    </ul>
  )
}
