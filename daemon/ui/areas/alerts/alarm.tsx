/** What rings in an open app: the banner over every screen, its sound, and the receipt that it was shown. */
import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { type App, useApp, useWords } from '../../app.ts'
import { ErrorLine, useAction } from '../../parts/action.tsx'
import { errorText } from '../../parts/feedback.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import type { Alert, AlertDetail, AlertEvent } from './answers.ts'
import { bySeverity, calling, isPutOff, isUnshown, withHeard } from './ladder.ts'
import { useLostLong } from './lost.ts'
import { tellAgain } from './push-here.ts'
import { createSiren, type Siren } from './siren.ts'
import { words } from './words.ts'

/** An urgent alarm sounds again until somebody answers or silences it here. */
const AGAIN_MS = 5_000
/** Where an alert takes the whole screen and is answered elsewhere. */
const WALL = '/wall'
/** Whoever comes back to more open alerts than this is rung for the first ones; the receipts of the others wait. */
const ASKED_AT_ONCE = 5

export function Alarm(): JSX.Element {
  const app = useApp()
  const siren = useSiren()
  const ringing = useSignal<ReadonlySet<string>>(new Set())
  const muted = useSignal(false)
  const state = app.session.state.value
  const userId = state.kind === 'signed-in' ? state.user.id : null
  const say = useWords(words)
  const ring = (alert: Alert) => {
    if (alert.kind === 'tip') return
    muted.value = !siren.sound(alert.kind)
    if (alert.kind === 'urgent') ringing.value = new Set([...ringing.peek(), alert.id])
  }
  const hush = (id: string) => {
    ringing.value = new Set([...ringing.peek()].filter((one) => one !== id))
  }
  useEffect(() => {
    if (userId === null) return
    // Without the hub the next start tells it.
    tellAgain(app.api).catch(() => undefined)
    return listen(app, userId, {
      ring,
      isRinging: (id) => ringing.peek().has(id),
      hush,
      over(alert) {
        hush(alert.id)
        const name = alert.acknowledged_by_name
        if (alert.state === 'acknowledged' && alert.acknowledged_by !== `user:${userId}` && name !== null)
          app.said.value = say('said.byOther', { name })
      },
    })
  }, [app, userId])
  useEffect(() => {
    if (ringing.value.size === 0) return
    const timer = setInterval(() => {
      muted.value = !siren.sound('urgent')
    }, AGAIN_MS)
    return () => clearInterval(timer)
  }, [ringing.value.size === 0])
  return (
    <>
      <Lost siren={siren} />
      <Banner
        muted={muted.value}
        {...(ringing.value.size > 0 && {
          onSilence: () => {
            ringing.value = new Set()
          },
        })}
        onAnswered={hush}
      />
    </>
  )
}

export function useSiren(): Siren {
  const siren = useMemo(
    () =>
      createSiren({
        createContext: () => new AudioContext(),
        isTouched: () => navigator.userActivation?.hasBeenActive ?? false,
      }),
    [],
  )
  useEffect(() => siren.close, [siren])
  return siren
}

interface Heard {
  ring(alert: Alert): void
  isRinging(id: string): boolean
  hush(id: string): void
  over(alert: Alert): void
}

