/** Erases who a person is. The row stays, empty and hidden: its id is never given to anybody else. */
import type { Erasure } from '../../domain/erasure.ts'
import type { Store } from '../../store/store.ts'

const FORGET = `UPDATE person SET name = '', kind = 'adult', birth_date = NULL, age = NULL, timezone = 'UTC',
    baseline_stress = NULL, diabetes_type = NULL, target_glucose_min = 70, target_glucose_max = 180,
    school_events = '[]', preferences = '{}', deleted_at = coalesce(deleted_at, :nowMs)
  WHERE id = :personId`

/** `remove` hides the person first, so that nothing new is taken in while the rest goes. */
export function peopleErasure({
  store,
  now,
  people,
}: {
  store: Pick<Store, 'write'>
  now: () => number
  people: { exists(id: string): boolean; remove(id: string): Promise<void> }
}): Erasure {
  return {
    name: 'people',
    async erase(personId) {
      if (people.exists(personId)) await people.remove(personId)
      const [result] = await store.write([{ sql: FORGET, params: { personId, nowMs: now() } }])
      return { rows: result?.changes ?? 0, files: 0 }
    },
  }
}
