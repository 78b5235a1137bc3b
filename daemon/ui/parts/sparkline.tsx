/** Half an hour as a thin line on a canvas: holes stay open, the newest value is a dot. */
import type { ReadonlySignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { segments, TRAIL_MS, type TrailPoint } from '../state/trail.ts'

export interface SparklineProps {
  trail: ReadonlySignal<readonly TrailPoint[]>
  /** Right edge of the line, the hub's time; read without following it, values drive the drawing. */
  nowMs: () => number
  maxGapMs: number
  /** Drawn in the colour of what is not live. */
  faded: boolean
  /** Smallest height of the scale, so that a calm line looks calm. */
  least: number
}

const PAD = 5

/** Draws at most once a frame, however many values arrive. */
export function Sparkline({ trail, nowMs, maxGapMs, faded, least }: SparklineProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const colour = () => getComputedStyle(element).getPropertyValue(faded ? '--fill-stale' : '--fill-ok')
    let pen = colour()
    let frame = 0
    const draw = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => paint(element, trail.peek(), nowMs(), maxGapMs, least, pen))
    }
    const recolour = () => {
      pen = colour()
      draw()
    }
    const unfollow = trail.subscribe(draw)
    const size = new ResizeObserver(draw)
    size.observe(element)
    const scheme = window.matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', recolour)
    return () => {
      cancelAnimationFrame(frame)
      unfollow()
      size.disconnect()
      scheme.removeEventListener('change', recolour)
    }
  }, [trail, maxGapMs, least, faded])
  return (
    <span aria-hidden="true">
      <canvas ref={canvas} class="sparkline" />
    </span>
  )
}

function paint(
  canvas: HTMLCanvasElement,
  points: readonly TrailPoint[],
  nowMs: number,
  maxGapMs: number,
  least: number,
  colour: string,
): void {
  const { clientWidth: width, clientHeight: height } = canvas
  const pen = canvas.getContext('2d')
  if (!pen || width === 0) return
  const ratio = window.devicePixelRatio
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  // Setting the size throws the drawing surface away, which is worth avoiding four times a second.
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  const seen = points.filter((point) => point.atMs > nowMs - TRAIL_MS)
  if (seen.length === 0) return

  const [low, high] = bounds(seen, least)
  const x = (atMs: number) => PAD + ((atMs - (nowMs - TRAIL_MS)) / TRAIL_MS) * (width - 2 * PAD)
  const y = (value: number) => height - PAD - ((value - low) / (high - low)) * (height - 2 * PAD)

  pen.strokeStyle = colour
  pen.fillStyle = pen.strokeStyle
  pen.lineWidth = 1.75
  pen.lineJoin = 'round'
  pen.lineCap = 'round'
  for (const stretch of segments(seen, maxGapMs)) {
    pen.beginPath()
    for (const point of stretch) pen.lineTo(x(point.atMs), y(point.value))
    const [only] = stretch
    if (stretch.length === 1 && only) pen.lineTo(x(only.atMs) + 0.1, y(only.value))
    pen.stroke()
  }
  const last = seen.at(-1)
  if (!last) return
  pen.beginPath()
  pen.arc(x(last.atMs), y(last.value), 3.25, 0, 2 * Math.PI)
  pen.fill()
}

function bounds(points: readonly TrailPoint[], least: number): [number, number] {
  const values = points.map((point) => point.value)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const spare = Math.max(0, least - (high - low)) / 2
  return [low - spare, high + spare]
}
