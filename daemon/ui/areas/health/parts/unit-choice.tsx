/** Which unit this account reads glucose in. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { errorText } from '../../../parts/feedback.tsx'
import { useHealth, useSay } from '../health.ts'
import type { GlucoseUnit } from '../units.ts'

const UNITS: readonly GlucoseUnit[] = ['mg/dL', 'mmol/L']

export function UnitChoice(): JSX.Element {
  const { t } = useApp()
  const { units } = useHealth()
  const say = useSay()
  const action = useAction()
  return (
    <div class="unit-choice">
      <fieldset class="segments">
        <legend class="visually-hidden">{say('unit.choose')}</legend>
        {UNITS.map((unit) => (
          <button
            key={unit}
            type="button"
            aria-pressed={units.glucose.value === unit}
            onClick={() => void action.run(() => units.choose(unit))}
          >
            {unit}
          </button>
        ))}
      </fieldset>
      <span class="small">{say('unit.hint')}</span>
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </div>
  )
}
