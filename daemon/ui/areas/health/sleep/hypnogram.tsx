/** Draws a night's stages as steps, or their shares where only sums are known. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import type { Night } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { Figure } from '../parts/figure.tsx'
import { TimeAxis } from '../parts/time-axis.tsx'
import { type Frame, scaleOf } from '../scale.ts'
import { STAGES, type Stage, type StageSpan } from './nights.ts'

const ROW_PX = 30
const BAR_PX = 18
const LEFT_PX = 52
const RIGHT_PX = 8
const AXIS_PX = 24
const HEIGHT_PX = STAGES.length * ROW_PX + AXIS_PX + 6

export function Hypnogram({ night, stages }: { night: Night; stages: readonly StageSpan[] }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const { person } = useHealth()
  const zone = person.timezone
  const [fromMs, toMs] = [Date.parse(night.sleep_start), Date.parse(night.sleep_end)]
  return (
    <Figure
      label={say('sleep.say', {
        name: person.name,
        from: format.time(fromMs, zone),
        to: format.time(toMs, zone),
        parts: STAGES.map((stage) => `${say(`stage.${stage}`)} ${format.span(lengthOf(stages, stage))}`).join(
          ', ',
        ),
      })}
      table={{
        caption: say('sleep.stages'),
        head: [say('table.when'), say('sleep.stage'), say('sleep.length')],
        rows: stages.map(({ stage, fromMs: from, toMs: to }) => [
          format.time(from, zone),
          say(`stage.${stage}`),
          format.span(to - from),
        ]),
        none: say('sleep.noStages'),
      }}
      aside={<Sums stages={stages} />}
    >
      {(width) => {
        const frame: Frame = {
          width,
          height: HEIGHT_PX,
          left: LEFT_PX,
          right: RIGHT_PX,
          top: 4,
          bottom: AXIS_PX,
        }
        const x = scaleOf(fromMs, toMs, LEFT_PX, width - RIGHT_PX)
        const y = (stage: Stage) => 4 + STAGES.indexOf(stage) * ROW_PX + (ROW_PX - BAR_PX) / 2
        return (
          <svg width={width} height={HEIGHT_PX} aria-hidden="true">
            <TimeAxis {...{ frame, x, fromMs, toMs, zone }} />
            {STAGES.map((stage) => (
              <text key={stage} class="row-name" x={0} y={y(stage) + 14}>
                {say(`stage.${stage}`)}
              </text>
            ))}
            {stages.map((span, index) => {
              const after = stages[index + 1]
              return (
                <g key={span.fromMs}>
                  {after && after.fromMs === span.toMs && (
                    <line
                      class="step"
                      x1={x(span.toMs)}
                      x2={x(span.toMs)}
                      y1={y(span.stage) + BAR_PX / 2}
                      y2={y(after.stage) + BAR_PX / 2}
                    />
                  )}
                  <rect
                    class={`sleep-stage stage-${span.stage}`}
                    x={x(span.fromMs)}
                    y={y(span.stage)}
                    width={Math.max(1.5, x(span.toMs) - x(span.fromMs))}
                    height={BAR_PX}
                    rx={2}
                  />
                </g>
              )
            })}
          </svg>
        )
      }}
    </Figure>
  )
}

function lengthOf(stages: readonly StageSpan[], wanted: Stage): number {
  return stages.reduce((sum, { stage, fromMs, toMs }) => sum + (stage === wanted ? toMs - fromMs : 0), 0)
}

function Sums({ stages }: { stages: readonly StageSpan[] }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  return (
    <ul class="stage-sums">
      {STAGES.map((stage) => (
        <li key={stage}>
          <span class={`swatch stage-${stage}`} />
          {say(`stage.${stage}`)} {format.span(lengthOf(stages, stage))}
        </li>
      ))}
    </ul>
  )
}

/** Sums of stages without their order, as one bar. */
export function StageBar({ night }: { night: Night }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  const minutes: Readonly<Record<Stage, number | null>> = {
    awake: night.awake_minutes,
    rem: night.rem_sleep_minutes,
    light: night.light_sleep_minutes,
    deep: night.deep_sleep_minutes,
  }
  const known = STAGES.flatMap((stage) => (minutes[stage] ? [{ stage, minutes: minutes[stage] ?? 0 }] : []))
  if (known.length === 0) return <p class="small">{say('sleep.noStages')}</p>
  const total = known.reduce((sum, { minutes: one }) => sum + one, 0)
  const words = known.map(
    ({ stage, minutes: one }) => `${say(`stage.${stage}`)} ${format.span(one * 60_000)}`,
  )
  return (
    <Figure
      label={words.join(', ')}
      table={{
        caption: say('sleep.stages'),
        head: [say('sleep.stage'), say('sleep.length')],
        rows: known.map(({ stage, minutes: one }) => [say(`stage.${stage}`), format.span(one * 60_000)]),
        none: say('sleep.noStages'),
      }}
      aside={<span class="small">{words.join(' · ')}</span>}
    >
      {(width) => {
        let at = 0
        return (
          <svg width={width} height={28} aria-hidden="true">
            {known.map(({ stage, minutes: one }) => {
              const from = at
              at += (one / total) * width
              return (
                <rect
                  key={stage}
                  class={`sleep-stage stage-${stage}`}
                  x={from}
                  y={2}
                  width={at - from - 1}
                  height={24}
                />
              )
            })}
          </svg>
        )
      }}
    </Figure>
  )
}
