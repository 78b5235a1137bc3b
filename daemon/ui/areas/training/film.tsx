/** This phone as a camera: what it films, whether the hub receives it, and what to do when the browser says no. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useApp } from '../../app.ts'
import { ErrorLine } from '../../parts/action.tsx'
import { Empty, errorText, Notice, Show } from '../../parts/feedback.tsx'
import { Choice } from '../../parts/fields.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Screen } from '../../parts/screen.tsx'
import { StateMark } from '../../parts/state-mark.tsx'
import type { Camera } from './answers.ts'
import { createFilm, type Film as Filmed, type Filming, sendPicture } from './filming.ts'
import { AreaIcon } from './icons.tsx'
import { Missing } from './missing.tsx'
import { sensorFiles } from './sensor/files.ts'
import { createSensor, type Sensor } from './sensor/sensor.ts'
import { Skeleton } from './sensor/skeleton.tsx'
import { mayChange, useTraining } from './training.ts'

export function Film({ id }: { id: string }): JSX.Element {
  const app = useApp()
  const { w, cameras } = useTraining()
  return (
    <Show of={cameras}>
      {(all) => {
        const camera = all.find((one) => one.id === id)
        if (!camera || !mayChange(app, camera)) return <Missing />
        return (
          <Screen title={w('film.title')} back={`/training/cameras/${id}`} narrow>
            {camera.kind === 'phone' ? <FilmAs camera={camera} /> : <p>{w('film.wrongKind')}</p>}
          </Screen>
        )
      }}
    </Show>
  )
}

/** Films for this camera, which is of kind phone. */
export function FilmAs({ camera }: { camera: Camera }): JSX.Element {
  const { session } = useApp()
  const { w, ask } = useTraining()
  const way = useSignal<'picture' | 'joints'>('picture')
  const sensor = useMemo(() => createSensor({ session, cameraId: camera.id }), [session, camera.id])
  const connect = way.value === 'joints' ? sensor.connect : null
  const film = useMemo(
    () => createFilm(connect ?? sendPicture({ ask, cameraId: camera.id })),
    [ask, camera.id, connect],
  )
  const preview = useRef<HTMLVideoElement>(null)
  useEffect(() => () => film.stop(), [film])
  const stream = film.stream.value
  useEffect(() => {
    if (!preview.current) return
    preview.current.srcObject = stream
    if (stream) preview.current.play().catch(() => undefined)
  }, [stream])
  return (
    <div class="film">
      <p>{w('film.lead', { name: camera.name })}</p>
      <div class={stream ? 'viewer-stage film-stage' : 'away'}>
        <video ref={preview} muted playsInline aria-label={w('film.preview')} />
        {connect && <Skeleton seen={sensor.seen} />}
      </div>
      {camera.recording && (
        <p role="status">
          <span class="recording">
            <StateMark state="urgent" word={w('film.recorded')} />
          </span>
        </p>
      )}
      {!stream && sensorFiles && camera.analyse && (
        <Choice
          legend={w('film.way')}
          value={way}
          options={[
            { value: 'picture', label: w('film.way.picture'), text: w('film.way.pictureText') },
            { value: 'joints', label: w('film.way.joints'), text: w('film.way.jointsText') },
          ]}
        />
      )}
      <FilmState film={film} joints={connect !== null} />
      {connect && stream && <Looking sensor={sensor} />}
      <div class="form-actions">
        {stream ? (
          <>
            <button type="button" class="button danger" onClick={film.stop}>
              {w('film.stop')}
            </button>
            <button type="button" class="button" onClick={() => void film.turn()}>
              <AreaIcon name="turn" size={20} />
              {w('film.turn')}
            </button>
          </>
        ) : (
          <button
            type="button"
            class="button primary"
            disabled={film.state.value.kind === 'asking'}
            onClick={() => void film.start()}
          >
            <Icon name="camera" size={20} />
            {w('film.start')}
          </button>
        )}
      </div>
      {stream && film.awake.value !== null && (
        <p class="small">{w(film.awake.value ? 'film.awake' : 'film.asleep')}</p>
      )}
      <Notice tone="watch" icon="shield">
        {w('keep.privacy')}
      </Notice>
    </div>
  )
}

/** How well this phone keeps up with looking. */
function Looking({ sensor }: { sensor: Sensor }): JSX.Element {
  const { w } = useTraining()
  const { seen, progress } = sensor
  if (!seen.value || !progress.value) return <p class="small">{w('film.loading')}</p>
  const { fps, tookMs, isSomebody, lost } = progress.value
  return (
    <div class="badges" role="status">
      <span class="badge">{w(isSomebody ? 'film.somebody' : 'film.nobody')}</span>
      <span class="badge quiet">{w('film.looks', { fps, ms: tookMs })}</span>
      {lost > 0 && <span class="badge late">{w('film.lostLooks', { count: lost })}</span>}
    </div>
  )
}

function FilmState({ film, joints }: { film: Filmed; joints: boolean }): JSX.Element | null {
  const { t } = useApp()
  const { w } = useTraining()
  const state: Filming = film.state.value
  switch (state.kind) {
    case 'idle':
      return null
    case 'asking':
      return <p role="status">{w('film.asking')}</p>
    case 'connecting':
      return <StateMark state="watch" word={w('film.connecting')} />
    case 'sending':
      return (
        <p role="status">
          <StateMark state="ok" word={w(joints ? 'film.sendingJoints' : 'film.sending')} />
        </p>
      )
    case 'lost':
      return (
        <Notice tone="watch" icon="offline" live>
          {w('film.lost')} {state.error && state.error.code !== 'OFFLINE' && state.error.message}
        </Notice>
      )
    case 'rejected':
      if (state.error.code === 'UNSUPPORTED_HERE')
        return (
          <ErrorLine>
            {w('film.cannotLook')} <small>{state.error.message}</small>
          </ErrorLine>
        )
      return (
        <ErrorLine>
          {state.error.code === 'CONFLICT' ? state.error.message : errorText(t, state.error)}
        </ErrorLine>
      )
    case 'failed':
      return <Refused why={state.why} />
  }
}

const REFUSALS = {
  insecure: ['film.insecure', 'film.insecureText'],
  refused: ['film.refused', 'film.refusedText'],
  'no-camera': ['film.noCamera', 'film.noCameraText'],
  'taken-away': ['film.takenAway', 'film.takenAwayText'],
} as const

function Refused({ why }: { why: keyof typeof REFUSALS }): JSX.Element {
  const { w } = useTraining()
  const [title, text] = REFUSALS[why]
  return <Empty icon="camera" title={w(title)} text={w(text)} />
}
