/** The overload indicator with everything it is made of, in the words that the hub gives it. */
import type { JSX } from 'preact'
import { hasRole, isOwner, useApp } from '../../../app.ts'
import { ErrorLine, useAction } from '../../../parts/action.tsx'
import { Empty, errorText } from '../../../parts/feedback.tsx'
import { Section } from '../../../parts/screen.tsx'
import type { Overload } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { type Kept, Known, useKept } from '../kept.tsx'
import { CourseFigure } from './course-figure.tsx'
import { PartsFigure } from './parts-figure.tsx'

export function OverloadPage(): JSX.Element {
  const { api } = useApp()
  const { person } = useHealth()
  const kept = useKept(`overload.${person.id}`, '28', () =>
    api.get<Overload>(`/people/${encodeURIComponent(person.id)}/burnout?days=28`),
  )
  return <Known of={kept}>{(found) => <Found found={found} of={kept} />}</Known>
}

function Found({ found, of }: { found: Overload; of: Kept<Overload> }): JSX.Element {
  const say = useSay()
  const { format } = useApp()
  if (found.status === 'needs_opt_in') return <OptIn of={of} />
  return (
    <>
      {found.score === null ? (
        <Empty icon="chart" title={say('overload.empty')} text={say('overload.emptyText')} />
      ) : (
        <section class="now overload-now" aria-label={say('screen.overload')}>
          <span class="big">
            <span class="big-number">{Math.round(found.score)}</span>
            <span class="big-unit">{say('overload.of')}</span>
          </span>
          <div class="now-more">
            {found.trend && <strong>{say(`overload.${found.trend}`)}</strong>}
            <span class="small">
              {say('overload.usual', { baseline: found.baseline })}
              {found.as_of && ` · ${say('overload.asOf', { day: format.day(found.as_of) })}`}
            </span>
          </div>
        </section>
      )}
      <p class="overload-note">{found.note}</p>
      {found.factors.length > 0 && (
        <Section title={say('overload.parts')}>
          <div class="day">
            <PartsFigure found={found} />
          </div>
        </Section>
      )}
      <Missing found={found} />
      {found.recommendations.length > 0 && (
        <Section title={say('overload.help')}>
          <ul class="rows">
            {found.recommendations.map(({ text }) => (
              <li key={text} class="row">
                <span class="row-text">{text}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {found.history.some(({ score }) => score !== null) && (
        <Section title={say('overload.course')}>
          <div class="day">
            <CourseFigure found={found} />
          </div>
        </Section>
      )}
      <details class="method">
        <summary>{say('overload.method')}</summary>
        <p>{found.method}</p>
      </details>
    </>
  )
}

function Missing({ found }: { found: Overload }): JSX.Element | null {
  const say = useSay()
  if (found.missing.length === 0) return null
  return (
    <Section title={say('overload.missing')}>
      <ul class="rows">
        {found.missing.map(({ factor, message }) => (
          <li key={factor} class="row">
            <span class="row-text">
              <span class="row-more">{message}</span>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** Of children's days nothing is computed unasked; owners and caregivers may ask. */
function OptIn({ of }: { of: Kept<Overload> }): JSX.Element {
  const app = useApp()
  const { t, api, household } = app
  const { person } = useHealth()
  const say = useSay()
  const action = useAction()
  const mayAsk = isOwner(app) || hasRole(app, ['caregiver'])
  return (
    <Empty
      icon="shield"
      title={say('overload.optIn')}
      text={say('overload.optInText', { name: person.name })}
    >
      {mayAsk && (
        <button
          type="button"
          class="button"
          disabled={action.busy.value}
          onClick={() =>
            void action.run(async () => {
              await api.patch(`/people/${encodeURIComponent(person.id)}`, {
                preferences: { burnout_opt_in: true },
              })
              await Promise.all([household.people.reload(), of.reload()])
            })
          }
        >
          {say('overload.ask')}
        </button>
      )}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
    </Empty>
  )
}
