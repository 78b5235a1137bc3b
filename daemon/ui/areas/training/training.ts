/** What the screens of the area share while it is open: the cameras, kept current, and how to ask for pictures. */
import { createContext } from 'preact'
import { useContext, useEffect, useMemo } from 'preact/hooks'
import { type App, useApp, useWords } from '../../app.ts'
import type { TranslateOf } from '../../i18n/translate.ts'
import { createResource, type Resource } from '../../state/resource.ts'
import type { Camera } from './answers.ts'
import { type Ask, createAsk } from './ask.ts'
import { words } from './words.ts'

export type Words = TranslateOf<typeof words>

export interface Training {
  cameras: Resource<Camera[]>
  ask: Ask
}

export const TrainingContext = createContext<Training | null>(null)

export function useTraining(): Training & { w: Words } {
  const training = useContext(TrainingContext)
  const w = useWords(words)
  if (!training) throw new Error('a screen of the area was drawn outside of it')
  return { ...training, w }
}

/** Rates, ages and interruptions change without an event. */
const AGAIN_MS = 5_000

/** Made once for the area; fetched while somebody looks. */
export function useCameras(): Training {
  const app = useApp()
  const training = useMemo<Training>(
    () => ({
      cameras: createResource(() => app.api.all<Camera>('/cameras')),
      ask: createAsk({ fetch: (...request) => fetch(...request), session: app.session }),
    }),
    [app],
  )
  useEffect(() => keepCurrent(app, training.cameras), [app, training])
  return training
}

function keepCurrent({ following }: App, cameras: Resource<Camera[]>): () => void {
  const reload = () => void cameras.reload()
  const whileSeen = () => {
    if (document.visibilityState === 'visible' && !cameras.state.peek().loading) reload()
  }
  const unfollow = following.follow('edge', {
    onEvent({ data }) {
      if (typeof data === 'object' && data !== null && 'camera_id' in data) reload()
    },
    onGap: reload,
  })
  const timer = setInterval(whileSeen, AGAIN_MS)
  document.addEventListener('visibilitychange', whileSeen)
  reload()
  return () => {
    unfollow()
    clearInterval(timer)
    document.removeEventListener('visibilitychange', whileSeen)
  }
}

export function pathOf(id: string): string {
  return `/cameras/${encodeURIComponent(id)}`
}

/** Whether the signed-in person may change this camera: the owner and whoever added it. */
export function mayChange({ session }: App, camera: Camera): boolean {
  const state = session.state.value
  if (state.kind !== 'signed-in') return false
  return state.user.role === 'owner' || state.user.id === camera.added_by
}
