/** The connection to a WHOOP account: begun at WHOOP's own page, which comes back here with what became of it, fetched from, ended. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Confirm, ErrorLine, useAction } from '../../../parts/action.tsx'
import { Empty, errorText, Notice } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { Link } from '../../../parts/link.tsx'
import { Screen } from '../../../parts/screen.tsx'
import { StateMark, type StateName } from '../../../parts/state-mark.tsx'
import type { WhoopStatus } from '../answers.ts'
import { useHealth, useSay } from '../health.ts'
import { type Kept, Known, useKept } from '../kept.tsx'
import { addressOf } from '../screens.ts'

const STATES: Readonly<Record<WhoopStatus['state'], StateName>> = {
  not_configured: 'none',
  not_connected: 'none',
  connected: 'ok',
  connect_again: 'alert',
}

export function Whoop(): JSX.Element {
  const { api } = useApp()
  const { person } = useHealth()
  const query = `person_id=${encodeURIComponent(person.id)}`
  const kept = useKept(`whoop.${person.id}`, 'status', () =>
    api.get<WhoopStatus>(`/integrations/whoop/status?${query}`),
  )
  return (
    <>
      <Outcome />
      <Known of={kept}>{(status) => <Connection status={status} query={query} of={kept} />}</Known>
    </>
  )
}

const OUTCOMES = ['connected', 'denied', 'used', 'late', 'refused', 'unreachable', 'failed'] as const

/** What became of the sign-in that somebody just comes back from, and what to do next. */
function Outcome(): JSX.Element | null {
  const { router } = useApp()
  const say = useSay()
  const told = router.place.value.query.get('whoop')
  const outcome = OUTCOMES.find((one) => one === told)
  if (outcome === undefined) return null
  const isFine = outcome === 'connected'
  return (
    <Notice tone={isFine ? 'plain' : 'watch'} icon={isFine ? 'check' : 'warning'} live>
      {say(`whoop.back.${outcome}`)}
    </Notice>
  )
}

/** Where somebody comes back to whose sign-in is not known any more: whom it was for has to be chosen. */
export function WhoopBack(): JSX.Element {
  const { household } = useApp()
  const say = useSay()
  const people = household.people.state.value.value ?? []
  return (
    <Screen title={say('screen.whoop')} back="/" narrow>
      <Outcome />
      <p>{say('whoop.back.whose')}</p>
      <ul class="rows">
        {people.map(({ id, name }) => (
          <li key={id}>
            <Link to={addressOf(id, 'whoop')} class="row">
              <span class="row-text">
                <span class="row-title">{name}</span>
              </span>
              <Icon name="next" size={20} />
            </Link>
          </li>
        ))}
      </ul>
    </Screen>
  )
}

interface ConnectionProps {
  status: WhoopStatus
  query: string
  of: Kept<WhoopStatus>
}

function Connection({ status, query, of }: ConnectionProps): JSX.Element {
  const { t, api, format, clock, said } = useApp()
  const { person } = useHealth()
  const say = useSay()
  const action = useAction()
  const page = useSignal<string | null>(null)
  const { state } = status
  if (state === 'not_configured')
    return <Empty icon="integration" title={say('whoop.notSetUp')} text={say('whoop.notSetUpText')} />
  const when = (ts: string | null) =>
    ts === null ? '–' : format.moment(Date.parse(ts), undefined, clock.nowMs())
  return (
    <section class="day">
      <StateMark state={STATES[state]} word={say(`whoop.state.${state}`)} />
      {status.last_error !== null && (
        <Notice tone="alert" icon="warning">
          {status.last_error}
        </Notice>
      )}
      {state === 'not_connected' ? (
        <p>{say('whoop.lead', { name: person.name })}</p>
      ) : (
        <dl class="facts">
          <div>
            <dt>{say('whoop.since')}</dt>
            <dd>{when(status.connected_at)}</dd>
          </div>
          <div>
            <dt>{say('whoop.lastSync')}</dt>
            <dd>{when(status.last_sync_at)}</dd>
          </div>
        </dl>
      )}
      {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      <div class="form-actions">
        {state === 'connected' ? (
          <>
            <button type="button" class="button primary" disabled={action.busy.value} onClick={() => sync()}>
              {say('whoop.sync')}
            </button>
            <button type="button" class="button" disabled={action.busy.value} onClick={() => sync(30)}>
              {say('whoop.history')}
            </button>
          </>
        ) : page.value === null ? (
          <button
            type="button"
            class="button primary"
            disabled={action.busy.value}
            onClick={() =>
              void action.run(async () => {
                const begun = await api.post<{ authorize_url: string }>(
                  `/integrations/whoop/connect?${query}`,
                )
                page.value = pageOf(begun.authorize_url)
              })
            }
          >
            {say(state === 'connect_again' ? 'whoop.again' : 'whoop.connect')}
          </button>
        ) : (
          <a class="button primary" href={page.value} rel="noreferrer">
            {say('whoop.go')}
          </a>
        )}
        {state !== 'not_connected' && (
          <Confirm
            label={say('whoop.end')}
            title={say('whoop.endTitle')}
            text={say('whoop.endText')}
            confirm={say('whoop.end')}
            onConfirm={async () => {
              await api.remove(`/integrations/whoop?${query}`)
              await of.reload()
            }}
          />
        )}
      </div>
      {page.value !== null && <p class="small">{say('whoop.goText')}</p>}
    </section>
  )

  function sync(days?: number): void {
    void action.run(async () => {
      await api.post(`/integrations/whoop/sync?${query}${days === undefined ? '' : `&days=${days}`}`)
      said.value = say('whoop.asked')
      await of.reload()
    })
  }
}

/** Only a web page is a place to send somebody to. */
function pageOf(url: string): string | null {
  return /^https?:\/\//.test(url) ? url : null
}
