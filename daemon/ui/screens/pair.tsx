/** Let another device in: what it is, for whom, what it may see; then a QR, a code, and who knocks. */
import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { DataClass } from '../../domain/access.ts'
import { useApp } from '../app.ts'
import type { Translate } from '../i18n/translate.ts'
import type { PairingOffer, Person } from '../net/answers.ts'
import { CopyLine, Form, useAction } from '../parts/action.tsx'
import { Checks, Choice, type Option, Select } from '../parts/fields.tsx'
import type { IconName } from '../parts/icon.tsx'
import { Icon } from '../parts/icon.tsx'
import { Screen } from '../parts/screen.tsx'
import { Door } from './door.tsx'
import { welcomePage } from './trust-notice.tsx'
import { classOptions } from './words.ts'

type Guest = 'owner' | 'caregiver' | 'member' | 'coach' | 'watch' | 'gateway' | 'wall'

interface Terms {
  role: 'owner' | 'caregiver' | 'member' | 'coach' | 'device'
  deviceType: string
  icon: IconName
  /** Whose data or wrist it is about. */
  person: boolean
  classes: readonly DataClass[]
}

const TERMS: Readonly<Record<Guest, Terms>> = {
  owner: { role: 'owner', deviceType: 'phone', icon: 'phone', person: false, classes: [] },
  caregiver: { role: 'caregiver', deviceType: 'phone', icon: 'people', person: true, classes: ['wellness'] },
  member: { role: 'member', deviceType: 'phone', icon: 'user', person: true, classes: [] },
  coach: { role: 'coach', deviceType: 'phone', icon: 'stethoscope', person: true, classes: ['training'] },
  watch: { role: 'device', deviceType: 'watch', icon: 'watch', person: true, classes: [] },
  gateway: { role: 'device', deviceType: 'gateway', icon: 'gateway', person: false, classes: [] },
  wall: { role: 'device', deviceType: 'wall', icon: 'wall', person: false, classes: [] },
}
const GUESTS: readonly Guest[] = ['owner', 'caregiver', 'member', 'coach', 'watch', 'gateway', 'wall']
/** Polling beside the live topic, so that a blocked WebSocket does not leave someone standing at the door. */
const POLL_MS = 3000

export function Pair(): JSX.Element {
  const { t } = useApp()
  const offer = useSignal<PairingOffer | null>(null)
  return (
    <Screen title={t('pair.title')} back="/devices" narrow>
      {offer.value === null ? (
        <Ask offer={offer} />
      ) : (
        <Offer key={offer.value.id} offer={offer} made={offer.value} />
      )}
    </Screen>
  )
}

function Ask({ offer }: { offer: Signal<PairingOffer | null> }): JSX.Element {
  const { t, api, household } = useApp()
  const people = household.people.state.value.value ?? []
  const guest = useSignal<Guest>('owner')
  const personId = useSignal(people[0]?.id ?? '')
  const classes = useSignal<readonly DataClass[]>(['wellness'])
  const action = useAction()
  const terms = TERMS[guest.value]
  const shares = terms.classes.length > 0
  const missing = (terms.person && personId.value === '') || (shares && classes.value.length === 0)
  return (
    <Form
      action={action}
      submit={t('pair.show')}
      disabled={missing}
      onSubmit={async () => {
        offer.value = await api.post<PairingOffer>('/pairing/generate', {
          role: terms.role,
          device_type: terms.deviceType,
          ...(terms.person ? { person_id: personId.value } : {}),
          ...(shares ? { classes: classes.value } : {}),
        })
      }}
    >
      <Choice legend={t('pair.who')} value={guest} options={guestOptions(t)} />
      {terms.person && <Whose people={people} value={personId} guest={guest.value} />}
      {shares && <Checks legend={t('pair.classes')} values={classes} options={classOptions(t)} />}
    </Form>
  )
}

function Whose({
  people,
  value,
  guest,
}: {
  people: readonly Person[]
  value: Signal<string>
  guest: Guest
}): JSX.Element {
  const { t } = useApp()
  if (people.length === 0) return <p class="small">{t('pair.noPeople')}</p>
  const label =
    guest === 'member' ? t('pair.isWho') : guest === 'watch' ? t('device.wearer') : t('pair.forWhom')
  return (
    <Select
      label={label}
      value={value}
      options={people.map((person) => ({ value: person.id, label: person.name }))}
    />
  )
}

interface OfferProps {
  made: PairingOffer
  offer: Signal<PairingOffer | null>
}

function Offer({ made, offer }: OfferProps): JSX.Element {
  const { t, clock, pairing, welcome } = useApp()
  const leftMs = Math.max(0, Date.parse(made.expires_at) - clock.tick.value)
  const over = leftMs === 0
  useEffect(() => {
    const timer = setInterval(() => void pairing.requests.reload(), POLL_MS)
    return () => clearInterval(timer)
  }, [])
  const knocking = (pairing.requests.state.value.value ?? []).some(({ status }) => status === 'waiting')
  return (
    <>
      <Door />
      {!knocking && (
        <>
          <p class="lead">{t('pair.scan')}</p>
          <div class={over ? 'qr over' : 'qr'}>
            <img
              src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(made.qr_svg)}`}
              alt={t('pair.qrAlt')}
              width="240"
              height="240"
            />
          </div>
          <p class="pair-code">
            <span class="visually-hidden">{t('pair.codeLabel')} </span>
            {made.code.replace(/^(\d{4})(\d{4})$/, '$1 $2')}
          </p>
          <p class="countdown" role="timer">
            {over ? t('pair.over') : t('pair.left', { time: clockFace(leftMs) })}
          </p>
          <div class="copy-lines">
            <CopyLine label={t('pair.address')} value={addressOf(made.url)} />
          </div>
          {welcome.value && <p class="small">{t('pair.first', { url: welcomePage(welcome.value) })}</p>}
        </>
      )}
      <button
        type="button"
        class="button wide"
        onClick={() => {
          offer.value = null
        }}
      >
        <Icon name="refresh" size={20} />
        {t('pair.another')}
      </button>
    </>
  )
}

function guestOptions(t: Translate): Option<Guest>[] {
  return GUESTS.map((guest) => ({
    value: guest,
    label: t(`guest.${guest}`),
    text: t(`guest.${guest}.text`),
    icon: TERMS[guest].icon,
  }))
}

/** Without the one-time token: the address is for typing, the token is in the QR. */
function addressOf(url: string): string {
  return new URL('/app/join', url).href
}

function clockFace(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
