/** A still picture of the camera, in which the chosen spot is tapped, or found with the arrow keys. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import { errorText, Skeleton } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { asApiError } from '../../../state/resource.ts'
import { pathOf, useTraining } from '../training.ts'
import type { Place } from './answers.ts'
import { isSame, type Spot, type Tapped } from './pitch.ts'
import { useCalibrationWords } from './spot-name.ts'

export interface Shot {
  url: string
  width: number
  height: number
}

/** Newest picture of a camera, fetched again on request. */
export function useShot(cameraId: string) {
  const { t } = useApp()
  const { ask } = useTraining()
  const shot = useSignal<Shot | null>(null)
  const failed = useSignal<string | null>(null)
  const attempt = useSignal(0)
  useEffect(() => {
    const ending = new AbortController()
    let url: string | null = null
    ask(`${pathOf(cameraId)}/snapshot.jpg`, { signal: ending.signal })
      .then(async (answer) => {
        url = URL.createObjectURL(await answer.blob())
        const image = new Image()
        image.src = url
        await image.decode()
        if (ending.signal.aborted) return
        shot.value = { url, width: image.naturalWidth, height: image.naturalHeight }
        failed.value = null
      })
      .catch((cause: unknown) => {
        if (!ending.signal.aborted) failed.value = errorText(t, asApiError(cause))
      })
    return () => {
      ending.abort()
      if (url !== null) URL.revokeObjectURL(url)
    }
  }, [cameraId, attempt.value])
  return { shot, failed, again: () => attempt.value++ }
}

const STEP = 0.01
const ARROWS: Readonly<Record<string, Place>> = {
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
}

export interface ShotViewProps {
  shot: Signal<Shot | null>
  failed: Signal<string | null>
  again: () => void
  chosen: Spot | null
  tapped: readonly Tapped[]
  /** Told shares of the picture's width and height. */
  onTap: (share: Place) => void
}

export function ShotView({ shot, failed, again, chosen, tapped, onTap }: ShotViewProps): JSX.Element {
  const { w } = useCalibrationWords()
  return (
    <>
      {shot.value ? (
        <Picture shot={shot.value} chosen={chosen} tapped={tapped} onTap={onTap} />
      ) : (
        failed.value === null && <Skeleton rows={1} tall />
      )}
      {failed.value !== null && (
        <p class="small" role="alert">
          {w('calibrate.noPicture')} {failed.value}
        </p>
      )}
      <button type="button" class="button compact" onClick={again}>
        <Icon name="refresh" size={20} />
        {w('calibrate.newPicture')}
      </button>
    </>
  )
}

type PictureProps = Pick<ShotViewProps, 'chosen' | 'tapped' | 'onTap'> & { shot: Shot }

function Picture({ shot, chosen, tapped, onTap }: PictureProps): JSX.Element {
  const { w, nameOf } = useCalibrationWords()
  // Shares of the picture, so that it may be shown at any size.
  const cross = useSignal<Place | null>(null)
  const spot = chosen ? nameOf(chosen) : w('calibrate.chooseFirst')
  return (
    <button
      type="button"
      class="shot"
      aria-label={w('calibrate.pictureLabel', { spot })}
      onBlur={() => {
        cross.value = null
      }}
      onKeyDown={(event) => {
        const step = ARROWS[event.key]
        if (!step) return
        event.preventDefault()
        const from = cross.value ?? { x: 0.5, y: 0.5 }
        const scale = event.shiftKey ? 0.2 : 1
        cross.value = { x: within(from.x + step.x * scale), y: within(from.y + step.y * scale) }
      }}
      onClick={(event) => {
        const { left, top, width, height } = event.currentTarget.getBoundingClientRect()
        // A key press has no place: it means the cross.
        if (event.detail === 0) onTap(cross.value ?? { x: 0.5, y: 0.5 })
        else onTap({ x: within((event.clientX - left) / width), y: within((event.clientY - top) / height) })
      }}
    >
      <img src={shot.url} alt="" draggable={false} />
      {tapped.map(({ metres, share, told, isInLine }, index) => (
        <span
          key={`${metres.x} ${metres.y}`}
          class={[
            'pin',
            (told?.used === false || isInLine) && 'wrong',
            chosen !== null && isSame(chosen.metres, metres) && 'chosen',
          ]
            .filter(Boolean)
            .join(' ')}
          style={{
            insetInlineStart: `${share.x * 100}%`,
            insetBlockStart: `${share.y * 100}%`,
          }}
        >
          <span data-number={index + 1} />
        </span>
      ))}
      {cross.value && (
        <span
          class="cross"
          style={{ insetInlineStart: `${cross.value.x * 100}%`, insetBlockStart: `${cross.value.y * 100}%` }}
        />
      )}
    </button>
  )
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share))
}
