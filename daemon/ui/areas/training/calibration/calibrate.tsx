/** Calibrating a camera: spots of the pitch are tapped in a picture; the hub answers how far off each one is. */
import { batch, type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { type Action, Confirm, ErrorLine, useAction } from '../../../parts/action.tsx'
import { Empty, errorText, Failed, Notice, Show, Skeleton } from '../../../parts/feedback.tsx'
import { Screen, Section } from '../../../parts/screen.tsx'
import { asApiError } from '../../../state/resource.ts'
import type { Camera } from '../answers.ts'
import { Missing } from '../missing.tsx'
import { useAnswer } from '../sessions/sessions.ts'
import { mayChange, pathOf, useTraining } from '../training.ts'
import type { Calibration } from './answers.ts'
import {
  isSame,
  namedPoints,
  PITCHES,
  type Pitch,
  placed,
  pointsOf,
  type Spot,
  spotsOf,
  type Tapped,
  tappedOf,
} from './pitch.ts'
import { PitchDrawing } from './pitch-drawing.tsx'
import { ShotView, useShot } from './shot.tsx'
import { PitchSize } from './size.tsx'
import { useCalibrationWords } from './spot-name.ts'
import { Spots } from './spots.tsx'

const LEAST = 4

export function Calibrate({ id }: { id: string }): JSX.Element {
  const { t } = useApp()
  const { cameras } = useTraining()
  return (
    <Show
      of={cameras}
      loading={
        <Screen title={t('state.loading')} back="/training">
          <Skeleton rows={1} tall />
        </Screen>
      }
    >
      {(all) => {
        const camera = all.find((one) => one.id === id)
        return camera ? <CalibrateCamera camera={camera} /> : <Missing />
      }}
    </Show>
  )
}

function CalibrateCamera({ camera }: { camera: Camera }): JSX.Element {
  const app = useApp()
  const { t } = app
  const { w } = useCalibrationWords()
  const kept = useAnswer<Calibration>(`${pathOf(camera.id)}/calibration`)
  const { value, error, loading } = kept.state.value
  const own = mayChange(app, camera)
  // What was known stays after a failure; that there is none any more does not.
  const isNone = error?.code === 'NOT_FOUND'
  return (
    <Screen title={w('calibrate.title', { name: camera.name })} back={`/training/cameras/${camera.id}`}>
      {!own && <Empty icon="shield" title={t('failed.missing')} text={w('calibrate.notYours')} />}
      {own && value === null && !isNone && error && (
        <Failed error={error} onRetry={() => void kept.reload()} />
      )}
      {own && value === null && !error && <Skeleton rows={1} tall />}
      {own && (value !== null || isNone) && (
        <Spotting
          camera={camera}
          calibration={isNone ? null : value}
          isBusy={loading}
          onChange={(calibration) => {
            if (calibration) kept.set(calibration)
            else void kept.reload()
          }}
        />
      )}
    </Screen>
  )
}

interface SpottingProps {
  camera: Camera
  calibration: Calibration | null
  isBusy: boolean
  /** Null: there is none any more. */
  onChange: (calibration: Calibration | null) => void
}

function useSpotting({ camera, calibration, onChange }: SpottingProps) {
  const { said } = useApp()
  const { ask } = useTraining()
  const { w } = useCalibrationWords()
  const pitch = useSignal<Pitch>(calibration?.pitch ?? PITCHES.full)
  const tapped = useSignal<readonly Tapped[]>(calibration ? tappedOf(calibration) : [])
  const chosen = useSignal<Spot | null>(null)
  const isChanged = useSignal(false)
  const picture = useShot(camera.id)
  const action = useAction()
  const path = `${pathOf(camera.id)}/calibration`

  async function put(): Promise<void> {
    const shot = picture.shot.peek()
    const size = shot ?? calibration
    if (!size) return
    const body = {
      points: pointsOf(tapped.peek(), size),
      ...{ width: size.width, height: size.height, pitch: pitch.peek() },
    }
    try {
      const answer = await ask(path, {
        method: 'PUT',
        body: JSON.stringify(body),
        contentType: 'application/json',
      })
      const { data } = (await answer.json()) as { data: Calibration }
      batch(() => {
        tapped.value = tappedOf(data)
        isChanged.value = false
        onChange(data)
      })
      said.value = w('calibrate.saved')
    } catch (cause) {
      const wrong = namedPoints(asApiError(cause).details)
      tapped.value = tapped.peek().map((one, index) => ({ ...one, isInLine: wrong.has(index) }))
      throw cause
    }
  }

  return {
    ...{ pitch, tapped, chosen, isChanged, picture, action, path },
    save: () => action.run(put),
    tap(share: { x: number; y: number }) {
      const spot = chosen.peek()
      if (!spot) {
        said.value = w('calibrate.chooseFirst')
        return
      }
      tapped.value = placed(tapped.peek(), spot, share)
      isChanged.value = true
    },
    remove(spot: Spot) {
      tapped.value = tapped.peek().filter(({ metres }) => !isSame(metres, spot.metres))
      isChanged.value = true
    },
  }
}

function Spotting(props: SpottingProps): JSX.Element {
  const { calibration, isBusy } = props
  const { w, nameOf } = useCalibrationWords()
  const spotting = useSpotting(props)
  const { pitch, tapped, chosen, isChanged, picture, tap, remove, action } = spotting
  const { width, height } = picture.shot.value ?? { width: 1000, height: 1000 }
  const missing = LEAST - tapped.value.length
  return (
    <>
      <p class="small">{w('calibrate.lead')}</p>
      <div class="calibrate">
        <div class="live-main">
          <Told isChanged={isChanged.value} {...props} spotting={spotting} />
          <Section title={w('calibrate.drawing')}>
            <PitchSize pitch={pitch} />
            <PitchDrawing
              pitch={pitch.value}
              spots={spotsOf(pitch.value)}
              chosen={chosen.value}
              tapped={tapped.value}
              onChoose={(spot) => {
                chosen.value = spot
              }}
            />
            <p class="small">{w('calibrate.drawingText')}</p>
          </Section>
        </div>
        <div class="live-main">
          <Section title={w('calibrate.picture')}>
            <p class="tap-here" aria-live="polite">
              {chosen.value
                ? w('calibrate.tapHere', { spot: nameOf(chosen.value) })
                : w('calibrate.chooseFirst')}
            </p>
            <ShotView {...picture} chosen={chosen.value} tapped={tapped.value} onTap={tap} />
          </Section>
          <Spots
            tapped={tapped.value}
            chosen={chosen}
            step={{ x: 1 / width, y: 1 / height }}
            onMove={tap}
            onRemove={remove}
          />
          <Save action={action} missing={missing} isBusy={isBusy} onSave={() => void spotting.save()} />
          {calibration && <Forget {...props} path={spotting.path} tapped={tapped} />}
        </div>
      </div>
    </>
  )
}

interface SaveProps {
  action: Action
  missing: number
  isBusy: boolean
  onSave: () => void
}

function Save({ action, missing, isBusy, onSave }: SaveProps): JSX.Element {
  const { t } = useApp()
  const { w } = useCalibrationWords()
  const { value: error } = action.error
  return (
    <div class="form-actions">
      {error && <ErrorLine>{error.code === 'UNCALIBRATED' ? error.message : errorText(t, error)}</ErrorLine>}
      {missing > 0 && <p class="small">{w('calibrate.needed', { count: missing })}</p>}
      <button
        type="button"
        class="button primary"
        disabled={missing > 0 || isBusy || action.busy.value}
        onClick={onSave}
      >
        {action.busy.value ? t('state.working') : w('calibrate.save')}
      </button>
    </div>
  )
}

interface ToldProps extends SpottingProps {
  isChanged: boolean
  spotting: ReturnType<typeof useSpotting>
}

/** How good the saved calibration is, and whether it still holds. */
function Told({ calibration, isChanged, spotting, onChange }: ToldProps): JSX.Element | null {
  const { said } = useApp()
  const { ask } = useTraining()
  const { w } = useCalibrationWords()
  if (!calibration) return null
  const dismiss = async () => {
    const answer = await ask(`${spotting.path}/dismiss`, {
      method: 'POST',
      body: '{}',
      contentType: 'application/json',
    })
    onChange(((await answer.json()) as { data: Calibration }).data)
    said.value = w('calibrate.dismissed')
  }
  return (
    <>
      {calibration.moved_at !== null && (
        <Notice
          tone="watch"
          icon="warning"
          action={
            <button type="button" class="button compact" onClick={() => void spotting.action.run(dismiss)}>
              {w('calibrate.dismiss')}
            </button>
          }
        >
          {w('calibrate.moved')}
        </Notice>
      )}
      <Notice tone="plain" icon="check">
        {calibration.points.length > LEAST
          ? w('calibrate.good', {
              m: calibration.reprojection_error_m,
              px: calibration.reprojection_error_px,
            })
          : w('calibrate.onlyFour')}
        {isChanged && ` ${w('calibrate.unsaved')}`}
      </Notice>
    </>
  )
}

function Forget({
  path,
  tapped,
  onChange,
}: SpottingProps & { path: string; tapped: Signal<readonly Tapped[]> }): JSX.Element {
  const { api, said } = useApp()
  const { w } = useCalibrationWords()
  return (
    <div class="danger-zone">
      <Confirm
        label={w('calibrate.clear')}
        title={w('calibrate.clearTitle')}
        text={w('calibrate.clearText')}
        confirm={w('calibrate.clear')}
        onConfirm={async () => {
          await api.remove(path)
          tapped.value = []
          said.value = w('calibrate.cleared')
          onChange(null)
        }}
      />
    </div>
  )
}
