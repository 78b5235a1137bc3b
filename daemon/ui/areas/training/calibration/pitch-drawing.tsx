/** A pitch from above, with a button on every spot that one can choose. */
import type { JSX } from 'preact'
import { boxesOf, isSame, type Pitch, type Spot, type Tapped } from './pitch.ts'
import { useCalibrationWords } from './spot-name.ts'

export interface PitchDrawingProps {
  pitch: Pitch
  spots: readonly Spot[]
  chosen: Spot | null
  tapped: readonly Tapped[]
  onChoose: (spot: Spot) => void
}

export function PitchDrawing({ pitch, spots, chosen, tapped, onChoose }: PitchDrawingProps): JSX.Element {
  const { w, nameOf } = useCalibrationWords()
  return (
    <fieldset class="pitch" aria-label={w('calibrate.drawing')}>
      <div class="pitch-inner" style={{ aspectRatio: `${pitch.length} / ${pitch.width}` }}>
        <svg viewBox={`0 0 ${pitch.length} ${pitch.width}`} aria-hidden="true" focusable="false">
          <PitchLines pitch={pitch} />
        </svg>
        {spots.map((spot) => {
          const number = tapped.findIndex(({ metres }) => isSame(metres, spot.metres)) + 1
          return (
            <button
              key={`${spot.metres.x} ${spot.metres.y}`}
              type="button"
              class={number > 0 ? 'spot done' : 'spot'}
              style={{
                insetInlineStart: `${(spot.metres.x / pitch.length) * 100}%`,
                insetBlockStart: `${(1 - spot.metres.y / pitch.width) * 100}%`,
              }}
              aria-label={nameOf(spot)}
              aria-pressed={chosen !== null && isSame(chosen.metres, spot.metres)}
              onClick={() => onChoose(spot)}
            >
              <span data-number={number > 0 ? number : ''} />
            </button>
          )
        })}
      </div>
    </fieldset>
  )
}

/** The lines of a pitch in metres, the far side on top. */
export function PitchLines({ pitch }: { pitch: Pitch }): JSX.Element {
  const { length, width } = pitch
  const circle = Math.min(9.15, width / 5)
  return (
    <g class="pitch-lines">
      <rect x={0} y={0} width={length} height={width} />
      <line x1={length / 2} x2={length / 2} y1={0} y2={width} />
      <circle cx={length / 2} cy={width / 2} r={circle} />
      {boxesOf(pitch).map((box) => (
        <rect key={box.x} {...box} />
      ))}
    </g>
  )
}
