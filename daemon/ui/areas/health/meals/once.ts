/** One meal that several programs told, shown once. Pure. */
import type { Meal } from '../answers.ts'

const REACH_MS = 10 * 60_000
const CARBS_G = 1

/**
 * The same carbohydrates (to a gram) within ten minutes from different sources are one meal; the one that says most stands for it
 * and names the others. Ascending.
 */
export function mealsOnce(meals: readonly Meal[]): { meal: Meal; alsoBy: string[] }[] {
  const kept: { meal: Meal; alsoBy: string[] }[] = []
  for (const meal of meals.toSorted((a, b) => said(b) - said(a) || (a.timestamp < b.timestamp ? -1 : 1))) {
    const same = kept.find((one) => isSame(one.meal, meal) && !one.alsoBy.includes(meal.source))
    if (same) same.alsoBy.push(meal.source)
    else kept.push({ meal, alsoBy: [] })
  }
  return kept.sort((a, b) => (a.meal.timestamp < b.meal.timestamp ? -1 : 1))
}

function said({ has_photo: photo, meal_type: type, description }: Meal): number {
  return (photo === true ? 4 : 0) + (type === null ? 0 : 2) + (description === null ? 0 : 1)
}

function isSame(a: Meal, b: Meal): boolean {
  if (a.source === b.source || a.carbs_grams === null || b.carbs_grams === null) return false
  const apartMs = Math.abs(Date.parse(a.timestamp) - Date.parse(b.timestamp))
  return apartMs <= REACH_MS && Math.abs(a.carbs_grams - b.carbs_grams) <= CARBS_G
}
