/** Two weeks of nights under each other: when to bed, when up, how long asleep; nights without a record stay empty. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import type { Night } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { dayPlus, scaleOf } from '../scale.ts'
import { eveningMinute } from './nights.ts'

const ROW_PX = 26
const LEFT_PX = 60
const RIGHT_PX = 86
const AXIS_PX = 24
const NIGHTS = 14

export function NightsFigure({ nights, today }: { nights: readonly Night[]; today: string }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { person } = useHealth()
  const zone = person.timezone
  const days = Array.from({ length: NIGHTS }, (_, index) => dayPlus(today, index + 1 - NIGHTS))
  const rows = days.map((day) => ({ day, night: nights.find(({ wake_date: date }) => date === day) ?? null }))
  const mean = nights.reduce((sum, night) => sum + night.duration_minutes, 0) / nights.length
  return (
    <Figure
      label={say('sleep.sayNights', {
        name: person.name,
        count: nights.length,
        of: NIGHTS,
        mean: format.span(mean * 60_000),
      })}
      table={{
        caption: say('sleep.nights', { count: NIGHTS }),
        head: [say('table.day'), say('sleep.toBed'), say('sleep.up'), say('sleep.slept')],
        rows: rows.map(({ day, night }) =>
          night
            ? [
                format.day(day),
                format.time(Date.parse(night.sleep_start), zone),
                format.time(Date.parse(night.sleep_end), zone),
                format.span(night.duration_minutes * 60_000),
              ]
            : [format.day(day), '–', '–', '–'],
        ),
        none: '',
      }}
      aside={<span class="small">{say('sleep.mean', { mean: format.span(mean * 60_000) })}</span>}
    >
      {(width) => {
        const places = nights.flatMap((night) => {
          const from = eveningMinute(Date.parse(night.sleep_start), zone)
          const length = (Date.parse(night.sleep_end) - Date.parse(night.sleep_start)) / 60_000
          return [{ night, from, to: from + length }]
        })
        const low = Math.floor(Math.min(...places.map(({ from }) => from)) / 120) * 120
        const high = Math.ceil(Math.max(...places.map(({ to }) => to)) / 120) * 120
        const x = scaleOf(low, high, LEFT_PX, width - RIGHT_PX)
        const height = NIGHTS * ROW_PX + AXIS_PX
        const stepMin = (high - low) / 60 > (width - LEFT_PX - RIGHT_PX) / 26 ? 240 : 120
        const hours = Array.from(
          { length: Math.floor((high - low) / stepMin) + 1 },
          (_, index) => low + index * stepMin,
        )
        return (
          <svg width={width} height={height} aria-hidden="true">
            <g class="axis">
              {hours.map((minute) => (
                <g key={minute}>
                  <line class="grid-line" x1={x(minute)} x2={x(minute)} y1={0} y2={height - AXIS_PX} />
                  <text x={x(minute)} y={height - 8} text-anchor="middle">
                    {String(((minute / 60 + 18) % 24) | 0).padStart(2, '0')}
                  </text>
                </g>
              ))}
            </g>
            {rows.map(({ day, night }, index) => {
              const middle = index * ROW_PX + ROW_PX / 2
              const place = places.find((one) => one.night === night)
              return (
                <g key={day}>
                  <text class="row-name" x={0} y={middle + 4}>
                    {format.day(day).replace(/ \w+$/, '')}
                  </text>
                  {place ? (
                    <>
                      <line class="night-bar" x1={x(place.from)} x2={x(place.to)} y1={middle} y2={middle} />
                      <circle class="night-end" cx={x(place.from)} cy={middle} r={4.5} />
                      <circle class="night-end" cx={x(place.to)} cy={middle} r={4.5} />
                      <text class="row-value" x={width} y={middle + 4} text-anchor="end">
                        {format.span(place.night.duration_minutes * 60_000)}
                      </text>
                    </>
                  ) : (
                    <text class="row-none" x={width} y={middle + 4} text-anchor="end">
                      {say('sleep.none')}
                    </text>
                  )}
                </g>
              )
            })}
          </svg>
        )
      }}
    </Figure>
  )
}
