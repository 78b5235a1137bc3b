/** Shows one camera by the quickest way that works: WebRTC, else single pictures; starts again when it breaks. */
import { type ReadonlySignal, signal } from '@preact/signals'
import { ApiError } from '../../../net/api.ts'
import { type Viewing, watchCamera } from '../../../net/webrtc.ts'
import { asApiError } from '../../../state/resource.ts'
import { type Ask, exchangeSdp } from '../ask.ts'
import { pathOf } from '../training.ts'
import { showMjpeg } from './mjpeg.ts'
import { createRate } from './rate.ts'

export type Way = 'webrtc' | 'mjpeg'

export type Sight =
  | { kind: 'opening' }
  | { kind: 'showing'; way: Way }
  /** It broke and is tried again by itself. */
  | { kind: 'interrupted'; error: ApiError | null }
  /** The hub refuses for good: the camera is gone, or one may not look any more. */
  | { kind: 'ended'; error: ApiError }

/** What is known of the picture on screen, a few times a second. */
export interface Measured {
  fps: number | null
  /** When the newest picture was drawn, by this device's monotonic clock. */
  drawnAtMs: number | null
  /** When it was taken, by the hub's clock. */
  capturedAtMs: number | null
  /** WebRTC: what network and player add. */
  delayMs: number | null
}

export interface Player {
  sight: ReadonlySignal<Sight>
  measured: ReadonlySignal<Measured>
  stop(): void
}

export interface PlayerDeps {
  ask: Ask
  cameraId: string
  video: HTMLVideoElement
  canvas: HTMLCanvasElement
  /** A connection that shows nothing for so long is opened anew. */
  silentAfterMs: () => number
  /** Told each new picture, for what is painted over it. */
  onPicture: () => void
}

/** WebRTC must have shown something by then, or single pictures take over. */
const FIRST_PICTURE_MS = 5_000
const MEASURE_MS = 500
const RETRY_MS = [1_000, 2_000, 5_000] as const
const FINAL: ReadonlySet<string> = new Set(['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED'])
const NOTHING: Measured = { fps: null, drawnAtMs: null, capturedAtMs: null, delayMs: null }

export function createPlayer(deps: PlayerDeps): Player {
  const { ask, cameraId, video, canvas, onPicture, silentAfterMs } = deps
  const sight = signal<Sight>({ kind: 'opening' })
  const measured = signal<Measured>(NOTHING)
  const ending = new AbortController()
  let rate = createRate()
  let newest = NOTHING
  let way: Way = 'RTCPeerConnection' in window ? 'webrtc' : 'mjpeg'
  let viewing: Viewing | null = null
  void run()
  const timer = setInterval(() => void measure(), MEASURE_MS)
  return {
    sight,
    measured,
    stop() {
      ending.abort()
      clearInterval(timer)
    },
  }

  async function run(): Promise<void> {
    for (let failures = 0; !ending.signal.aborted; ) {
      const before = newest.drawnAtMs
      const error = await attempt()
      if (ending.signal.aborted) return
      if (error && FINAL.has(error.code)) {
        sight.value = { kind: 'ended', error }
        return
      }
      failures = newest.drawnAtMs === before ? failures + 1 : 0
      sight.value = { kind: 'interrupted', error }
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0)
    }
  }

  /** Answers when the picture is over: null for a connection that just ended. */
  async function attempt(): Promise<ApiError | null> {
    rate = createRate()
    try {
      if (way === 'webrtc' && !(await byWebrtc())) {
        way = 'mjpeg'
        sight.value = { kind: 'opening' }
      }
      if (way === 'mjpeg')
        await showMjpeg({
          ask,
          cameraId,
          canvas,
          signal: ending.signal,
          onPicture: (at) => drawn('mjpeg', at),
        })
      return null
    } catch (cause) {
      return asApiError(cause)
    }
  }

  /** False when this way shows nothing here; true when it showed something and then broke. */
  async function byWebrtc(): Promise<boolean> {
    let end = () => {}
    const lost = new AbortController()
    const shownBefore = newest.drawnAtMs
    try {
      viewing = await watchCamera({
        async exchange(offer) {
          const opened = await exchangeSdp(ask, `${pathOf(cameraId)}/view`, offer)
          end = opened.end
          return opened.answer
        },
        onLost: () => lost.abort(),
      })
      video.srcObject = viewing.stream
      // Muted video plays by itself; where the browser refuses even that, no picture comes and the other way is taken.
      video.play().catch(() => undefined)
      const stopCounting = countPictures()
      await untilSilent(lost.signal, shownBefore)
      stopCounting()
      return newest.drawnAtMs !== shownBefore
    } catch (cause) {
      if (cause instanceof ApiError && cause.code !== 'OVERLOADED' && cause.code !== 'INTERNAL') throw cause
      return false
    } finally {
      viewing?.close()
      viewing = null
      video.srcObject = null
      end()
    }
  }

  function countPictures(): () => void {
    let handle = 0
    const each = () => {
      drawn('webrtc', null)
      handle = video.requestVideoFrameCallback(each)
    }
    handle = video.requestVideoFrameCallback(each)
    return () => video.cancelVideoFrameCallback(handle)
  }

  async function untilSilent(lost: AbortSignal, shownBefore: number | null): Promise<void> {
    const openedMs = performance.now()
    while (!lost.aborted && !ending.signal.aborted) {
      await pause(MEASURE_MS)
      // Hidden pages draw nothing, which says nothing about the connection.
      if (document.visibilityState !== 'visible') continue
      const shown = newest.drawnAtMs !== shownBefore
      const sinceMs = performance.now() - (shown ? (newest.drawnAtMs ?? openedMs) : openedMs)
      if (sinceMs > (shown ? silentAfterMs() : Math.max(FIRST_PICTURE_MS, silentAfterMs() / 2))) return
    }
  }

  function drawn(by: Way, capturedAtMs: number | null): void {
    const atMs = performance.now()
    rate.count(atMs)
    newest = { ...newest, drawnAtMs: atMs, capturedAtMs }
    const now = sight.peek()
    if (now.kind !== 'showing' || now.way !== by) sight.value = { kind: 'showing', way: by }
    onPicture()
  }

  async function measure(): Promise<void> {
    const told = await viewing?.measure().catch(() => null)
    newest = { ...newest, delayMs: told?.delayMs ?? null, fps: rate.perSecond(performance.now()) }
    measured.value = newest
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      ending.signal.addEventListener('abort', done)
      function done() {
        clearTimeout(timer)
        ending.signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }
}
