/** Training: cameras in a grid, one of them live, adding and changing them, and the models that look through them. */
import type { JSX } from 'preact'
import { match, type Place } from '../../router.ts'
import { lazy } from '../../screens/lazy.tsx'
import { Nowhere } from '../../screens/nowhere.tsx'
import { Grid } from './grid.tsx'
import { TrainingContext, useCameras } from './training.ts'

const manage = () => import('./manage.ts')
const Live = lazy(async () => (await import('./live.tsx')).Live)
const Film = lazy(async () => (await import('./film.tsx')).Film)
const AddCamera = lazy(async () => (await manage()).AddCamera)
const EditCamera = lazy(async () => (await manage()).EditCamera)
const Models = lazy(async () => (await manage()).Models)

const ROUTES: readonly { pattern: string; draw: (id: string) => JSX.Element }[] = [
  { pattern: '/training', draw: () => <Grid /> },
  { pattern: '/training/models', draw: () => <Models /> },
  { pattern: '/training/cameras/new', draw: () => <AddCamera /> },
  { pattern: '/training/cameras/:id', draw: (id) => <Live key={id} id={id} /> },
  { pattern: '/training/cameras/:id/edit', draw: (id) => <EditCamera key={id} id={id} /> },
  { pattern: '/training/cameras/:id/film', draw: (id) => <Film key={id} id={id} /> },
]

export function Training({ path }: Place): JSX.Element {
  const training = useCameras()
  for (const { pattern, draw } of ROUTES) {
    const params = match(pattern, path)
    if (params)
      return <TrainingContext.Provider value={training}>{draw(params['id'] ?? '')}</TrainingContext.Provider>
  }
  return <Nowhere />
}
