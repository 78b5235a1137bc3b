/** Whose pictures a camera takes, and whether they are looked at: the same questions when adding and when changing. */
import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Notice } from '../../../parts/feedback.tsx'
import { Checks, Choice } from '../../../parts/fields.tsx'
import { useTraining } from '../training.ts'

export interface PeopleAndLookingProps {
  people: Signal<readonly string[]>
  analyse: Signal<'yes' | 'no'>
}

export function PeopleAndLooking({ people, analyse }: PeopleAndLookingProps): JSX.Element {
  const { household } = useApp()
  const { w } = useTraining()
  const known = household.people.state.value.value ?? []
  return (
    <>
      {known.length === 0 ? (
        <p class="small">{w('keep.nobody')}</p>
      ) : (
        <div class="with-hint">
          <Checks
            legend={w('keep.people')}
            values={people}
            options={known.map(({ id, name }) => ({ value: id, label: name }))}
          />
          <p class="hint">{w('keep.peopleText')}</p>
        </div>
      )}
      <Choice
        legend={w('keep.analyse')}
        value={analyse}
        options={[
          { value: 'yes', label: w('keep.analyseOn'), text: w('keep.analyseOnText') },
          { value: 'no', label: w('keep.analyseOff'), text: w('keep.analyseOffText') },
        ]}
      />
      <Notice tone="watch" icon="shield">
        {w('keep.privacy')}
      </Notice>
    </>
  )
}
