/** Draws the usual day: median, the middle half and nine tenths of all readings by time of day. */
import type { JSX } from 'preact'
import type { GlucoseSummary, ProfileBin } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { scaleOf } from '../scale.ts'
import { CUTS, glucoseText } from '../units.ts'
import { profileShapes, stretchesOf } from './profile.ts'

const HEIGHT_PX = 280
const LEFT_PX = 38
const RIGHT_PX = 34
const TOP_PX = 8
const AXIS_PX = 24
const FLOOR = 40
const DAY_MIN = 1440

export function ProfileFigure({ summary }: { summary: GlucoseSummary }): JSX.Element {
  const say = useSay()
  const { units, person } = useHealth()
  const unit = units.glucose.value
  const bins = summary.profile ?? []
  const known = stretchesOf(bins).flat()
  const highest = known.reduce(
    (best, bin) => (best === null || bin.p50 > best.p50 ? bin : best),
    known[0] ?? null,
  )
  const lowest = known.reduce(
    (best, bin) => (best === null || bin.p50 < best.p50 ? bin : best),
    known[0] ?? null,
  )
  return (
    <Figure
      label={
        highest && lowest
          ? say('report.sayProfile', {
              name: person.name,
              high: glucoseText(highest.p50, unit),
              highAt: clock(highest.minute_of_day),
              low: glucoseText(lowest.p50, unit),
              lowAt: clock(lowest.minute_of_day),
              unit,
            })
          : say('report.empty')
      }
      table={{
        caption: say('report.profileTable', { unit }),
        head: [say('table.when'), '5 %', '25 %', say('report.median'), '75 %', '95 %'],
        rows: known
          .filter(({ minute_of_day: minute }) => minute % 60 === 0)
          .map((bin) => [
            clock(bin.minute_of_day),
            ...[bin.p5, bin.p25, bin.p50, bin.p75, bin.p95].map((value) => glucoseText(value, unit)),
          ]),
        none: say('report.empty'),
      }}
    >
      {(width) => <Profile bins={bins} width={width} />}
    </Figure>
  )
}

function Profile({ bins, width }: { bins: readonly ProfileBin[]; width: number }): JSX.Element {
  const { units } = useHealth()
  const unit = units.glucose.value
  const most = Math.max(0, ...bins.map(({ p95 }) => p95 ?? 0))
  const ceiling = Math.max(300, Math.ceil((most + 10) / 50) * 50)
  const bottom = HEIGHT_PX - AXIS_PX
  const x = scaleOf(0, DAY_MIN, LEFT_PX, width - RIGHT_PX)
  const y = scaleOf(FLOOR, ceiling, bottom, TOP_PX)
  const across = width - LEFT_PX - RIGHT_PX
  const last = stretchesOf(bins).flat().at(-1)
  return (
    <svg width={width} height={HEIGHT_PX} aria-hidden="true" class="profile">
      <rect class="target" x={LEFT_PX} y={y(CUTS.high)} width={across} height={y(CUTS.low) - y(CUTS.high)} />
      <g class="axis">
        {[CUTS.veryLow, CUTS.low, CUTS.high, CUTS.veryHigh].map((cut) => (
          <g key={cut}>
            <line class="grid-line" x1={LEFT_PX} x2={width - RIGHT_PX} y1={y(cut)} y2={y(cut)} />
            <text x={LEFT_PX - 6} y={y(cut) + 4} text-anchor="end">
              {glucoseText(cut, unit)}
            </text>
          </g>
        ))}
        {[0, 6, 12, 18, 24].map((hour) => (
          <g key={hour}>
            <line class="grid-line" x1={x(hour * 60)} x2={x(hour * 60)} y1={TOP_PX} y2={bottom} />
            <text x={x(hour * 60)} y={bottom + 16} text-anchor="middle">
              {clock((hour % 24) * 60)}
            </text>
          </g>
        ))}
      </g>
      {profileShapes(bins, x, y).map(({ outer, inner, median }) => (
        <g key={median}>
          <path class="outer" d={outer} />
          <path class="inner" d={inner} />
          <path class="median" d={median} />
        </g>
      ))}
      {last && (
        <g class="band-names">
          {apart([last.p95, last.p75, last.p50, last.p25, last.p5].map(y)).map((at, index) => (
            <text key={NAMES[index]} x={width - RIGHT_PX + 4} y={at + 4}>
              {NAMES[index]}
            </text>
          ))}
        </g>
      )}
    </svg>
  )
}

const NAMES = ['95 %', '75 %', '50 %', '25 %', '5 %']
const NAME_PX = 13

/** Places from top to bottom, around the middle one, no closer together than a line of text. */
function apart(places: readonly number[]): number[] {
  const middle = Math.floor(places.length / 2)
  const found = [...places]
  for (let index = middle + 1; index < found.length; index += 1)
    found[index] = Math.max(found[index] ?? 0, (found[index - 1] ?? 0) + NAME_PX)
  for (let index = middle - 1; index >= 0; index -= 1)
    found[index] = Math.min(found[index] ?? 0, (found[index + 1] ?? 0) - NAME_PX)
  return found
}

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
