/** Time in ranges as one upright bar with its shares written beside it. */
import type { JSX } from 'preact'
import type { GlucoseSummary } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { CUTS, glucoseText } from '../units.ts'
import { labelPlaces, type Stacked, stackOf } from './profile.ts'

const HEIGHT_PX = 260
const BAR_PX = 64

export function RangesFigure({ summary }: { summary: GlucoseSummary }): JSX.Element {
  const say = useSay()
  const { units, person } = useHealth()
  const unit = units.glucose.value
  const cut = (value: number) => glucoseText(value, unit)
  const bounds: Readonly<Record<Stacked['name'], string>> = {
    veryHigh: `> ${cut(CUTS.veryHigh)}`,
    high: `${cut(CUTS.high + 1)}–${cut(CUTS.veryHigh)}`,
    inRange: `${cut(CUTS.low)}–${cut(CUTS.high)}`,
    low: `${cut(CUTS.veryLow)}–${cut(CUTS.low - 1)}`,
    veryLow: `< ${cut(CUTS.veryLow)}`,
  }
  const shares = [
    ['veryHigh', summary.very_high_percent ?? 0],
    ['high', summary.high_percent ?? 0],
    ['inRange', summary.time_in_range_percent ?? 0],
    ['low', summary.low_percent ?? 0],
    ['veryLow', summary.very_low_percent ?? 0],
  ] as const
  const layers = stackOf(shares)
  const written = (percent: number) =>
    `${percent > 0 && percent < 1 ? percent.toFixed(1) : percent.toFixed(0)} %`
  return (
    <Figure
      label={say('report.sayRanges', {
        name: person.name,
        parts: layers.map(({ name, percent }) => `${say(`range.${name}`)} ${written(percent)}`).join(', '),
      })}
      table={{
        caption: say('report.ranges'),
        head: [say('table.range'), unit, say('table.share')],
        rows: layers.map(({ name, percent }) => [say(`range.${name}`), bounds[name], written(percent)]),
        none: '',
      }}
    >
      {(width) => (
        <svg width={width} height={HEIGHT_PX} aria-hidden="true">
          {layers.map(({ name, from, to }) => (
            <rect
              key={name}
              class={`layer zone-${name}`}
              x={0}
              y={from * HEIGHT_PX + (from > 0 ? 1 : 0)}
              width={BAR_PX}
              height={Math.max(0, (to - from) * HEIGHT_PX - 1)}
            />
          ))}
          {labelPlaces(layers, HEIGHT_PX).map(({ layer, y }) => (
            <g key={layer.name}>
              <path
                class="leader"
                d={`M${BAR_PX + 3} ${((layer.from + layer.to) / 2) * HEIGHT_PX}L${BAR_PX + 16} ${y}`}
              />
              <text class="layer-name" x={BAR_PX + 22} y={y - 2}>
                {say(`range.${layer.name}`)} · {written(layer.percent)}
              </text>
              <text class="layer-more" x={BAR_PX + 22} y={y + 14}>
                {bounds[layer.name]} {unit}
              </text>
            </g>
          ))}
        </svg>
      )}
    </Figure>
  )
}
