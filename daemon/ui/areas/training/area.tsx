/** Training: sessions for everybody who took part, and for who trains them cameras in a grid, one of them live, adding, changing and calibrating them, the models that look through them, and sessions. */
import type { JSX } from 'preact'
import { useApp } from '../../app.ts'
import { match, type Place } from '../../router.ts'
import { lazy } from '../../screens/lazy.tsx'
import { Nowhere } from '../../screens/nowhere.tsx'
import { Grid } from './grid.tsx'
import { isTrainer } from './sessions/rights.ts'
import { TrainingContext, useCameras } from './training.ts'

const manage = () => import('./manage.ts')
const Live = lazy(async () => (await import('./live.tsx')).Live)
const Film = lazy(async () => (await import('./film.tsx')).Film)
const AddCamera = lazy(async () => (await manage()).AddCamera)
const EditCamera = lazy(async () => (await manage()).EditCamera)
const Models = lazy(async () => (await manage()).Models)

const Sessions = lazy(async () => (await import('./sessions/list.tsx')).Sessions)
const StartSession = lazy(async () => (await import('./sessions/start.tsx')).StartSession)
const OneSession = lazy(async () => (await import('./sessions/session.tsx')).OneSession)
const FilmSession = lazy(async () => (await import('./sessions/film-session.tsx')).FilmSession)
const Calibrate = lazy(async () => (await import('./calibration/calibrate.tsx')).Calibrate)

interface Route {
  pattern: string
  draw: (id: string) => JSX.Element
}

/** Of players and those who look after them. */
const OPEN: readonly Route[] = [
  { pattern: '/training', draw: () => <Sessions /> },
  { pattern: '/training/sessions', draw: () => <Sessions /> },
  { pattern: '/training/sessions/new', draw: () => <Nowhere /> },
  { pattern: '/training/sessions/:id', draw: (id) => <OneSession key={id} id={id} /> },
  { pattern: '/training/sessions/:id/film', draw: (id) => <FilmSession key={id} id={id} /> },
]

const TRAINING: readonly Route[] = [
  { pattern: '/training', draw: () => <Grid /> },
  { pattern: '/training/models', draw: () => <Models /> },
  { pattern: '/training/cameras/new', draw: () => <AddCamera /> },
  { pattern: '/training/cameras/:id', draw: (id) => <Live key={id} id={id} /> },
  { pattern: '/training/cameras/:id/edit', draw: (id) => <EditCamera key={id} id={id} /> },
  { pattern: '/training/cameras/:id/calibrate', draw: (id) => <Calibrate key={id} id={id} /> },
  { pattern: '/training/sessions', draw: () => <Sessions /> },
  { pattern: '/training/sessions/new', draw: () => <StartSession /> },
  { pattern: '/training/sessions/:id', draw: (id) => <OneSession key={id} id={id} /> },
  { pattern: '/training/sessions/:id/film', draw: (id) => <FilmSession key={id} id={id} /> },
  { pattern: '/training/cameras/:id/film', draw: (id) => <Film key={id} id={id} /> },
]

/** What the hub takes for an id: nothing else is asked for. */
const ID = /^[A-Za-z0-9_-]{1,64}$/

export function Training({ path }: Place): JSX.Element {
  const training = useCameras()
  const routes = isTrainer(useApp()) ? TRAINING : OPEN
  for (const { pattern, draw } of routes) {
    const params = match(pattern, path)
    const id = params?.['id'] ?? ''
    if (params && (id === '' || ID.test(id)))
      return <TrainingContext.Provider value={training}>{draw(id)}</TrainingContext.Provider>
  }
  return <Nowhere />
}
