/** Half an hour as a thin line on a canvas: holes stay open, the newest value is a dot. */
import { type ReadonlySignal, useSignalEffect } from '@preact/signals'
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { segments, TRAIL_MS, type TrailPoint } from '../state/trail.ts'

export interface SparklineProps {
  trail: ReadonlySignal<readonly TrailPoint[]>
  /** Right edge of the line, the hub's time; read without following it, values drive the drawing. */
  nowMs: () => number
  maxGapMs: number
  stale: ReadonlySignal<boolean>
  /** Smallest height of the scale, so that a calm line looks calm. */
  least: number
}

const PAD = 5

export function Sparkline({ trail, nowMs, maxGapMs, stale, least }: SparklineProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  useSignalEffect(() => {
    const points = trail.value
    const faded = stale.value
    const element = canvas.current
    if (!element) return
    const draw = () => paint(element, points, nowMs(), maxGapMs, least, faded)
    draw()
    const scheme = window.matchMedia('(prefers-color-scheme: dark)')
    const size = new ResizeObserver(draw)
    size.observe(element)
    scheme.addEventListener('change', draw)
    return () => {
      size.disconnect()
      scheme.removeEventListener('change', draw)
    }
  })
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
  faded: boolean,
): void {
  const { clientWidth: width, clientHeight: height } = canvas
  const pen = canvas.getContext('2d')
  if (!pen || width === 0) return
  const ratio = window.devicePixelRatio
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  pen.scale(ratio, ratio)
  const style = getComputedStyle(canvas)
  const seen = points.filter((point) => point.atMs > nowMs - TRAIL_MS)
  if (seen.length === 0) return

  const [low, high] = bounds(seen, least)
  const x = (atMs: number) => PAD + ((atMs - (nowMs - TRAIL_MS)) / TRAIL_MS) * (width - 2 * PAD)
  const y = (value: number) => height - PAD - ((value - low) / (high - low)) * (height - 2 * PAD)

  pen.strokeStyle = style.getPropertyValue(faded ? '--fill-stale' : '--fill-ok')
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
