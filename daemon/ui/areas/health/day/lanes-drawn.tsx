/** Draws a day's lanes under each other, each with its name above it and the hours below all of them. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { useSay } from '../health.ts'
import { NowLine, TimeAxis } from '../parts/time-axis.tsx'
import { bandBetween, type Frame, lineThrough, type Scale, scaleOf } from '../scale.ts'
import { STAGES, type StageSpan } from '../sleep/nights.ts'
import { type GlucoseUnit, glucoseText } from '../units.ts'
import { type Mark, type MarkKind, type Span, type SpanKind, unbroken, type Values } from './lanes.ts'

export interface LaneSet {
  fromMs: number
  toMs: number
  zone: string
  unit: GlucoseUnit
  spans: { kind: SpanKind; items: Span[] }[]
  lines: Values[]
  steps: Values | null
  marks: { kind: MarkKind; items: Mark[] }[]
}

export interface LanesProps {
  set: LaneSet
  width: number
  pointedMs: Signal<number | null>
  nowMs: number
}

const NAME_PX = 20
const SPAN_PX = 26
const LINE_PX = 46
const MARK_PX = 24
const GAP_PX = 10
const AXIS_PX = 24
const SIDE_PX = 4
/** A character of the small text, on average. */
const LETTER_PX = 7.5

/** The instant under a place of the drawing. */
export function placeOf(set: LaneSet, x: number, width: number): number {
  const at = scaleOf(set.fromMs, set.toMs, SIDE_PX, width - SIDE_PX).invert(x)
  return Math.min(set.toMs - 1, Math.max(set.fromMs, at))
}

type Drawn = { name: string; height: number; draw: (top: number) => JSX.Element }

export function Lanes({ set, width, pointedMs, nowMs }: LanesProps): JSX.Element {
  const { format } = useApp()
  const say = useSay()
  const x = scaleOf(set.fromMs, set.toMs, SIDE_PX, width - SIDE_PX)
  const lanes: Drawn[] = [
    ...set.spans.map(({ kind, items }) => ({
      name: say(`lane.${kind}`),
      height: SPAN_PX,
      draw: (top: number) => <Spans items={items} kind={kind} top={top} x={x} />,
    })),
    ...set.lines.map((values, index) => ({
      name: nameOf(values),
      height: LINE_PX,
      draw: (top: number) => <Line values={values} series={index + 1} top={top} x={x} />,
    })),
    ...(set.steps
      ? [
          {
            name: `${format.metric('steps')} · ${total(set.steps).toLocaleString()}`,
            height: LINE_PX - 12,
            draw: (top: number) =>
              set.steps && <Bars values={set.steps} top={top} height={LINE_PX - 12} x={x} />,
          } as Drawn,
        ]
      : []),
    ...set.marks.map(({ kind, items }) => ({
      name: say(`lane.${kind}`),
      height: MARK_PX,
      draw: (top: number) => <Marks items={items} top={top} x={x} width={width} />,
    })),
  ]
  const height = lanes.reduce((sum, lane) => sum + NAME_PX + lane.height + GAP_PX, 0) + AXIS_PX
  const frame: Frame = { width, height, left: SIDE_PX, right: SIDE_PX, top: NAME_PX, bottom: AXIS_PX }
  let top = 0
  return (
    <svg width={width} height={height} aria-hidden="true">
      <TimeAxis frame={frame} x={x} fromMs={set.fromMs} toMs={set.toMs} zone={set.zone} />
      {lanes.map(({ name, height: laneHeight, draw }) => {
        const from = top
        top += NAME_PX + laneHeight + GAP_PX
        return (
          <g key={name}>
            <text class="lane-name" x={SIDE_PX} y={from + 14}>
              {name}
            </text>
            {draw(from + NAME_PX)}
          </g>
        )
      })}
      <NowLine frame={frame} x={x} nowMs={nowMs} />
      <Pointer at={pointedMs} x={x} frame={frame} />
    </svg>
  )

  function nameOf({ metric, points }: Values): string {
    const written = (value: number) =>
      metric === 'glucose' ? glucoseText(value, set.unit) : format.value(metric, value)
    const low = written(Math.min(...points.map(({ min }) => min)))
    const high = written(Math.max(...points.map(({ max }) => max)))
    const unit = metric === 'glucose' ? set.unit : format.unit(metric)
    return `${format.metric(metric)} · ${low}–${high} ${unit}`.trim()
  }
}

