/** The live picture of a camera that runs, with what is painted over it, its badges and its switches. */
import { batch, type Signal, useComputed, useSignal } from '@preact/signals'
import type { JSX, TargetedMouseEvent } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../../app.ts'
import { errorText } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import type { Camera } from './answers.ts'
import { AreaIcon } from './icons.tsx'
import { paint, type Scene } from './overlay/paint.ts'
import { OVERLAY_MS, type Overlay, overlayOf } from './overlay/pose.ts'
import { trackAt } from './overlay/tap.ts'
import { type Age, ageOf, silentAfterMs } from './picture/age.ts'
import { createPlayer, type Measured, type Player, type Sight } from './picture/player.ts'
import { useTraining, type Words } from './training.ts'

interface Watched {
  sight: Sight
  measured: Measured
}

/** How often what has grown old is taken away, and badges are written anew. */
const LOOK_AGAIN_MS = 250
/** For so long known faces must be young before only they are covered. */
const BLIND_MS = 1_500

export interface ViewerProps {
  camera: Camera
  /** Tells what was seen, and who may hear it: the camera's topic unless a session's is followed anyway. */
  topic?: string
  /** Told the track of a person that was tapped. */
  onPerson?: (trackId: number) => void
}

export function Viewer({ camera, topic = `camera:${camera.id}`, onPerson }: ViewerProps): JSX.Element {
  const { w } = useTraining()
  const frame = useRef<HTMLDivElement>(null)
  const boxes = useSignal(true)
  const blur = useSignal(false)
  const isFull = useSignal(false)
  const attempt = useSignal(0)
  const { video, picture, canvas, watched, overlay, nowMs, isBlind } = useLive(camera, {
    ...{ topic, boxes, blur },
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
        <Switch on={blur} label={w('live.blur')} icon="blur" />
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

interface Choices {
  topic: string
  boxes: Signal<boolean>
  blur: Signal<boolean>
  /** Grows by one when the picture is to be opened again. */
  attempt: number
}

/** Opens the picture and the topic for as long as the viewer stands, and paints when either brings something new. */
function useLive(camera: Camera, { topic, boxes, blur, attempt }: Choices) {
  const { following, clock } = useApp()
  const { ask, cameras } = useTraining()
  const { id } = camera
  const newest = useRef(camera)
  newest.current = camera
  const video = useRef<HTMLVideoElement>(null)
  const picture = useRef<HTMLCanvasElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const seen = useRef<Overlay | null>(null)
  const overlay = useSignal<Overlay | null>(null)
  const player = useSignal<Player | null>(null)
  const nowMs = useSignal(clock.nowMs())
  const isBlind = useSignal(true)
  const watched = useComputed<Watched>(() => ({
    sight: player.value?.sight.value ?? { kind: 'opening' },
    measured: player.value?.measured.value ?? {
      fps: null,
      drawnAtMs: null,
      capturedAtMs: null,
      delayMs: null,
    },
  }))
  useEffect(() => {
    const [v, p, c] = [video.current, picture.current, canvas.current]
    if (!v || !p || !c) return
    let planned = 0
    let blindMs = Number.NEGATIVE_INFINITY
    const repaint = () => {
      cancelAnimationFrame(planned)
      planned = requestAnimationFrame(() => {
        const known = seen.current
        const fresh = isYoung(known, clock.nowMs()) ? known : null
        const way = wayOf(player.peek())
        const source = way === 'webrtc' ? v : way === 'mjpeg' ? p : null
        if (!fresh) blindMs = performance.now()
        // Once nobody knew where faces are, all stays covered for a while: flicker would show them.
        const faces = performance.now() - blindMs > BLIND_MS ? 'faces' : 'all'
        isBlind.value = faces === 'all'
        paint({
          canvas: c,
          picture: source && { source, size: sizeOf(source) },
          overlay: fresh,
          boxes: boxes.peek(),
          blur: blur.peek() ? faces : 'off',
        } satisfies Scene)
      })
    }
    player.value = createPlayer({
      ...{ ask, cameraId: id, video: v, canvas: p },
      silentAfterMs: () => silentAfterMs(newest.current.stream?.fps ?? null),
      onPicture: () => {
        if (blur.peek()) repaint()
      },
    })
    const unfollow = following.follow(topic, {
      onEvent(event) {
        const told = overlayOf(event)
        if (told?.cameraId !== id) return
        seen.current = told
        repaint()
        // Who looks, and how quickly, is known from now on.
        if (newest.current.vision?.state !== 'running' && !cameras.state.peek().loading) void cameras.reload()
      },
      // Nothing is to be fetched: the next picture tells all.
      onGap: () => undefined,
    })
    const timer = setInterval(() => {
      // Words follow more slowly than what is drawn, which spares the main thread.
      batch(() => {
        nowMs.value = clock.nowMs()
        overlay.value = seen.current
      })
      repaint()
    }, LOOK_AGAIN_MS)
    const resized = new ResizeObserver(repaint)
    resized.observe(c)
    return () => {
      player.peek()?.stop()
      unfollow()
      clearInterval(timer)
      resized.disconnect()
      cancelAnimationFrame(planned)
    }
  }, [id, topic, attempt])
  return { video, picture, canvas, watched, overlay, nowMs, isBlind }
}

function wayOf(player: Player | null): 'webrtc' | 'mjpeg' | null {
  const sight = player?.sight.peek()
  return sight?.kind === 'showing' ? sight.way : null
}

function sizeOf(source: HTMLVideoElement | HTMLCanvasElement): { width: number; height: number } {
  if (source instanceof HTMLVideoElement) return { width: source.videoWidth, height: source.videoHeight }
  return { width: source.width, height: source.height }
}

function isYoung(overlay: Overlay | null, nowMs: number): overlay is Overlay {
  return overlay !== null && nowMs - overlay.capturedAtMs <= OVERLAY_MS
}

function peopleText(w: Words, overlay: Overlay | null, nowMs: number): string {
  if (!isYoung(overlay, nowMs)) return w('live.noBoxes')
  return overlay.people.length === 0
    ? w('live.peopleNone')
    : w('live.people', { count: overlay.people.length })
}

function Switch({
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

/** What stands where the picture is to come, or came. */
function SightWords({ sight, onAgain }: { sight: Sight; onAgain: () => void }): JSX.Element | null {
  const { t, link } = useApp()
  const { w } = useTraining()
  if (sight.kind === 'showing') return null
  const isAway =
    link.state.value.kind === 'lost' || (sight.kind === 'interrupted' && sight.error?.code === 'OFFLINE')
  return (
    <div class="viewer-words" role="status">
      {sight.kind === 'opening' && <span>{w('live.opening')}</span>}
      {sight.kind === 'interrupted' && <span>{w(isAway ? 'live.hubAway' : 'live.interrupted')}</span>}
      {sight.kind === 'ended' && (
        <>
          <strong>{w('live.ended')}</strong>
          <span>{errorText(t, sight.error)}</span>
          <button type="button" class="button compact" onClick={onAgain}>
            <Icon name="refresh" size={20} />
            {w('live.again')}
          </button>
        </>
      )}
    </div>
  )
}

interface BadgesProps {
  camera: Camera
  watched: { value: Watched }
  overlay: Signal<Overlay | null>
  nowMs: Signal<number>
}

function Badges({ camera, watched, overlay, nowMs }: BadgesProps): JSX.Element {
  const { w } = useTraining()
  const { sight, measured } = watched.value
  // Its place is kept, so that nothing jumps when the picture comes.
  if (sight.kind !== 'showing') return <div class="badges" />
  const frozenMs = measured.drawnAtMs === null ? 0 : performance.now() - measured.drawnAtMs
  return (
    <ul class="badges">
      {frozenMs > silentAfterMs(camera.stream?.fps ?? null) / 2 ? (
        <li class="badge late">{w('live.frozen', { seconds: Math.round(frozenMs / 1000) })}</li>
      ) : (
        <>
          {measured.capturedAtMs !== null && (
            <li class="badge">{pictureAge(w, ageOf(measured.capturedAtMs, nowMs.value))}</li>
          )}
          {measured.delayMs !== null && <li class="badge">{w('live.delay', { ms: measured.delayMs })}</li>}
          {measured.fps !== null && (
            <li class="badge">{w('live.fps', { fps: Math.round(measured.fps * 10) / 10 })}</li>
          )}
        </>
      )}
      {camera.analyse && overlay.value !== null && (
        <OverlayBadge overlay={overlay.value} nowMs={nowMs.value} />
      )}
      <li class="badge quiet">{w(`live.by.${sight.way}`)}</li>
    </ul>
  )
}

function OverlayBadge({ overlay, nowMs }: { overlay: Overlay; nowMs: number }): JSX.Element {
  const { w } = useTraining()
  const ageMs = nowMs - overlay.capturedAtMs
  if (!isYoung(overlay, nowMs))
    return <li class="badge late">{w('live.boxesLate', { seconds: Math.round(ageMs / 100) / 10 })}</li>
  return (
    <>
      <li class="badge">
        {overlay.people.length === 0
          ? w('live.peopleNone')
          : w('live.people', { count: overlay.people.length })}
        {overlay.ball !== null && `, ${w('live.ball')}`}
      </li>
      <li class="badge">{boxesAge(w, ageOf(overlay.capturedAtMs, nowMs))}</li>
    </>
  )
}

function pictureAge(w: Words, age: Age): string {
  return 'ms' in age ? w('live.age', age) : w('live.ageLong', age)
}

function boxesAge(w: Words, age: Age): string {
  return 'ms' in age ? w('live.boxes', age) : w('live.boxesLong', age)
}
