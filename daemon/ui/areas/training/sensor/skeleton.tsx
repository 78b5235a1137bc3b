/** The skeleton over the phone's own picture, drawn from what was just found here. */
import type { ReadonlySignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { paint } from '../overlay/paint.ts'
import type { Joint, Overlay } from '../overlay/pose.ts'
import type { SeenHere } from './messages.ts'

/** COCO's 17 among BlazePose's 33, which is what the painter draws. */
const COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28] as const

export function Skeleton({ seen }: { seen: ReadonlySignal<SeenHere | null> }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const now = seen.value
  useEffect(() => {
    if (canvas.current)
      paint({
        ...{ canvas: canvas.current, picture: null, boxes: true, blur: 'off' },
        overlay: now && overlayOf(now),
      })
  }, [now])
  return <canvas ref={canvas} />
}

function overlayOf({ frame, width, height }: SeenHere): Overlay {
  const people = frame.people.map((landmarks, index) => {
    const joints = COCO.map((place): Joint => {
      const [x = 0, y = 0, , score = 0] = landmarks[place] ?? []
      return { x, y, score }
    })
    const [xs, ys] = [joints.map(({ x }) => x), joints.map(({ y }) => y)]
    const [x, y] = [Math.min(...xs), Math.min(...ys)]
    const box = { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y }
    return { trackId: index + 1, box, joints }
  })
  return { cameraId: '', capturedAtMs: frame.at, width, height, people, ball: null }
}