function total({ points }: Values): number {
  return Math.round(points.reduce((sum, point) => sum + point.sum, 0))
}

function Pointer({
  at,
  x,
  frame,
}: {
  at: Signal<number | null>
  x: Scale
  frame: Frame
}): JSX.Element | null {
  if (at.value === null) return null
  const place = x(at.value)
  return <line class="pointer" x1={place} x2={place} y1={frame.top} y2={frame.height - frame.bottom} />
}

function Spans({ items, kind, top, x }: { items: Span[]; kind: string; top: number; x: Scale }): JSX.Element {
  return (
    <>
      {items.map(({ fromMs, toMs, text, stages = [] }) => {
        const [from, to] = [x(fromMs), x(toMs)]
        const hasRoom = text.length * LETTER_PX + 12 < to - from
        const words = hasRoom && stages.length === 0 ? text : ''
        return (
          <g key={`${fromMs}${text}`}>
            <rect
              class={`span span-${kind}`}
              x={from}
              y={top}
              width={Math.max(3, to - from)}
              height={SPAN_PX}
              rx={5}
            />
            <text class={`span-text span-text-${kind}`} x={from + 7} y={top + 18}>
              {words}
            </text>
            <path class="span-stages" d={stepsThrough(stages, top, x)} />
          </g>
        )
      })}
    </>
  )
}

/** A night's stages as steps, awake at the top and deep at the bottom. */
function stepsThrough(stages: readonly StageSpan[], top: number, x: Scale): string {
  const apart = (SPAN_PX - 8) / (STAGES.length - 1)
  return stages
    .map(({ stage, fromMs, toMs }, index) => {
      const y = top + 4 + STAGES.indexOf(stage) * apart
      const joins = index > 0 && stages[index - 1]?.toMs === fromMs
      return `${joins ? 'L' : 'M'}${x(fromMs).toFixed(1)} ${y}H${x(toMs).toFixed(1)}`
    })
    .join('')
}

function Line({
  values,
  series,
  top,
  x,
}: {
  values: Values
  series: number
  top: number
  x: Scale
}): JSX.Element {
  const low = Math.min(...values.points.map(({ min }) => min))
  const high = Math.max(...values.points.map(({ max }) => max))
  const y = scaleOf(low, high, top + LINE_PX - 2, top + 2)
  return (
    <g class={`series-${series}`}>
      {unbroken(values.points).map((part) => {
        const at = (pick: 'mean' | 'min' | 'max') =>
          part.map((point) => ({ x: x(point.atMs), y: y(point[pick]) }))
        const [only] = part
        return (
          <g key={part[0]?.atMs}>
            <path class="band" d={bandBetween(at('max'), at('min'))} />
            {part.length === 1 && only ? (
              <circle class="dot" cx={x(only.atMs)} cy={y(only.mean)} r={2} />
            ) : (
              <path class="line" d={lineThrough(at('mean'))} />
            )}
          </g>
        )
      })}
    </g>
  )
}

interface BarsProps {
  values: Values
  top: number
  height: number
  x: Scale
}

function Bars({ values: { points }, top, height, x }: BarsProps): JSX.Element {
  const most = Math.max(1, ...points.map(({ sum }) => sum))
  const wide = Math.max(1.5, x(15 * 60_000) - x(0) - 1)
  return (
    <>
      {points.map(({ atMs, sum }) => {
        const tall = (sum / most) * height
        return (
          <rect
            key={atMs}
            class="bar"
            x={x(atMs) - wide / 2}
            y={top + height - tall}
            width={wide}
            height={tall}
          />
        )
      })}
    </>
  )
}

/** Words stand beside their marks where they do not run into the next. */
function Marks({
  items,
  top,
  x,
  width,
}: {
  items: Mark[]
  top: number
  x: Scale
  width: number
}): JSX.Element {
  const places = items.map((item) => x(item.atMs))
  return (
    <>
      {items.map(({ atMs, text }, index) => {
        const at = places[index] ?? 0
        const room = (places[index + 1] ?? width) - at - 13
        const words = text.length * LETTER_PX < room ? text : ''
        return (
          <g key={`${atMs}${text}`}>
            <circle class="mark-dot" cx={at} cy={top + 11} r={5} />
            <text class="mark-text" x={at + 9} y={top + 15}>
              {words}
            </text>
          </g>
        )
      })}
    </>
  )
}
