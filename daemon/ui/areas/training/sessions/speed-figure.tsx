/** A player's speed over the session, with the moment that all of the review shares. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { Figure } from '../../health/parts/figure.tsx'
import { type Frame, lineThrough, type Scale, scaleOf } from '../../health/scale.ts'
import type { Speed } from './answers.ts'
import { clockOf, kmh, useSessionWords } from './sessions.ts'

const HEIGHT = 200
/** So that a walk does not look like a sprint. */
const LEAST_TOP_KMH = 10
const TICK_KMH = 5

export interface SpeedFigureProps {
  speed: Speed
  name: string
  fromMs: number
  toMs: number
  moment: Signal<number>
}

export function SpeedFigure({ speed, name, fromMs, toMs, moment }: SpeedFigureProps): JSX.Element {
  const w = useSessionWords()
  const points = pointsOf(speed)
  const top = Math.max(0, ...points.map(({ value }) => value ?? 0))
  if (speed.from === null) return <p class="small">{w('review.speedNone')}</p>
  const frameOf = (width: number): Frame => ({
    ...{ width, height: HEIGHT, left: 34, right: 8, top: 10, bottom: 24 },
  })
  const xOf = (frame: Frame) => scaleOf(fromMs, toMs, frame.left, frame.width - frame.right)
  return (
    <Figure
      label={w('review.speedText', { name, max: top })}
      table={{
        caption: w('review.speedOf', { name }),
        head: [w('review.at'), w('kpi.kmh')],
        rows: points.map(({ atMs, value }) => [clockOf((atMs - fromMs) / 1000), value ?? w('kpi.none')]),
        none: w('review.speedNone'),
      }}
      onPoint={(at, width) => {
        if (at === null) return
        const atMs = Math.round(xOf(frameOf(width)).invert(at) / 1000) * 1000
        moment.value = Math.min(toMs, Math.max(fromMs, atMs))
      }}
    >
      {(width) => {
        const frame = frameOf(width)
        const x = xOf(frame)
        const y = scaleOf(0, Math.max(LEAST_TOP_KMH, top), HEIGHT - frame.bottom, frame.top)
        return (
          <svg width={width} height={HEIGHT} aria-hidden="true">
            <Axes {...{ frame, x, y, fromMs, toMs }} top={Math.max(LEAST_TOP_KMH, top)} />
            {pieces(points).map((piece) => (
              <path
                key={piece[0]?.atMs}
                class="speed-line"
                d={lineThrough(piece.map(({ atMs, value }) => ({ x: x(atMs), y: y(value ?? 0) })))}
              />
            ))}
            <line
              class="moment-line"
              x1={x(moment.value)}
              x2={x(moment.value)}
              y1={frame.top}
              y2={HEIGHT - frame.bottom}
            />
          </svg>
        )
      }}
    </Figure>
  )
}

interface SpeedPoint {
  atMs: number
  /** km/h; null: not seen. */
  value: number | null
}

function pointsOf({ from, t_ms: times, max }: Speed): SpeedPoint[] {
  if (from === null) return []
  const fromMs = Date.parse(from)
  return times.map((ms, index) => {
    const mps = max[index] ?? null
    return { atMs: fromMs + ms, value: mps === null ? null : kmh(mps) }
  })
}

/** Runs of points that were seen: nothing is drawn across a time when nobody looked. */
export function pieces<Point extends { value: number | null }>(points: readonly Point[]): Point[][] {
  const found: Point[][] = []
  let isOpen = false
  for (const point of points) {
    if (point.value !== null && isOpen) found.at(-1)?.push(point)
    else if (point.value !== null) found.push([point])
    isOpen = point.value !== null
  }
  return found
}

interface AxesProps {
  frame: Frame
  x: Scale
  y: Scale
  fromMs: number
  toMs: number
  top: number
}

function Axes({ frame, x, y, fromMs, toMs, top }: AxesProps): JSX.Element {
  const bottom = frame.height - frame.bottom
  const ticks = Array.from({ length: Math.floor(top / TICK_KMH) + 1 }, (_, index) => index * TICK_KMH)
  return (
    <g class="axis">
      {ticks.map((value) => (
        <g key={value}>
          <line
            class="grid-line"
            x1={frame.left}
            x2={frame.width - frame.right}
            y1={y(value)}
            y2={y(value)}
          />
          <text x={frame.left - 6} y={y(value) + 4} text-anchor="end">
            {value}
          </text>
        </g>
      ))}
      {[0, 0.5, 1].map((share) => {
        const atMs = fromMs + share * (toMs - fromMs)
        return (
          <text
            key={share}
            x={x(atMs)}
            y={bottom + 17}
            text-anchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}
          >
            {clockOf((atMs - fromMs) / 1000)}
          </text>
        )
      })}
    </g>
  )
}
