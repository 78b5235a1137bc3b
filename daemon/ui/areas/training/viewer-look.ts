/** Opens a camera's picture and what is told of it, and paints the one over the other. */
import { batch, type Signal, useComputed, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { useApp } from '../../app.ts'
import type { Camera } from './answers.ts'
import { paint, type Scene } from './overlay/paint.ts'
import { OVERLAY_MS, type Overlay, overlayOf } from './overlay/pose.ts'
import { silentAfterMs } from './picture/age.ts'
import { createPlayer, type Measured, type Player, type Sight } from './picture/player.ts'
import { useTraining } from './training.ts'

export interface Watched {
  sight: Sight | { kind: 'showing'; way: 'joints' }
  measured: Measured
}

/** How often what has grown old is taken away, and badges are written anew. */
const LOOK_AGAIN_MS = 250
/** For so long known faces must be young before only they are covered. */
const BLIND_MS = 1_500

const JOINTS_ONLY = { kind: 'showing', way: 'joints' } as const
const NOTHING: Measured = { fps: null, drawnAtMs: null, capturedAtMs: null, delayMs: null }

interface Choices {
  topic: string
  boxes: Signal<boolean>
  blur: Signal<boolean>
  /** Grows by one when the picture is to be opened again. */
  attempt: number
  nameOf: ((trackId: number) => string | null) | undefined
}

/** Opens the picture and the topic for as long as the viewer stands, and paints when either brings something new. */
export function useLook(camera: Camera, { topic, boxes, blur, attempt, nameOf }: Choices) {
  const { following, clock } = useApp()
  const { ask, cameras } = useTraining()
  const { id } = camera
  const newest = useRef(camera)
  newest.current = camera
  const names = useRef(nameOf)
  names.current = nameOf
  // There is nothing to open where a phone sends only what it found.
  const hasPicture = camera.stream?.codec !== 'landmarks'
  const video = useRef<HTMLVideoElement>(null)
  const picture = useRef<HTMLCanvasElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const seen = useRef<Overlay | null>(null)
  const overlay = useSignal<Overlay | null>(null)
  const player = useSignal<Player | null>(null)
  const nowMs = useSignal(clock.nowMs())
  const isBlind = useSignal(true)
  const watched = useComputed<Watched>(() => ({
    sight: player.value?.sight.value ?? JOINTS_ONLY,
    measured: player.value?.measured.value ?? NOTHING,
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
          nameOf: names.current,
          blur: blur.peek() ? faces : 'off',
        } satisfies Scene)
      })
    }
    player.value = hasPicture
      ? createPlayer({
          ...{ ask, cameraId: id, video: v, canvas: p },
          silentAfterMs: () => silentAfterMs(newest.current.stream?.fps ?? null),
          onPicture: () => {
            if (blur.peek()) repaint()
          },
        })
      : null
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
  }, [id, topic, attempt, hasPicture])
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

export function isYoung(overlay: Overlay | null, nowMs: number): overlay is Overlay {
  return overlay !== null && nowMs - overlay.capturedAtMs <= OVERLAY_MS
}
