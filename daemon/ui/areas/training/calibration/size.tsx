/** How large the pitch is: a usual size, or one's own. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { Field, Select } from '../../../parts/fields.tsx'
import { PITCHES, type Pitch } from './pitch.ts'
import { useCalibrationWords } from './spot-name.ts'

type Named = keyof typeof PITCHES | 'own'
const NAMES: readonly Named[] = ['full', 'nine', 'seven', 'futsal', 'own']
const METRES = { least: 2, most: 300 } as const

export function PitchSize({ pitch }: { pitch: Signal<Pitch> }): JSX.Element {
  const { w } = useCalibrationWords()
  const named = useSignal<Named>(nameOf(pitch.peek()))
  const length = useSignal(String(pitch.peek().length))
  const width = useSignal(String(pitch.peek().width))
  useEffect(() => {
    if (named.value !== 'own') {
      pitch.value = PITCHES[named.value]
      return
    }
    const own = { length: metresIn(length.value), width: metresIn(width.value) }
    if (own.length !== null && own.width !== null) pitch.value = { length: own.length, width: own.width }
  }, [named.value, length.value, width.value])
  const wrong = (text: string) => (metresIn(text) === null ? w('calibrate.sizeWrong') : undefined)
  return (
    <div class="pitch-size">
      <Select
        label={w('calibrate.pitch')}
        value={named}
        options={NAMES.map((value) => ({ value, label: w(`calibrate.pitch.${value}`) }))}
      />
      {named.value === 'own' && (
        <div class="twin">
          <Field
            label={w('calibrate.length')}
            value={length}
            required
            inputMode="numeric"
            error={wrong(length.value)}
          />
          <Field
            label={w('calibrate.width')}
            value={width}
            required
            inputMode="numeric"
            error={wrong(width.value)}
          />
        </div>
      )}
    </div>
  )
}

function nameOf({ length, width }: Pitch): Named {
  const found = NAMES.find(
    (name) => name !== 'own' && PITCHES[name].length === length && PITCHES[name].width === width,
  )
  return found ?? 'own'
}

function metresIn(text: string): number | null {
  const metres = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && metres >= METRES.least && metres <= METRES.most ? metres : null
}
