/** The page of alerts: what calls now with everything to answer it, what is looked after, and what was. */
import type { JSX } from 'preact'
import { useApp, useWords } from '../../app.ts'
import { Empty, Show, Skeleton } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { Screen, Section } from '../../parts/screen.tsx'
import type { Alert } from './answers.ts'
import { AlertCard, AlertMark } from './card.tsx'
import { nameIn, useCurrent } from './current.ts'
import { bySeverity, calling } from './ladder.ts'
import { words } from './words.ts'

/** Older ones are found in the person's episodes. */
const SHOWN = 50

const FURTHER = [
  { to: '/alerts/reach', icon: 'phone', title: 'reach.title', text: null },
  { to: '/alerts/push', icon: 'offline', title: 'push.title', text: 'push.text' },
  { to: '/alerts/quiet', icon: 'user', title: 'quiet.title', text: 'quiet.text' },
  { to: '/alerts/groups', icon: 'people', title: 'groups.title', text: 'groups.text' },
  { to: '/alerts/zones', icon: 'home', title: 'zones.title', text: 'zones.textShort' },
  { to: '/alerts/rules', icon: 'edit', title: 'rules.title', text: 'rules.text' },
] as const

export function AlertList(): JSX.Element {
  const say = useWords(words)
  const alerts = useCurrent(
    ({ api }) => api.get<Alert[]>(`/alerts?per_page=${SHOWN}`),
    () => true,
    'list',
  )
  return (
    <Screen title={say('alerts.title')} narrow>
      <Show of={alerts} loading={<Skeleton rows={2} tall />}>
        {(found) => <Sorted alerts={found} />}
      </Show>
      <Section title={say('alerts.more')}>
        <ul class="rows">
          {FURTHER.map(({ to, icon, title, text }) => (
            <li key={to}>
              <Link to={to} class="row">
                <Icon name={icon} />
                <span class="row-text">
                  <span class="row-title">{say(title)}</span>
                  {text !== null && <span class="row-more">{say(text)}</span>}
                </span>
                <Icon name="next" size={20} />
              </Link>
            </li>
          ))}
        </ul>
      </Section>
    </Screen>
  )
}

function Sorted({ alerts }: { alerts: readonly Alert[] }): JSX.Element {
  const say = useWords(words)
  const open = bySeverity(alerts.filter(calling))
  const looking = alerts.filter(({ state }) => state === 'acknowledged')
  const past = alerts.filter((alert) => !calling(alert) && alert.state !== 'acknowledged')
  return (
    <>
      {open.length === 0 && looking.length === 0 && (
        <Empty icon="check" title={say('alerts.calm')} text={say('alerts.calmText')} />
      )}
      {open.length > 0 && (
        <ul class="alert-cards">
          {open.map(({ id }) => (
            <li key={id}>
              <AlertCard id={id} />
            </li>
          ))}
        </ul>
      )}
      {looking.length > 0 && (
        <Section title={say('alerts.looking')}>
          <Rows alerts={looking} />
        </Section>
      )}
      {past.length > 0 && (
        <Section title={say('alerts.past')}>
          <Rows alerts={past} />
        </Section>
      )}
    </>
  )
}

function Rows({ alerts }: { alerts: readonly Alert[] }): JSX.Element {
  const app = useApp()
  const { format, zone, clock } = app
  const say = useWords(words)
  return (
    <ul class="rows">
      {alerts.map((alert) => {
        const name = nameIn(app, alert.person_id)
        const when = format.moment(Date.parse(alert.acknowledged_at ?? alert.created_at), zone, clock.nowMs())
        const by = alert.acknowledged_by_name
        return (
          <li key={alert.id}>
            <Link to={`/alerts/${alert.id}`} class="row">
              <span class="row-text">
                <span class="row-title">{name === null ? alert.title : `${name}: ${alert.title}`}</span>
                <span class="row-more">
                  <AlertMark alert={alert} />
                  <span>{alert.state === 'acknowledged' && by !== null ? `${by}, ${when}` : when}</span>
                </span>
              </span>
              <Icon name="next" size={20} />
            </Link>
          </li>
        )
      })}
      {alerts.length === 0 && <li class="row">{say('alerts.pastEmpty')}</li>}
    </ul>
  )
}
