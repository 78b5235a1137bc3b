/** The live picture of a camera that runs, with what is painted over it, its badges and its switches. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX, TargetedMouseEvent } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Camera } from './answers.ts'
import { AreaIcon } from './icons.tsx'
import { trackAt } from './overlay/tap.ts'
import { useTraining } from './training.ts'
import { isYoung, useLook } from './viewer-look.ts'
import { Badges, peopleText, SightWords } from './viewer-words.tsx'

export interface ViewerProps {
  camera: Camera
  /** Tells what was seen, and who may hear it: the camera's topic unless a session's is followed anyway. */
  topic?: string
  /** Told the track of a person that was tapped. */
  onPerson?: (trackId: number) => void
  /** What stands at a person's box instead of the number of their track; null: the number. */
  nameOf?: (trackId: number) => string | null
}

export function Viewer({
  camera,
  topic = `camera:${camera.id}`,
  onPerson,
  nameOf,
}: ViewerProps): JSX.Element {
  const { w } = useTraining()
  const frame = useRef<HTMLDivElement>(null)
  const boxes = useSignal(true)
  const blur = useSignal(false)
  const isFull = useSignal(false)
  const attempt = useSignal(0)
  const { video, picture, canvas, watched, overlay, nowMs, isBlind } = useLook(camera, {
    ...{ topic, boxes, blur, nameOf },
    attempt: attempt.value,
  })
  const tapped = ({ offsetX, offsetY, currentTarget }: TargetedMouseEvent<HTMLCanvasElement>) => {
    const { clientWidth: width, clientHeight: height } = currentTarget
    const seen = overlay.peek()
    if (!onPerson || !isYoung(seen, nowMs.peek())) return
    const trackId = trackAt(seen, { width, height }, { x: offsetX, y: offsetY })
    if (trackId !== null) onPerson(trackId)
  }
  const { sight } = watched.value
  const way = sight.kind === 'showing' ? sight.way : null
  useEffect(() => {
    const changed = () => {
      isFull.value = document.fullscreenElement !== null
    }
    const leave = ({ key }: KeyboardEvent) => {
      if (key === 'Escape' && !document.fullscreenElement) isFull.value = false
    }
    document.addEventListener('fullscreenchange', changed)
    document.addEventListener('keydown', leave)
    return () => {
      document.removeEventListener('fullscreenchange', changed)
      document.removeEventListener('keydown', leave)
    }
  }, [])
  const { width, height } = camera.stream ?? { width: null, height: null }
  return (
    <div ref={frame} class={isFull.value ? 'viewer full' : 'viewer'}>
      <div class="viewer-stage" style={{ aspectRatio: width && height ? `${width} / ${height}` : '16 / 9' }}>
        <video
          ref={video}
          class={way === 'webrtc' ? '' : 'away'}
          muted
          playsInline
          disablePictureInPicture
          tabIndex={-1}
        />
        <canvas ref={picture} class={way === 'mjpeg' ? '' : 'away'} />
        <canvas
          ref={canvas}
          class={onPerson ? 'viewer-overlay tappable' : 'viewer-overlay'}
          role="img"
          onClick={tapped}
          aria-label={`${w('live.picture', { name: camera.name })}. ${peopleText(w, overlay.value, nowMs.value)}`}
        />
        <SightWords sight={sight} onAgain={() => attempt.value++} />
      </div>
      <Badges camera={camera} watched={watched} overlay={overlay} nowMs={nowMs} />
      <div class="viewer-switches">
        <Switch on={boxes} label={w('live.overlay')} icon="boxes" />
        {way !== 'joints' && <Switch on={blur} label={w('live.blur')} icon="blur" />}
        <button
          type="button"
          class="button compact viewer-full"
          aria-pressed={isFull.value}
          onClick={() => void toggleFull(frame.current, isFull)}
        >
          <AreaIcon name={isFull.value ? 'small' : 'full'} size={20} />
          <span>{w(isFull.value ? 'live.fullEnd' : 'live.full')}</span>
        </button>
      </div>
      {blur.value && <p class="small">{w(isBlind.value ? 'live.blurAll' : 'live.blurText')}</p>}
    </div>
  )
}

/** A phone whose browser puts only videos on the full screen gets the picture over the whole page instead. */
async function toggleFull(frame: HTMLElement | null, isFull: Signal<boolean>): Promise<void> {
  if (!frame || !('requestFullscreen' in frame)) {
    isFull.value = !isFull.value
    return
  }
  await (document.fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen()).catch(() => {
    isFull.value = !isFull.value
  })
}

/** A button that stays pressed. */
export function Switch({
  on,
  label,
  icon,
}: {
  on: Signal<boolean>
  label: string
  icon: 'boxes' | 'blur'
}): JSX.Element {
  return (
    <button
      type="button"
      class="button compact switch"
      aria-pressed={on.value}
      onClick={() => {
        on.value = !on.value
      }}
    >
      <AreaIcon name={icon} size={20} />
      <span>{label}</span>
    </button>
  )
}
