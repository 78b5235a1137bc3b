/** A player's own phone as a camera of the session they are in: it asks, waits until somebody says yes, films, and ends with the session. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { type App, useApp } from '../../../app.ts'
import type { ApiError } from '../../../net/api.ts'
import { Empty, Failed, Notice, Skeleton } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { Screen } from '../../../parts/screen.tsx'
import { StateMark } from '../../../parts/state-mark.tsx'
import { asApiError } from '../../../state/resource.ts'
import { FilmAs } from '../film.tsx'
import { useTraining } from '../training.ts'
import type { SeenPhone } from './answers.ts'
import { useSessionWords } from './sessions.ts'

/** Well within the time after which the hub takes a page for closed. */
const AGAIN_MS = 4_000

type Wish = { phone: SeenPhone | null; error: ApiError | null }

export function FilmSession({ id }: { id: string }): JSX.Element {
  const app = useApp()
  const w = useSessionWords()
  const asks = useSignal(false)
  const wish = useSignal<Wish>({ phone: null, error: null })
  const path = `/live/${encodeURIComponent(id)}/phones`
  useEffect(() => (asks.value ? asking(app, path, wish) : undefined), [asks.value, app, path])
  const { phone, error } = wish.value
  const state = asks.value ? (phone?.state ?? null) : 'idle'
  const again = () => {
    wish.value = { phone: null, error: null }
    asks.value = true
  }
  return (
    <Screen title={w('phones.mine')} back={`/training/sessions/${id}`} narrow>
      {error && error.code === 'NOT_FOUND' && (
        <Empty icon="camera" title={w('phones.over')} text={w('phones.overText')} />
      )}
      {error && error.code !== 'NOT_FOUND' && <Failed error={error} onRetry={again} />}
      {!error && state === 'idle' && (
        <>
          <p>{w('phones.lead')}</p>
          <Notice tone="plain" icon="shield">
            {w('phones.privacy')}
          </Notice>
          <div class="form-actions">
            <button type="button" class="button primary" onClick={again}>
              <Icon name="camera" size={20} />
              {w('phones.ask')}
            </button>
          </div>
        </>
      )}
      {!error && (state === null || state === 'waiting') && (
        <>
          <p role="status">
            <StateMark state="watch" word={w('phones.waiting')} />
          </p>
          <p>{w('phones.waitingText')}</p>
        </>
      )}
      {!error && state === 'refused' && (
        <Empty icon="camera" title={w('phones.no')} text={w('phones.noText')}>
          <button
            type="button"
            class="button"
            onClick={() => {
              asks.value = false
            }}
          >
            {w('phones.back')}
          </button>
        </Empty>
      )}
      {!error && phone?.state === 'taken' && phone.camera_id !== null && <Taken cameraId={phone.camera_id} />}
    </Screen>
  )
}

function Taken({ cameraId }: { cameraId: string }): JSX.Element {
  const { cameras } = useTraining()
  const camera = cameras.state.value.value?.find(({ id }) => id === cameraId)
  useEffect(() => {
    if (!camera) void cameras.reload()
  }, [cameraId])
  return camera ? <FilmAs camera={camera} /> : <Skeleton rows={2} tall />
}

/** Says every few seconds that the phone still wants to, also while it films: so it hears that it is sent away, or that all is over. */
function asking({ api }: App, path: string, wish: { value: Wish }): () => void {
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | null = null
  const ask = async (again: boolean) => {
    try {
      const phone = await api.post<SeenPhone>(path, again ? { again } : {})
      if (!isOver) wish.value = { phone, error: null }
    } catch (cause) {
      const error = asApiError(cause)
      // A hub that is away for a moment ends nothing.
      if (!isOver && error.code !== 'OFFLINE') wish.value = { phone: null, error }
      if (error.code === 'NOT_FOUND' || error.code === 'FORBIDDEN') return
    }
    if (!isOver) timer = setTimeout(() => void ask(false), AGAIN_MS)
  }
  void ask(true)
  return () => {
    isOver = true
    if (timer !== null) clearTimeout(timer)
  }
}
