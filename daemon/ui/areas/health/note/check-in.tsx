/** How somebody feels, in twenty seconds: a face with its word, energy, and a few words if there are any. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useId } from 'preact/hooks'
import { useApp } from '../../../app.ts'
import type { Outbox } from '../../../offline/outbox.ts'
import { Form, useAction } from '../../../parts/action.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { Journal, Mood } from '../answers.ts'
import { FACES, type Face, faceOf, ratingOf } from '../faces.ts'
import { useHealth, useSay } from '../health.ts'
import { Known, useKept } from '../kept.tsx'
import { useToday } from '../parts/day-step.tsx'
import { Chips, NoteField } from './inputs.tsx'
import { useTelling, Waiting } from './telling.tsx'

const ENERGIES = ['1', '2', '3', '4', '5'] as const
type Step = (typeof ENERGIES)[number]

export function CheckIn(): JSX.Element {
  const { clock } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const { outbox, tell } = useTelling()
  const face = useSignal<Face | ''>('')
  const energy = useSignal<Step | ''>('')
  const soreness = useSignal<Step | ''>('')
  const night = useSignal<Step | ''>('')
  const journal = useJournal(outbox)
  const notes = useSignal('')
  const done = useSignal(false)
  const action = useAction()
  return (
    <>
      <div class="day check-in">
        <h2>{say('mood.ask', { name: person.name })}</h2>
        <Form
          action={action}
          submit={say('mood.submit')}
          disabled={face.value === ''}
          onSubmit={async () => {
            if (face.value === '') return
            const text = notes.value.trim()
            await tell('mood', {
              timestamp: new Date(clock.nowMs()).toISOString(),
              rating: ratingOf(face.value),
              ...(energy.value === '' ? {} : { context: { energy: Number(energy.value) } }),
              ...(text === '' ? {} : { notes: text }),
            })
            const felt = {
              ...(energy.value === '' ? {} : { energy: ofTen(energy.value) }),
              ...(soreness.value === '' ? {} : { soreness: ofTen(soreness.value) }),
              ...(night.value === '' ? {} : { sleep_feeling: ofTen(night.value) }),
            }
            if (Object.keys(felt).length > 0) await tell('journal', journal(felt))
            face.value = ''
            energy.value = ''
            soreness.value = ''
            night.value = ''
            notes.value = ''
            done.value = true
          }}
        >
          <Faces
            chosen={face.value}
            onChoose={(chosen) => {
              face.value = chosen
              done.value = false
            }}
          />
          <Chips
            legend={say('mood.night')}
            value={night}
            even
            options={ENERGIES.map((value) => ({ value, label: say(`night.${value}`) }))}
          />
          <Chips
            legend={say('mood.energy')}
            value={energy}
            even
            options={ENERGIES.map((value) => ({ value, label: say(`energy.${value}`) }))}
          />
          <Chips
            legend={say('mood.soreness')}
            value={soreness}
            even
            options={ENERGIES.map((value) => ({ value, label: say(`soreness.${value}`) }))}
          />
          <NoteField label={say('mood.notes')} value={notes} placeholder={say('mood.notesHint')} />
        </Form>
        {done.value && outbox && (
          <p class="done" role="status">
            {say(outbox.letters.value.length > 0 ? 'mood.waiting' : 'mood.done')}
          </p>
        )}
      </div>
      <Waiting outbox={outbox} />
      <Earlier sent={outbox?.sent.value ?? 0} />
    </>
  )
}

/** Five steps on the hub's scale of 0 to 10. */
function ofTen(step: Step): number {
  return (Number(step) - 1) * 2.5
}

/** Check-ins write a journal of their own, so that what others tell of the day stays as it is. */
const SOURCE = 'check_in'

/** Makes today's journal entry anew with what was told earlier today, here or at the hub. */
function useJournal(outbox: Outbox | null): (felt: object) => object {
  const { api } = useApp()
  const { person } = useHealth()
  const today = useToday()
  const kept = useKept(`journal.${person.id}`, today, () =>
    api.get<Journal[]>(`/journal?person_id=${encodeURIComponent(person.id)}&from=${today}&to=${today}`),
  )
  return (felt) => {
    const known = kept.state.peek().value?.find(({ source }) => source === SOURCE)
    const waiting = outbox?.letters
      .peek()
      .findLast((one) => one.kind === 'journal' && one.personId === person.id)
    const before = waiting && 'date' in waiting.body && waiting.body.date === today ? waiting.body : {}
    return {
      date: today,
      source: SOURCE,
      ...(known?.energy == null ? {} : { energy: known.energy }),
      ...(known?.soreness == null ? {} : { soreness: known.soreness }),
      ...(known?.sleep_feeling == null ? {} : { sleep_feeling: known.sleep_feeling }),
      ...before,
      ...felt,
    }
  }
}

function Faces({ chosen, onChoose }: { chosen: Face | ''; onChoose: (face: Face) => void }): JSX.Element {
  const name = useId()
  const say = useSay()
  return (
    <fieldset class="faces">
      <legend class="visually-hidden">{say('mood.face')}</legend>
      {FACES.map((face) => (
        <label key={face} class="face">
          <input
            type="radio"
            name={name}
            value={face}
            checked={chosen === face}
            onChange={() => onChoose(face)}
          />
          <FaceIcon face={face} />
          <span>{say(`face.${face}`)}</span>
        </label>
      ))}
    </fieldset>
  )
}

const MOUTHS: Readonly<Record<Face, string>> = {
  awful: 'M14 31c3-6 13-6 16 0',
  low: 'M15 29.500c3-3 11-3 14 0',
  okay: 'M15 28.500h14',
  good: 'M15 27c3 3.500 11 3.500 14 0',
  great: 'M13.500 25.500c2 8.500 15 8.500 17 0z',
}

export function FaceIcon({ face }: { face: Face }): JSX.Element {
  return (
    <svg class={`face-icon face-${face}`} width="44" height="44" viewBox="0 0 44 44" aria-hidden="true">
      <circle cx="22" cy="22" r="19.500" />
      <path d="M15.500 16v2.500M28.500 16v2.500" />
      <path d={MOUTHS[face]} />
    </svg>
  )
}

const SHOWN = 14

function Earlier({ sent }: { sent: number }): JSX.Element {
  const { api, format, clock } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const kept = useKept(`mood.${person.id}`, 'last', () =>
    api.get<Mood[]>(`/mood?person_id=${encodeURIComponent(person.id)}&per_page=${SHOWN}`),
  )
  useEffect(() => {
    if (sent > 0) void kept.reload()
  }, [sent])
  return (
    <Section title={say('mood.earlier')}>
      <Known of={kept}>
        {(moods) =>
          moods.length === 0 ? (
            <p class="small">{say('mood.none')}</p>
          ) : (
            <ul class="rows">
              {moods.map(({ id, timestamp, rating, notes, context }) => (
                <li key={id} class="row">
                  <FaceIcon face={faceOf(rating)} />
                  <span class="row-text">
                    <span class="row-title">{say(`face.${faceOf(rating)}`)}</span>
                    <span class="row-more">
                      {format.moment(Date.parse(timestamp), person.timezone, clock.nowMs())}
                      {energyOf(context)}
                    </span>
                    {notes !== null && <span class="row-more">{notes}</span>}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Known>
    </Section>
  )

  function energyOf(context: Mood['context']): string {
    const energy = ENERGIES.find((one) => one === String(context?.['energy']))
    return energy === undefined ? '' : ` · ${say('mood.energy')}: ${say(`energy.${energy}`)}`
  }
}
