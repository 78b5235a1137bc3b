/** Sessions whose training one may see, the newest first, with the running ones on top. */
import type { JSX } from 'preact'
import { useApp } from '../../../app.ts'
import { Empty, Show, Skeleton } from '../../../parts/feedback.tsx'
import { Icon } from '../../../parts/icon.tsx'
import { Link } from '../../../parts/link.tsx'
import { Screen } from '../../../parts/screen.tsx'
import { StateMark } from '../../../parts/state-mark.tsx'
import type { TrainingSession } from './answers.ts'
import { isTrainer } from './rights.ts'
import { useAnswer, useSessionWords } from './sessions.ts'

/** One page of the hub's list. */
const NEWEST = 100

export function Sessions(): JSX.Element {
  const app = useApp()
  const w = useSessionWords()
  const trains = isTrainer(app)
  const sessions = useAnswer<TrainingSession[]>(`/sessions?per_page=${NEWEST}`)
  const start = trains && (
    <Link to="/training/sessions/new" class="button primary">
      <Icon name="plus" size={20} />
      {w('list.start')}
    </Link>
  )
  return (
    <Screen title={w('list.title')} {...(trains && { back: '/training' })}>
      <Show of={sessions} loading={<Skeleton rows={3} />}>
        {(all) =>
          all.length === 0 ? (
            <Empty
              icon="chart"
              title={w('list.empty')}
              text={w(trains ? 'list.emptyText' : 'list.emptyOpen')}
            >
              {start}
            </Empty>
          ) : (
            <div class="sessions">
              {start && <div>{start}</div>}
              <ul class="rows">
                {[...all]
                  .sort((a, b) => Number(b.live) - Number(a.live))
                  .map((session) => (
                    <li key={session.id}>
                      <Row session={session} />
                    </li>
                  ))}
              </ul>
              {all.length === NEWEST && <p class="small">{w('list.newest', { count: NEWEST })}</p>}
            </div>
          )
        }
      </Show>
    </Screen>
  )
}

function Row({ session }: { session: TrainingSession }): JSX.Element {
  const { format, clock, zone } = useApp()
  const w = useSessionWords()
  const { duration_minutes: minutes } = session
  return (
    <Link to={`/training/sessions/${session.id}`} class="row">
      <span class="row-text">
        <span class="row-title">{session.title ?? w('list.untitled')}</span>
        <span class="row-more">
          {session.live && <StateMark state="ok" word={w('list.running')} />}
          <span>
            {[
              w(`list.type.${session.session_type}`),
              format.moment(Date.parse(session.started_at), zone, clock.tick.value),
              ...(minutes === null ? [] : [format.span(minutes * 60_000)]),
              w('list.players', { count: session.participants.length }),
            ].join(' · ')}
          </span>
        </span>
      </span>
      <Icon name="next" size={20} />
    </Link>
  )
}