/** Keeps `openAlerts` current; what was sent to this user's app and not yet shown is rung for and receipted. */
function listen(app: App, userId: string, on: Heard) {
  const { api, following, openAlerts, router } = app
  const isVisible = () => document.visibilityState === 'visible'
  const show = (alert: Alert) => {
    on.ring(alert)
    // A receipt that does not get through is sent at the next look, because the delivery is still unshown.
    // What hangs on a wall was not shown to the one whose account it runs under.
    if (isVisible() && router.place.peek().path !== WALL)
      api.post(`/alerts/${encodeURIComponent(alert.id)}/seen`, { channel: 'app' }).catch(() => undefined)
  }
  const look = async () => {
    const open = bySeverity((await api.all<Alert>('/alerts?state=open')).filter(calling))
    openAlerts.value = open
    for (const { id } of open.slice(0, ASKED_AT_ONCE)) {
      const alert = await api.get<AlertDetail>(`/alerts/${encodeURIComponent(id)}`)
      if (alert.state === 'open' && isUnshown(alert.deliveries, userId)) show(alert)
    }
  }
  // Out of reach: the shell says so, and the next connection looks again.
  const lookAgain = () => void look().catch(() => undefined)
  /** This user may have put it off on another screen. */
  const hushIfPutOff = (id: string) =>
    api.get<AlertDetail>(`/alerts/${encodeURIComponent(id)}`).then(
      ({ deliveries }) => {
        if (isPutOff(deliveries, userId)) on.hush(id)
      },
      // It rings on, which is the safe side.
      () => undefined,
    )
  const whenSeen = () => {
    if (isVisible()) lookAgain()
  }
  const unfollow = following.follow('alerts', {
    onEvent({ type, data }) {
      if (type !== 'alert') return
      // The hub's own event, shaped by its schema.
      const alert = data as AlertEvent
      openAlerts.value = withHeard(openAlerts.peek(), alert)
      if (!calling(alert)) on.over(alert)
      else if (alert.ring.includes(userId)) show(alert)
      else if (on.isRinging(alert.id)) void hushIfPutOff(alert.id)
    },
    onGap: lookAgain,
  })
  document.addEventListener('visibilitychange', whenSeen)
  lookAgain()
  return () => {
    unfollow()
    document.removeEventListener('visibilitychange', whenSeen)
  }
}

interface BannerProps {
  muted: boolean
  onSilence?: () => void
  onAnswered: (id: string) => void
}

function Banner({ muted, onSilence, onAnswered }: BannerProps): JSX.Element | null {
  const app = useApp()
  const { t, openAlerts, router, household, format, clock, zone } = app
  const say = useWords(words)
  const action = useAction()
  const [alert, ...others] = openAlerts.value
  if (!alert || router.place.value.path === WALL) return null
  // The page of alerts shows them itself, with more to press.
  if (router.place.value.path.startsWith('/alerts'))
    return onSilence ? <Silence onSilence={onSilence} /> : null
  const name = household.people.state.value.value?.find(({ id }) => id === alert.person_id)?.name
  const acknowledge = () =>
    action.run(async () => {
      const answered = await app.api.post<Alert>(`/alerts/${encodeURIComponent(alert.id)}/acknowledge`)
      openAlerts.value = withHeard(openAlerts.peek(), answered)
      onAnswered(alert.id)
      app.said.value = say('said.acknowledged')
    })
  return (
    <section class={`alarm alarm-${alert.kind}`} role="alert" aria-label={say(`kind.${alert.kind}`)}>
      <Icon name="warning" size={28} />
      <div class="alarm-text">
        <strong>{name === undefined ? alert.title : `${name}: ${alert.title}`}</strong>
        {alert.message !== '' && <span>{alert.message}</span>}
        <span class="small">
          {say('alert.since', { when: format.moment(Date.parse(alert.created_at), zone, clock.nowMs()) })}
        </span>
        {others.length > 0 && <span>{say('alarm.more', { count: others.length })}</span>}
        {muted && <span>{say('alarm.soundOff')}</span>}
        {action.error.value && <ErrorLine>{errorText(t, action.error.value)}</ErrorLine>}
      </div>
      <div class="alarm-actions">
        <button
          type="button"
          class="button primary"
          disabled={action.busy.value}
          onClick={() => void acknowledge()}
        >
          {say('alert.acknowledge')}
        </button>
        <Link to="/alerts" class="button">
          {say('alert.details')}
        </Link>
        {onSilence && <Silence onSilence={onSilence} />}
      </div>
    </section>
  )
}

function Silence({ onSilence }: { onSilence: () => void }): JSX.Element {
  const say = useWords(words)
  return (
    <button type="button" class="button" onClick={onSilence}>
      {say('alarm.silence')}
    </button>
  )
}

/** Sounds once when the hub has been gone for a minute, and says it until it is back. */
function Lost({ siren }: { siren: Siren }): JSX.Element | null {
  const { link } = useApp()
  const say = useWords(words)
  const state = link.state.value
  const isLong = useLostLong(state.kind === 'lost' ? state.sinceMs : null, siren)
  if (!isLong) return null
  return (
    <section class="alarm alarm-lost" role="alert">
      <Icon name="offline" size={28} />
      <div class="alarm-text">
        <strong>{say('alarm.lost')}</strong>
      </div>
    </section>
  )
}
