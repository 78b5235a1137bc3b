/** Erases the photos of a person's meals, files included. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON } from '../../store/erasing.ts'
import { createShelf, type ShelfDeps } from './shelf.ts'

const PHOTOS = `SELECT p.record_id AS mealId FROM meal_photo p JOIN record r ON r.id = p.record_id
  WHERE r.person_key = ${ERASED_PERSON} ORDER BY p.record_id`

export function mealPhotosErasure(deps: ShelfDeps): Erasure {
  const shelf = createShelf(deps)
  return {
    name: 'meal-photos',
    async erase(personId) {
      const photos = deps.store.all<{ mealId: string }>(PHOTOS, { personId })
      for (const { mealId } of photos) await shelf.remove(mealId)
      return { rows: photos.length, files: 2 * photos.length }
    },
  }
}
