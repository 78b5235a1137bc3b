/** Draws one series with uPlot: band of extremes behind, line in front, holes left open, reading by touch or mouse. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { useApp } from '../app.ts'
import type { Format } from '../i18n/format.ts'
import { type Series, type Summary, valueTicks } from '../state/day-series.ts'
import { type Stretch, viewOf } from '../state/stretch.ts'

export interface Pointed {
  atMs: number
  mid: number
  low: number
  high: number
}

export interface CurveProps {
  metric: string
  series: Series
  sums: Summary | null
  stretch: Stretch
  zone: string
  nowMs: number
  /** Instants at which something was done. */
  marksMs?: readonly number[]
  pointed: Signal<Pointed | null>
  label: string
}

const HEIGHT_PX = 264
const HEIGHT_WIDE_PX = 360
const WIDE_PX = 600
const AXIS_FONT = '12px system-ui, sans-serif'

export function Curve(props: CurveProps): JSX.Element {
  const { t } = useApp()
  const box = useRef<HTMLDivElement>(null)
  const { series, stretch, pointed, sums } = props
  const app = useApp()
  useEffect(() => {
    const host = box.current
    if (!host) return
    pointed.value = null
    let plot = draw(host)
    const size = new ResizeObserver(() => plot.setSize(sizeOf(host)))
    size.observe(host)
    const scheme = window.matchMedia('(prefers-color-scheme: dark)')
    const repaint = () => {
      plot.destroy()
      plot = draw(host)
    }
    scheme.addEventListener('change', repaint)
    return () => {
      scheme.removeEventListener('change', repaint)
      size.disconnect()
      plot.destroy()
    }
  }, [series, stretch.fromMs, stretch.span])

  return (
    <div class="curve">
      <Reading {...props} />
      <div ref={box} class="curve-box" role="img" aria-label={props.label} />
      {sums === null && (
        <p class="curve-none">{t(stretch.toMs > props.nowMs ? 'day.noneYet' : 'day.none')}</p>
      )}
    </div>
  )

  function draw(host: HTMLElement): uPlot {
    const data: uPlot.AlignedData = [series.x, series.mid, series.low, series.high]
    return new uPlot(optionsFor(host, props, app.format), data, host)
  }
}

/** The value under the finger, in words; without one, what the curve's scale means. */
function Reading({ metric, pointed, zone, stretch }: CurveProps): JSX.Element {
  const { t, format } = useApp()
  const { value: at } = pointed
  const unit = format.unit(metric)
  if (at === null) {
    return <p class="curve-reading">{format.measured(metric)}</p>
  }
  return (
    <p class="curve-reading">
      <strong>{format.time(at.atMs, zone)}</strong> {format.value(metric, at.mid)} {unit}
      {stretch.span === 'day' && at.low !== at.high && (
        <span class="small">
          {t('day.between', { low: format.value(metric, at.low), high: format.value(metric, at.high) })}
        </span>
      )}
    </p>
  )
}

function optionsFor(host: HTMLElement, props: CurveProps, { time, value }: Format): uPlot.Options {
  const { series, sums, stretch, zone, metric, pointed, nowMs, marksMs = [] } = props
  const colour = (name: string) => getComputedStyle(host).getPropertyValue(name).trim()
  const line = colour('--series-1')
  const view = viewOf(stretch, zone, instant(series.x[0]), instant(series.x.at(-1)))
  const ticks = view.ticks.map((atMs) => atMs / 1000)
  const axis: uPlot.Axis = {
    stroke: colour('--ink-3'),
    font: AXIS_FONT,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  const values = sums ? valueTicks(sums.min, sums.max, leastRange(metric)) : [0, 1]
  const range: [number, number] = [values[0] ?? 0, values.at(-1) ?? 1]
  // Only glucose has another unit; elsewhere the ticks are as fine as the scale.
  const label = (at: number) => (metric === 'glucose' ? value(metric, at) : `${at}`)
  const edge: uPlot.Series = { stroke: 'transparent', points: { show: false } }
  return {
    ...sizeOf(host),
    padding: [10, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 9, fill: line },
      dataIdx: (_plot, _series, closest) => nearestValue(series, closest),
    },
    scales: {
      x: { time: false, range: [view.fromMs / 1000, view.toMs / 1000] },
      y: { range: () => range },
    },
    axes: [
      { ...axis, splits: () => ticks, values: (_plot, at) => at.map((s) => time(s * 1000, zone)), size: 28 },
      { ...axis, show: sums !== null, size: 44, splits: () => values, values: (_plot, at) => at.map(label) },
    ],
    series: [
      {},
      {
        stroke: line,
        width: 1.75,
        spanGaps: false,
        points: { show: true, size: 4, fill: line, stroke: line, filter: () => series.lone },
      },
      edge,
      edge,
    ],
    bands: [{ series: [3, 2], fill: `${line}2e` }],
    hooks: {
      setCursor: [
        (plot) => {
          pointed.value = pointAt(series, plot.cursor.idx)
        },
      ],
      ready: [(plot) => followFinger(plot)],
      drawClear: [
        (plot) => [nowMs, ...marksMs].map((atMs) => mark(plot, atMs / 1000, colour('--line-strong'))),
      ],
    },
  }
}

/** In a hole the nearer end speaks, with its own time. */
function nearestValue({ mid }: Series, index: number): number {
  for (let step = 0; step < mid.length; step += 1) {
    if (mid[index - step] != null) return index - step
    if (mid[index + step] != null) return index + step
  }
  return index
}

function pointAt(series: Series, closest: number | null | undefined): Pointed | null {
  if (closest === null || closest === undefined) return null
  const index = nearestValue(series, closest)
  const [s, mid, low, high] = [series.x[index], series.mid[index], series.low[index], series.high[index]]
  if (s === undefined || mid == null || low == null || high == null) return null
  return { atMs: s * 1000, mid, low, high }
}

function sizeOf({ clientWidth: width }: HTMLElement): { width: number; height: number } {
  return { width, height: width > WIDE_PX ? HEIGHT_WIDE_PX : HEIGHT_PX }
}

function instant(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000
}

/** A calm child must not look like an earthquake: the least height of the value axis. */
function leastRange(metric: string): number {
  const wide: Readonly<Record<string, number>> = { heart_rate: 40, glucose: 80, spo2: 8, rr_interval: 300 }
  return wide[metric] ?? 1
}

/** uPlot listens to a mouse only; a finger that rests a moment and then moves reads the curve. */
function followFinger(plot: uPlot): void {
  const { over } = plot
  const move = (event: TouchEvent) => {
    const [touch] = event.touches
    if (!touch) return
    const { left, top } = over.getBoundingClientRect()
    plot.setCursor({ left: touch.clientX - left, top: touch.clientY - top })
  }
  over.addEventListener('touchstart', move, { passive: true })
  over.addEventListener('touchmove', move, { passive: true })
}

/** Where the present is, so that an empty right half reads as "not yet"; and where something was done. */
function mark(plot: uPlot, atS: number, colour: string): void {
  const { ctx, bbox } = plot
  const x = plot.valToPos(atS, 'x', true)
  if (x <= bbox.left || x >= bbox.left + bbox.width) return
  ctx.save()
  ctx.strokeStyle = colour
  ctx.setLineDash([3 * window.devicePixelRatio, 4 * window.devicePixelRatio])
  ctx.lineWidth = window.devicePixelRatio
  ctx.beginPath()
  ctx.moveTo(x, bbox.top)
  ctx.lineTo(x, bbox.top + bbox.height)
  ctx.stroke()
  ctx.restore()
}
