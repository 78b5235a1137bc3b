/** Chooses what glucose is read in: for oneself and, for owners, for the household. */
import type { Signal } from '@preact/signals'
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { GLUCOSE_UNITS, type GlucoseUnit } from '../../domain/glucose-unit.ts'
import { isOwner, useApp } from '../app.ts'
import { Form, useAction } from '../parts/action.tsx'
import { Select } from '../parts/fields.tsx'
import { Section } from '../parts/screen.tsx'

const AS_HOUSEHOLD = 'household'

export function UnitsChoice(): JSX.Element {
  const app = useApp()
  const { t, units, said } = app
  const action = useAction()
  const own: Signal<GlucoseUnit | typeof AS_HOUSEHOLD> = useSignal(units.own.value ?? AS_HOUSEHOLD)
  const all = useSignal<GlucoseUnit>(units.household.value)
  const owner = isOwner(app)
  const options = GLUCOSE_UNITS.map((value) => ({ value, label: value }))
  const chosen = own.value === AS_HOUSEHOLD ? null : own.value
  const sameOwn = chosen === units.own.value
  const sameAll = all.value === units.household.value
  return (
    <Section title={t('units.title')}>
      <Form
        action={action}
        submit={t('action.save')}
        disabled={sameOwn && sameAll}
        onSubmit={async () => {
          if (!sameAll) await units.chooseForAll(all.peek())
          if (!sameOwn) await units.choose(chosen)
          said.value = t('said.saved')
        }}
      >
        {owner && <Select label={t('units.all')} value={all} options={options} hint={t('units.allHint')} />}
        <Select
          label={t('units.own')}
          value={own}
          options={[
            { value: AS_HOUSEHOLD, label: t('units.asAll', { unit: units.household.value }) },
            ...options,
          ]}
        />
      </Form>
    </Section>
  )
}
