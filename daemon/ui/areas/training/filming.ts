/** Films with this device: opens its camera, brings what it shows to the hub, keeps the screen on, and begins again when the connection breaks. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { ApiError } from '../../net/api.ts'
import { sendCamera } from '../../net/webrtc.ts'
import { asApiError } from '../../state/resource.ts'
import { type Ask, exchangeSdp } from './ask.ts'
import { pathOf } from './training.ts'

export type Filming =
  | { kind: 'idle' }
  /** The browser asks the person. */
  | { kind: 'asking' }
  | { kind: 'connecting' }
  | { kind: 'sending' }
  | { kind: 'lost'; error: ApiError | null }
  | { kind: 'failed'; why: 'insecure' | 'refused' | 'no-camera' | 'taken-away' }
  | { kind: 'rejected'; error: ApiError }

export interface Film {
  state: ReadonlySignal<Filming>
  /** What the camera sees, for the preview. */
  stream: ReadonlySignal<MediaStream | null>
  /** Whether the browser keeps the screen on; null: not asked yet. */
  awake: ReadonlySignal<boolean | null>
  start(): Promise<void>
  /** Changes between the camera at the front and the one at the back. */
  turn(): Promise<void>
  stop(): void
}

const AGAIN_MS = 2_000
const FINAL: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'CONFLICT',
  'UNSUPPORTED_HERE',
])

/** Brings what the camera shows to the hub until it is closed; `onLost` is told once when that broke by itself. */
export type Connect = (
  stream: MediaStream,
  onLost: (error: ApiError | null) => void,
) => Promise<{ close(): void }>

/** The picture itself, by WebRTC. */
export function sendPicture({ ask, cameraId }: { ask: Ask; cameraId: string }): Connect {
  return async (stream, onLost) => {
    let end = () => {}
    try {
      const made = await sendCamera(stream, {
        async exchange(offer) {
          const answered = await exchangeSdp(ask, `${pathOf(cameraId)}/webrtc`, offer)
          end = answered.end
          return answered.answer
        },
        onLost: () => onLost(null),
      })
      return {
        close() {
          made.close()
          end()
        },
      }
    } catch (cause) {
      end()
      throw cause
    }
  }
}

export function createFilm(connect: Connect): Film {
  const state = signal<Filming>({ kind: 'idle' })
  const stream = signal<MediaStream | null>(null)
  const awake = signal<boolean | null>(null)
  let facing: 'environment' | 'user' = 'environment'
  let sending: { close(): void } | null = null
  let lock: WakeLockSentinel | null = null
  let timer: ReturnType<typeof setTimeout> | null = null
  /** Grows with every start and stop, so that what comes late changes nothing. */
  let turnOf = 0

  return { state, stream, awake, start, turn, stop }

  async function start(): Promise<void> {
    const mine = ++turnOf
    if (!window.isSecureContext || !('mediaDevices' in navigator)) {
      state.value = { kind: 'failed', why: 'insecure' }
      return
    }
    state.value = { kind: 'asking' }
    const opened = await openCamera()
    if (mine !== turnOf) {
      close(opened)
      return
    }
    if (!opened) return
    stream.value = opened
    for (const track of opened.getVideoTracks())
      track.addEventListener('ended', () => takenAway(mine), { once: true })
    document.addEventListener('visibilitychange', seen)
    void keepAwake()
    await send(mine)
  }

  async function openCamera(): Promise<MediaStream | null> {
    const video = {
      facingMode: { ideal: facing },
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30 },
    }
    try {
      return await navigator.mediaDevices.getUserMedia({ video, audio: false })
    } catch (cause) {
      const isRefused = cause instanceof Error && cause.name === 'NotAllowedError'
      state.value = { kind: 'failed', why: isRefused ? 'refused' : 'no-camera' }
      return null
    }
  }

  async function send(mine: number): Promise<void> {
    const opened = stream.peek()
    if (!opened || mine !== turnOf) return
    state.value = { kind: 'connecting' }
    try {
      const made = await connect(opened, (error) => broken(mine, error))
      if (mine !== turnOf) return made.close()
      sending = made
      state.value = { kind: 'sending' }
    } catch (cause) {
      broken(mine, asApiError(cause))
    }
  }

  function broken(mine: number, error: ApiError | null): void {
    if (mine !== turnOf) return
    hangUp()
    if (timer !== null) clearTimeout(timer)
    if (error && FINAL.has(error.code)) {
      stop()
      state.value = { kind: 'rejected', error }
      return
    }
    state.value = { kind: 'lost', error }
    timer = setTimeout(() => void send(mine), AGAIN_MS)
  }

  /** The camera was pulled out, another app took it, or leave for it was taken back: nothing comes of it any more. */
  function takenAway(mine: number): void {
    if (mine !== turnOf) return
    stop()
    state.value = { kind: 'failed', why: 'taken-away' }
  }

  async function turn(): Promise<void> {
    facing = facing === 'environment' ? 'user' : 'environment'
    stop()
    await start()
  }

  function stop(): void {
    turnOf += 1
    if (timer !== null) clearTimeout(timer)
    hangUp()
    close(stream.peek())
    stream.value = null
    document.removeEventListener('visibilitychange', seen)
    void lock?.release().catch(() => undefined)
    lock = null
    state.value = { kind: 'idle' }
  }

  function hangUp(): void {
    sending?.close()
    sending = null
  }

  /** The browser lets go of the screen whenever the page is hidden. */
  function seen(): void {
    if (document.visibilityState === 'visible') void keepAwake()
  }

  async function keepAwake(): Promise<void> {
    const mine = turnOf
    try {
      const got = await navigator.wakeLock.request('screen')
      if (mine === turnOf) lock = got
      else await got.release()
      awake.value = true
    } catch {
      awake.value = false
    }
  }
}

function close(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop()
}
