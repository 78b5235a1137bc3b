/** Shows the worker one picture of the camera after the other, at most 15 a second and never two at once. */
import { sensorFiles } from './files.ts'
import type { FromWorker, SeenHere, ToWorker } from './messages.ts'

export interface Eye {
  stop(): void
}

export interface EyeDeps {
  stream: MediaStream
  onReady: () => void
  onSeen: (seen: SeenHere) => void
  onFailed: (why: string) => void
}

/** A little less than a fifteenth of a second: cameras give pictures every 33 ms. */
const LEAST_MS = 60

export function createEye({ stream, onReady, onSeen, onFailed }: EyeDeps): Eye {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = stream
  const worker = openWorker()
  let isFree = false
  let lastMs = 0
  let handle = 0
  let stopped = false

  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    if (stopped) return
    if (data.kind === 'failed') return onFailed(data.why)
    isFree = true
    if (data.kind === 'ready') onReady()
    else onSeen(data)
  })
  worker.addEventListener('error', ({ message }) => onFailed(message))
  video.play().catch((cause: unknown) => onFailed(String(cause)))
  wait()
  return {
    stop() {
      stopped = true
      video.cancelVideoFrameCallback(handle)
      video.srcObject = null
      worker.terminate()
    },
  }

  function wait(): void {
    handle = video.requestVideoFrameCallback((now, { captureTime }) => {
      if (isFree && now - lastMs >= LEAST_MS) void show(performance.timeOrigin + (captureTime ?? now), now)
      if (!stopped) wait()
    })
  }

  async function show(atMs: number, now: number): Promise<void> {
    isFree = false
    lastMs = now
    try {
      const picture = await createImageBitmap(video)
      worker.postMessage({ kind: 'look', picture, atMs } satisfies ToWorker, [picture])
    } catch {
      // Between two cameras there is no picture for a moment.
      isFree = true
    }
  }
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string }
}

/** Throws where the build left the files out. */
function openWorker(): Worker {
  if (sensorFiles === null)
    throw new Error('This hub was built without what a phone needs to look by itself.')
  const { worker: address, loader, wasm, task } = sensorFiles
  const rules = { createScriptURL: (url: string) => url }
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes }
  const trusted = trustedTypes?.createPolicy('sensor', rules).createScriptURL(address) ?? address
  const worker = new Worker(trusted, { type: 'module' })
  worker.postMessage({ kind: 'open', loader, wasm, task } satisfies ToWorker)
  return worker
}
