/** Where players were: a heat map, and the paths they ran, on the pitch that the camera was calibrated to. */
import type { ComponentChildren, JSX } from 'preact'
import { Figure } from '../../health/parts/figure.tsx'
import { lineThrough } from '../../health/scale.ts'
import type { Pitch } from '../calibration/pitch.ts'
import { PitchLines } from '../calibration/pitch-drawing.tsx'
import type { Heat, Paths } from './answers.ts'
import { clockOf, useNames, useSessionWords } from './sessions.ts'

const COLOURS = 6
const MARGIN_M = 2
/** So many dots side by side fill the drawing, however large the pitch is. */
const DOTS_ACROSS = 80
/** How far from the moment a place may be to be drawn as where somebody is. */
const NEAR_MS = 2_000

interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** The whole pitch, and what lies beside it. */
export function areaOf(pitch: Pitch | null, spread: Area | null): Area {
  const corners = [
    ...(pitch ? [{ x: 0, y: 0, width: pitch.length, height: pitch.width }] : []),
    ...(spread ? [spread] : []),
  ]
  const x = Math.min(...corners.map((one) => one.x)) - MARGIN_M
  const y = Math.min(...corners.map((one) => one.y)) - MARGIN_M
  const right = Math.max(...corners.map((one) => one.x + one.width)) + MARGIN_M
  const top = Math.max(...corners.map((one) => one.y + one.height)) + MARGIN_M
  return { x, y, width: right - x, height: top - y }
}

interface FieldProps {
  pitch: Pitch | null
  area: Area
  width: number
  children: ComponentChildren
}

/** Draws in metres with y growing away from the camera, as the pitch is calibrated. */
function Field({ pitch, area, width, children }: FieldProps): JSX.Element {
  return (
    <svg
      width={width}
      height={(width * area.height) / area.width}
      viewBox={`${area.x} ${-area.y - area.height} ${area.width} ${area.height}`}
      aria-hidden="true"
      class="field-drawing"
    >
      <g transform="scale(1 -1)">
        {pitch && <PitchLines pitch={pitch} />}
        {children}
      </g>
    </svg>
  )
}

export function HeatFigure({ heat, pitch }: { heat: Heat; pitch: Pitch | null }): JSX.Element {
  const w = useSessionWords()
  const { cell_m: cell, x0, y0, columns, rows, seconds } = heat
  const most = Math.max(0, ...seconds)
  if (most === 0) return <p class="small">{w('review.noPlaces')}</p>
  const cells = seconds.flatMap((spent, index) =>
    spent > 0
      ? [{ spent, x: x0 + (index % columns) * cell, y: y0 + Math.floor(index / columns) * cell }]
      : [],
  )
  const [hottest] = [...cells].sort((a, b) => b.spent - a.spent)
  const whole = Math.round(seconds.reduce((sum, spent) => sum + spent, 0))
  return (
    <Figure
      label={w('review.heatText', {
        seconds: whole,
        x: Math.round((hottest?.x ?? 0) + cell / 2),
        y: Math.round((hottest?.y ?? 0) + cell / 2),
      })}
      table={{
        caption: w('review.heat'),
        head: [w('review.along'), w('review.across'), w('review.seconds')],
        rows: [...cells]
          .sort((a, b) => a.spent - b.spent)
          .map(({ x, y, spent }) => [
            `${x} – ${x + cell}`,
            `${y} – ${y + cell}`,
            Math.round(spent * 10) / 10,
          ]),
        none: w('review.noPlaces'),
      }}
      aside={
        <span class="small">
          {w('review.heatMost', { seconds: Math.round(most * 10) / 10, cell })}
          {pitch === null && ` ${w('review.noPitch')}`}
        </span>
      }
    >
      {(width) => (
        <Field
          pitch={pitch}
          area={areaOf(pitch, { x: x0, y: y0, width: columns * cell, height: rows * cell })}
          width={width}
        >
          {cells.map(({ x, y, spent }) => (
            <rect
              key={`${x} ${y}`}
              class="heat-cell"
              {...{ x, y, width: cell, height: cell }}
              opacity={0.15 + 0.85 * Math.sqrt(spent / most)}
            />
          ))}
        </Field>
      )}
    </Figure>
  )
}

export interface PathsFigureProps {
  paths: Paths
  pitch: Pitch | null
  moment: number
}

export function PathsFigure({ paths: { tracks }, pitch, moment }: PathsFigureProps): JSX.Element {
  const w = useSessionWords()
  const nameOf = useNames()
  const drawn = tracks.filter(({ x }) => x.length > 0)
  const spread = spreadOf(drawn)
  if (!spread) return <p class="small">{w('review.noPlaces')}</p>
  const people = [...new Set(drawn.map((track) => whoOf(track)))]
  const whoText = (track: Paths['tracks'][number]) =>
    track.player_id === null ? w('who.number', { track: track.track_id }) : nameOf(track.player_id)
  return (
    <Figure
      label={w('review.tracksText', { count: drawn.length })}
      table={{
        caption: w('review.tracks'),
        head: [w('review.who'), w('kpi.time'), w('review.points')],
        rows: drawn.map((track) => [
          whoText(track),
          clockOf((track.t_ms.at(-1) ?? 0) / 1000),
          track.x.length,
        ]),
        none: w('review.noPlaces'),
      }}
    >
      {(width) => (
        <Field pitch={pitch} area={areaOf(pitch, spread)} width={width}>
          {drawn.map((track) => {
            const at = nearest(track, moment)
            const colour = `var(--series-${(people.indexOf(whoOf(track)) % COLOURS) + 1})`
            const points = track.x.map((x, index) => ({ x, y: track.y[index] ?? 0 }))
            return (
              <g key={`${track.camera_id} ${track.track_id} ${track.from}`}>
                <path class="path-line" stroke={colour} d={lineThrough(points)} />
                {at !== null && (
                  <circle
                    class="path-now"
                    fill={colour}
                    cx={track.x[at]}
                    cy={track.y[at]}
                    r={areaOf(pitch, spread).width / DOTS_ACROSS}
                  />
                )}
              </g>
            )
          })}
        </Field>
      )}
    </Figure>
  )
}

function whoOf({ player_id: personId, camera_id: cameraId, track_id: trackId }: Paths['tracks'][number]) {
  return personId ?? `${cameraId} ${trackId}`
}

function spreadOf(tracks: Paths['tracks']): Area | null {
  const [xs, ys] = [tracks.flatMap(({ x }) => x), tracks.flatMap(({ y }) => y)]
  if (xs.length === 0) return null
  const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b))
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b))
  return { x: least(xs), y: least(ys), width: most(xs) - least(xs), height: most(ys) - least(ys) }
}

/** Index of the place that was nearest in time; null when nobody was there then. */
export function nearest(
  { from, t_ms: times }: Pick<Paths['tracks'][number], 'from' | 't_ms'>,
  momentMs: number,
): number | null {
  const wanted = momentMs - Date.parse(from)
  let best: { index: number; away: number } | null = null
  for (const [index, ms] of times.entries()) {
    const away = Math.abs(ms - wanted)
    if (best === null || away < best.away) best = { index, away }
  }
  return best !== null && best.away <= NEAR_MS ? best.index : null
}
