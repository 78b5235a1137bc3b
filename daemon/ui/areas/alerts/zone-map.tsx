/** Zones on plain ground, without a map of anybody else's: outlines, north up, and a scale bar. */
import type { JSX } from 'preact'
import { useWords } from '../../app.ts'
import { type Corner, type Ground, groundAround } from './ground.ts'
import { words } from './words.ts'

const SIZE = 320
const BAR_Y = SIZE - 16

export interface Outlined {
  id: string
  name: string
  outlines: readonly (readonly Corner[])[]
  isDistressed: boolean
}

interface ZoneMapProps {
  middle: Corner
  metres: number
  zones: readonly Outlined[]
  /** The corners of what is being drawn; with `onTap` the ground takes taps. */
  drawn?: readonly Corner[]
  onTap?: (corner: Corner) => void
}

export function ZoneMap({ middle, metres, zones, drawn = [], onTap }: ZoneMapProps): JSX.Element {
  const say = useWords(words)
  const ground = groundAround(middle, metres, SIZE)
  const label = onTap ? say('zones.mapDraw') : say('zones.map')
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the same corners can be typed below the drawing
    <svg
      class={onTap ? 'ground drawable' : 'ground'}
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="img"
      aria-label={label}
      onClick={(event) => {
        if (!onTap) return
        const box = event.currentTarget.getBoundingClientRect()
        const scale = SIZE / box.width
        onTap(ground.toCorner((event.clientX - box.left) * scale, (event.clientY - box.top) * scale))
      }}
    >
      {zones.map((zone) => (
        <OneZone key={zone.id} zone={zone} ground={ground} />
      ))}
      {drawn.length > 0 && <path class="ground-drawn" d={pathOf(drawn, ground)} />}
      {drawn.map((corner) => {
        const { x, y } = ground.toDrawing(corner)
        return <circle key={corner.join(' ')} class="ground-corner" cx={x} cy={y} r={4} />
      })}
      <Bar ground={ground} />
    </svg>
  )
}

function OneZone({ zone, ground }: { zone: Outlined; ground: Ground }): JSX.Element {
  const first = zone.outlines[0]?.[0]
  const at = first && ground.toDrawing(first)
  return (
    <g>
      <path
        class={zone.isDistressed ? 'ground-zone distressed' : 'ground-zone'}
        d={zone.outlines.map((outline) => pathOf(outline, ground)).join('')}
      />
      {at && (
        <text class="ground-name" x={Math.min(Math.max(at.x, 4), SIZE - 90)} y={Math.max(at.y - 5, 12)}>
          {zone.name}
        </text>
      )}
    </g>
  )
}

function Bar({ ground }: { ground: Ground }): JSX.Element {
  const { metres, length } = ground.bar
  const text = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`
  return (
    <g>
      <path class="ground-bar" d={`M10 ${BAR_Y - 5}V${BAR_Y}H${10 + length}V${BAR_Y - 5}`} />
      <text class="ground-name" x={16 + length} y={BAR_Y}>
        {text}
      </text>
    </g>
  )
}

function pathOf(corners: readonly Corner[], ground: Ground): string {
  const points = corners.map((corner) => {
    const { x, y } = ground.toDrawing(corner)
    return `${x.toFixed(1)} ${y.toFixed(1)}`
  })
  return `M${points.join('L')}Z`
}
