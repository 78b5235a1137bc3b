/** Photos of meals: taken in by a thread of their own, kept as files, gone with the meal and with the person. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import { createDrawing } from './drawing.ts'
import { photoRoutes } from './routes.ts'
import { createShelf } from './shelf.ts'

export interface MealPhotosDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  clock: Clock
  log: Log
  /** Of the pictures; nobody else writes there. */
  folder: string
  /** Whose meal it is; null for one that is not there any more. */
  eaterOf: (mealId: string) => string | null
  /** Tells that meals or persons changed, some of them may be gone. */
  onMealsChanged: (listener: () => void) => unknown
}

export function createMealPhotos(deps: MealPhotosDeps): Feature {
  const { clock, log } = deps
  const shelf = createShelf({ ...deps, now: clock.now })
  const drawing = createDrawing({ clock })
  let clearing: Promise<void> | null = null
  const warn = (cause: unknown) => log.warn({ reason: messageOf(cause) }, 'photos not cleared away')
  // Changes that come together are answered together; what a failed look left is taken by the next.
  const clear = () => {
    clearing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      clearing = null
      return shelf.removeGone().catch(warn)
    })
    return clearing
  }
  deps.onMealsChanged(() => void clear())
  return {
    name: 'meal-photos',
    routes: (http) => photoRoutes(http, { ...deps, shelf, drawing, now: clock.now }),
    async start() {
      await clear()
      await shelf.sweep().catch(warn)
    },
    stop: clear,
  }
}
