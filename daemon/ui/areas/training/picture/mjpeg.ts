/** A camera's pictures one after the other, fetched with the bearer token and drawn on a canvas. */
import type { Ask } from '../ask.ts'
import { pathOf } from '../training.ts'
import { boundaryOf, createParts, type Part } from './multipart.ts'

export interface MjpegDeps {
  ask: Ask
  cameraId: string
  canvas: HTMLCanvasElement
  /** Told after each picture was drawn; null: the hub did not say when it was taken. */
  onPicture: (capturedAtMs: number | null) => void
  signal: AbortSignal
}

const MOST_FPS = 15

/** Resolves when the hub ends the stream. Throws the hub's refusal, OFFLINE, or what was wrong with the stream. */
export async function showMjpeg({ ask, cameraId, canvas, onPicture, signal }: MjpegDeps): Promise<void> {
  const answer = await ask(`${pathOf(cameraId)}/stream.mjpeg?fps=${MOST_FPS}`, { signal })
  const boundary = boundaryOf(answer.headers.get('content-type') ?? '')
  if (boundary === null || !answer.body) throw new Error('the answer holds no pictures')
  const parts = createParts(boundary)
  const draw = newestOnly(async (part) => {
    const picture = await createImageBitmap(new Blob([part.body], { type: 'image/jpeg' }))
    if (!signal.aborted) paint(canvas, picture)
    picture.close()
    const captured = Date.parse(part.headers.get('x-captured-at') ?? '')
    if (!signal.aborted) onPicture(Number.isFinite(captured) ? captured : null)
  })
  const reader = answer.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const newest = parts.push(value).at(-1)
    if (newest) draw(newest)
  }
}

function paint(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  const { width, height } = picture
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  canvas.getContext('2d')?.drawImage(picture, 0, 0)
}

/** While one picture is decoded only the newest of the others waits; one that cannot be decoded is passed over. */
function newestOnly(work: (part: Part) => Promise<void>): (part: Part) => void {
  let waiting: Part | null = null
  let busy = false
  const run = async () => {
    busy = true
    while (waiting) {
      const part = waiting
      waiting = null
      await work(part).catch(() => undefined)
    }
    busy = false
  }
  return (part) => {
    waiting = part
    if (!busy) void run()
  }
}
