export { ActivityEntry } from './activity.tsx'
export { CheckIn } from './check-in.tsx'
export { MealEntry } from './meal.tsx'
