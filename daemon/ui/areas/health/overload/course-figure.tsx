/** Four weeks of the indicator; days it could not be made for stay open. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import type { Overload } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { lineThrough, type Point, scaleOf } from '../scale.ts'

const HEIGHT_PX = 190
const LEFT_PX = 30
const RIGHT_PX = 26
const AXIS_PX = 24
const LABELLED = [0, 25, 50, 75, 100]

export function CourseFigure({ found }: { found: Overload }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { person } = useHealth()
  const { history, baseline } = found
  const known = history.filter((day): day is { date: string; score: number } => day.score !== null)
  const scores = known.map(({ score }) => score)
  return (
    <Figure
      label={say('overload.sayCourse', {
        name: person.name,
        count: known.length,
        of: history.length,
        low: Math.round(Math.min(...scores)),
        high: Math.round(Math.max(...scores)),
      })}
      table={{
        caption: say('overload.course'),
        head: [say('table.day'), say('screen.overload')],
        rows: history.map(({ date, score }) => [format.day(date), score === null ? '–' : Math.round(score)]),
        none: say('overload.empty'),
      }}
    >
      {(width) => {
        const x = scaleOf(0, Math.max(1, history.length - 1), LEFT_PX, width - RIGHT_PX)
        const y = scaleOf(0, 100, HEIGHT_PX - AXIS_PX, 8)
        return (
          <svg width={width} height={HEIGHT_PX} aria-hidden="true">
            <g class="axis">
              {LABELLED.map((score) => (
                <g key={score}>
                  <line
                    class={score === baseline ? 'grid-line usual' : 'grid-line'}
                    x1={LEFT_PX}
                    x2={width - RIGHT_PX}
                    y1={y(score)}
                    y2={y(score)}
                  />
                  <text x={LEFT_PX - 6} y={y(score) + 4} text-anchor="end">
                    {score}
                  </text>
                </g>
              ))}
              {history.map(
                ({ date }, index) =>
                  (history.length - 1 - index) % 7 === 0 && (
                    <text key={date} x={x(index)} y={HEIGHT_PX - 6} text-anchor="middle">
                      {format.day(date).replace(/^\w+ /, '')}
                    </text>
                  ),
              )}
            </g>
            {runsOf(
              history.map(({ score }, index) => (score === null ? null : { x: x(index), y: y(score) })),
            ).map((run) => (
              <path key={run[0]?.x} class="course" d={lineThrough(run)} />
            ))}
            {history.map(
              ({ date, score }, index) =>
                score !== null && (
                  <circle key={date} class="course-dot" cx={x(index)} cy={y(score)} r={2.5} />
                ),
            )}
          </svg>
        )
      }}
    </Figure>
  )
}

function runsOf(points: readonly (Point | null)[]): Point[][] {
  const runs: Point[][] = []
  let isOpen = false
  for (const point of points) {
    if (point && !isOpen) runs.push([])
    if (point) runs.at(-1)?.push(point)
    isOpen = point !== null
  }
  return runs
}
