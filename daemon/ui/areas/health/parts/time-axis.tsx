/** The hours under a drawing, and lines up from them. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { type Frame, hoursApart, type Scale, wallTicks } from '../scale.ts'

export interface TimeAxisProps {
  frame: Frame
  x: Scale
  fromMs: number
  toMs: number
  zone: string
}

export function TimeAxis({ frame, x, fromMs, toMs, zone }: TimeAxisProps): JSX.Element {
  const { format } = useApp()
  const width = frame.width - frame.left - frame.right
  const bottom = frame.height - frame.bottom
  return (
    <g class="axis">
      {wallTicks(fromMs, toMs, zone, hoursApart(toMs - fromMs, width)).map((atMs) => {
        const at = x(atMs)
        const anchor = at < frame.left + 18 ? 'start' : at > frame.width - 20 ? 'end' : 'middle'
        return (
          <g key={atMs}>
            <line class="grid-line" x1={at} x2={at} y1={frame.top} y2={bottom} />
            <text x={at} y={bottom + 16} text-anchor={anchor}>
              {format.time(atMs, zone)}
            </text>
          </g>
        )
      })}
    </g>
  )
}

/** Where the present is, so that an empty right half reads as "not yet". */
export function NowLine({
  frame,
  x,
  nowMs,
}: Pick<TimeAxisProps, 'frame' | 'x'> & { nowMs: number }): JSX.Element | null {
  const at = x(nowMs)
  if (at <= frame.left || at >= frame.width - frame.right) return null
  return <line class="now-line" x1={at} x2={at} y1={frame.top} y2={frame.height - frame.bottom} />
}
