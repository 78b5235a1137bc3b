/** What pushes the indicator up or down, as bars to both sides of nothing. */
import type { JSX } from 'preact'
import type { Overload } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { scaleOf } from '../scale.ts'

const ROW_PX = 52
const SIDE_PX = 52

export function PartsFigure({ found }: { found: Overload }): JSX.Element {
  const say = useSay()
  const { person } = useHealth()
  const factors = found.factors.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
  const most = Math.max(5, ...factors.map(({ contribution }) => Math.abs(contribution)))
  const height = factors.length * ROW_PX + 20
  return (
    <Figure
      label={say('overload.sayParts', {
        name: person.name,
        parts: factors.map(({ label, contribution }) => `${label} ${signed(contribution)}`).join(', '),
      })}
      table={{
        caption: say('overload.parts'),
        head: [say('table.what'), say('overload.points'), say('overload.deviation'), say('overload.weight')],
        rows: factors.map(({ label, contribution, z, weight }) => [
          label,
          signed(contribution),
          signed(z),
          `${Math.round(weight * 100)} %`,
        ]),
        none: '',
      }}
    >
      {(width) => {
        const x = scaleOf(-most, most, SIDE_PX, width - SIDE_PX)
        return (
          <svg width={width} height={height} aria-hidden="true">
            <g class="axis">
              <text x={x(0) - 8} y={11} text-anchor="end">
                ← {say('overload.down')}
              </text>
              <text x={x(0) + 8} y={11}>
                {say('overload.up')} →
              </text>
            </g>
            {factors.map(({ factor, label, contribution }, index) => {
              const top = 20 + index * ROW_PX
              const [from, to] = [Math.min(x(0), x(contribution)), Math.max(x(0), x(contribution))]
              return (
                <g key={factor}>
                  <text class="part-name" x={width / 2} y={top + 15} text-anchor="middle">
                    {label}
                  </text>
                  <line class="zero" x1={x(0)} x2={x(0)} y1={top + 20} y2={top + 44} />
                  <rect
                    class={contribution > 0 ? 'part-up' : 'part-down'}
                    x={from}
                    y={top + 23}
                    width={Math.max(2, to - from)}
                    height={18}
                    rx={3}
                  />
                  <text
                    class="part-value"
                    x={contribution > 0 ? to + 6 : from - 6}
                    y={top + 37}
                    text-anchor={contribution > 0 ? 'start' : 'end'}
                  >
                    {signed(contribution)}
                  </text>
                </g>
              )
            })}
          </svg>
        )
      }}
    </Figure>
  )
}

export function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`
}
