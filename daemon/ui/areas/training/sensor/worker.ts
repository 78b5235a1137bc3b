/** Finds the joints of one person in pictures of this phone's camera, beside the page, so that the page stays quick. */
import { PoseLandmarker } from '@mediapipe/tasks-vision'
import type { FromWorker, ToWorker } from './messages.ts'

interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { data: ToWorker }) => void): void
  postMessage(message: FromWorker): void
}

// The DOM types describe a page; in this file the global object is the worker's.
const worker = globalThis as unknown as WorkerScope
let landmarker: PoseLandmarker | null = null

worker.addEventListener('message', ({ data }) => {
  if (data.kind === 'open') void open(data)
  else look(data)
})

async function open({ loader, wasm, task }: ToWorker & { kind: 'open' }): Promise<void> {
  try {
    landmarker = await PoseLandmarker.createFromOptions(
      { wasmLoaderPath: loader, wasmBinaryPath: wasm },
      // The processor: what a phone's graphics unit computes was never measured against it.
      { baseOptions: { modelAssetPath: task, delegate: 'CPU' }, runningMode: 'VIDEO', numPoses: 1 },
    )
    worker.postMessage({ kind: 'ready' })
  } catch (cause) {
    worker.postMessage({ kind: 'failed', why: cause instanceof Error ? cause.message : String(cause) })
  }
}

function look({ picture, atMs }: ToWorker & { kind: 'look' }): void {
  const fromMs = performance.now()
  const { width, height } = picture
  try {
    const found = landmarker?.detectForVideo(picture, fromMs).landmarks ?? []
    const people = found.map((landmarks) =>
      // Depth comes in the scale of the width.
      landmarks.map(({ x, y, z, visibility }) => [
        tenths(x * width),
        tenths(y * height),
        tenths(z * width),
        Math.round(Math.min(1, Math.max(0, visibility)) * 100) / 100,
      ]),
    )
    const tookMs = Math.round(performance.now() - fromMs)
    worker.postMessage({ kind: 'seen', frame: { at: atMs, people }, width, height, tookMs })
  } catch (cause) {
    worker.postMessage({ kind: 'failed', why: cause instanceof Error ? cause.message : String(cause) })
  } finally {
    picture.close()
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
