/** The spots that were tapped: how far off each one is, moved by a pixel at a time, or taken away. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { Icon } from '../../../parts/icon.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { Place } from './answers.ts'
import { isSame, type Spot, type Tapped } from './pitch.ts'
import { type CalibrationWords, useCalibrationWords } from './spot-name.ts'

export interface SpotsProps {
  tapped: readonly Tapped[]
  chosen: Signal<Spot | null>
  /** One pixel of the picture, in shares of it. */
  step: Place
  /** Puts the chosen spot elsewhere. */
  onMove: (share: Place) => void
  onRemove: (spot: Spot) => void
}

export function Spots({ tapped, chosen, step, onMove, onRemove }: SpotsProps): JSX.Element {
  const { w, nameOf } = useCalibrationWords()
  const current = tapped.find(({ metres }) => chosen.value !== null && isSame(metres, chosen.value.metres))
  return (
    <Section title={w('calibrate.spots')}>
      {current && <Nudge spot={current} step={step} onMove={onMove} />}
      {tapped.length === 0 ? (
        <p class="small">{w('calibrate.none')}</p>
      ) : (
        <ol class="rows spot-list">
          {tapped.map((spot, index) => (
            <li key={`${spot.metres.x} ${spot.metres.y}`} class="spot-row">
              <button
                type="button"
                class="row row-button"
                aria-pressed={spot === current}
                onClick={() => {
                  chosen.value = spot
                }}
              >
                <span class="row-text">
                  <span class="row-title">
                    {index + 1}. {nameOf(spot)}
                  </span>
                  <span class={spot.isInLine || spot.told?.used === false ? 'row-more warn' : 'row-more'}>
                    {errorOf(w, spot)}
                  </span>
                </span>
              </button>
              <button
                type="button"
                class="icon-button"
                aria-label={w('calibrate.take', { spot: nameOf(spot) })}
                onClick={() => onRemove(spot)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ol>
      )}
    </Section>
  )
}

function errorOf(w: CalibrationWords, { told, isInLine, metres }: Tapped): string {
  if (isInLine) return w('calibrate.online')
  if (told === null) return w('calibrate.place', metres)
  if (!told.used) return w('calibrate.unused')
  return told.error_m === null
    ? w('calibrate.errorPx', { px: told.error_px })
    : w('calibrate.error', { px: told.error_px, m: told.error_m })
}

const STEPS = [
  ['left', -1, 0, 'M14.5 5.5 8 12l6.5 6.5'],
  ['up', 0, -1, 'M5.5 14.5 12 8l6.5 6.5'],
  ['down', 0, 1, 'M5.5 9.5 12 16l6.5-6.5'],
  ['right', 1, 0, 'M9.5 5.5 16 12l-6.5 6.5'],
] as const

/** Fingers are wider than lines. */
function Nudge({ spot, step, onMove }: { spot: Tapped } & Pick<SpotsProps, 'step' | 'onMove'>): JSX.Element {
  const { w, nameOf } = useCalibrationWords()
  return (
    <fieldset class="nudge" aria-label={w('calibrate.nudge', { spot: nameOf(spot) })}>
      {STEPS.map(([name, x, y, path]) => (
        <button
          key={name}
          type="button"
          class="icon-button"
          aria-label={w(`calibrate.${name}`)}
          onClick={() =>
            onMove({ x: within(spot.share.x + x * step.x), y: within(spot.share.y + y * step.y) })
          }
        >
          <svg class="icon" width={24} height={24} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={path} />
          </svg>
        </button>
      ))}
    </fieldset>
  )
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share))
}
