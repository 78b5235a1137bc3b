/** Whom an alert is told, step by step, and by which channels each can be reached. */
import type { DataClass, UserRole } from '../../domain/access.ts'
import type { Channel, Hearing } from '../../domain/alert.ts'
import type { DailyStretch } from '../../domain/group.ts'
import type { Store } from '../../store/store.ts'
import type { Target } from './outbox.ts'
import type { StoredAlert } from './table.ts'

/** A user who may be told about a person's data. */
export interface Carer {
  userId: string
  name: string
  role: UserRole
  personId: string | null
}

/** A watch or wall tablet. */
export interface Bell {
  deviceId: string
  online: boolean
  lastSeenMs: number | null
}

export interface AudienceDeps {
  store: Pick<Store, 'get' | 'all'>
  /** Users who may read this class of the person's data, today. */
  carers: (personId: string, dataClass: DataClass) => readonly Carer[]
  /** Member ids (users or persons) step by step; null where no group looks after the person. */
  ladderFor: (personId: string, nowMs: number) => { steps: string[][]; stepMs: number } | null
  isGrownUp: (personId: string) => boolean
  zoneOf: (personId: string | null) => string
  watchesOf: (personId: string) => readonly Bell[]
  /** Wall tablets that serve the person. */
  wallsOf: (personId: string) => readonly Bell[]
  /** Whether an integration hears of the person. */
  houseHears: (personId: string) => boolean
  /** Where the user reads mail; null without an address. */
  mailOf: (userId: string) => string | null
  /** The browsers on which this user is told by Web Push. */
  pushesOf: (userId: string) => readonly string[]
  /** Whether mail is set up. */
  hasMail: boolean
  /** Channels of the house that are configured beside MQTT. */
  houseChannels: readonly Channel[]
}

/** One who is told: a user, a group's member who only has a watch, or the house. */
export type Recipient = string

export interface Audience {
  /** Recipients step by step; owners come last where nobody named them, so that somebody always does. */
  steps(
    alert: Pick<StoredAlert, 'personId' | 'class'>,
    nowMs: number,
  ): { steps: Recipient[][]; stepMs: number }
  targets(recipient: Recipient, personId: string): Target[]
  hearing(target: Target, personId: string): Hearing
  /** What the user chose, with what holds where nothing was chosen. */
  settings(userId: string): Settings
}

export interface Settings {
  quiet: DailyStretch | null
}

const DEFAULT_STEP_MS = 2 * 60_000
/** Nobody is read warnings aloud at night; urgent alerts are. */
const HUSHED: DailyStretch = { from: '22:00', to: '07:00' }

const SETTINGS = `SELECT s.settings FROM alert_setting s JOIN user u ON u.key = s.user_key WHERE u.id = :userId`
const PERSON_OF =
  'SELECT p.id AS personId FROM user u JOIN person p ON p.key = u.person_key WHERE u.id = :userId'
const NTFY = 'SELECT 1 FROM ntfy_subscription s JOIN user u ON u.key = s.user_key WHERE u.id = :userId'
const SNOOZE = `SELECT s.until_at AS untilMs, s.alert_id AS alertId FROM alert_snooze s JOIN person p ON p.key = s.person_key
  WHERE p.id = :personId AND s.recipient = :recipient`

export function createAudience(deps: AudienceDeps): Audience {
  const { store } = deps

  function settings(userId: string): Settings {
    const row = store.get<{ settings: string }>(SETTINGS, { userId })
    // Written by the settings route from a checked object.
    return row ? (JSON.parse(row.settings) as Settings) : { quiet: null }
  }

  const personOf = (userId: string) =>
    store.get<{ personId: string }>(PERSON_OF, { userId })?.personId ?? null

  /** A member is a user, a person who signs in, or a person who only wears a watch. */
  function recipientsOf(memberId: string, carers: readonly Carer[]): Recipient[] {
    const users = carers.filter(({ userId, personId }) => userId === memberId || personId === memberId)
    if (users.length > 0) return users.map(({ userId }) => `user:${userId}`)
    return deps.watchesOf(memberId).length > 0 ? [`person:${memberId}`] : []
  }

  function withoutGroup(personId: string, carers: readonly Carer[]): Recipient[][] {
    const near = carers.filter(
      (carer) => carer.role === 'caregiver' || (carer.personId === personId && deps.isGrownUp(personId)),
    )
    return [near.map(({ userId }) => `user:${userId}`)]
  }

  function bells(recipient: Recipient, channel: Channel, found: readonly Bell[]): Target[] {
    return found.map(({ deviceId }) => ({ recipient, channel, address: deviceId }))
  }

  return {
    settings,
    steps({ personId, class: dataClass }, nowMs) {
      const carers = deps.carers(personId, dataClass)
      const ladder = deps.ladderFor(personId, nowMs)
      const named = ladder
        ? ladder.steps.map((ids) => [...new Set(ids.flatMap((id) => recipientsOf(id, carers)))])
        : withoutGroup(personId, carers)
      const owners = carers.filter(({ role }) => role === 'owner').map(({ userId }) => `user:${userId}`)
      const told = new Set(named.flat())
      const last = owners.filter((owner) => !told.has(owner))
      const steps = [...named, last].filter((step) => step.length > 0)
      return { steps, stepMs: ladder?.stepMs ?? DEFAULT_STEP_MS }
    },
    targets(recipient, personId) {
      if (recipient === 'house') {
        const channels = [...(deps.houseHears(personId) ? (['house'] as const) : []), ...deps.houseChannels]
        return [
          ...channels.map((channel) => ({ recipient, channel, address: '' })),
          ...bells(recipient, 'wall', deps.wallsOf(personId)),
        ]
      }
      const [kind, id = ''] = recipient.split(':')
      if (kind === 'person') return bells(recipient, 'watch', deps.watchesOf(id))
      const own = personOf(id)
      const ntfy =
        store.get(NTFY, { userId: id }) === undefined
          ? []
          : [{ recipient, channel: 'ntfy' as const, address: '' }]
      const mail =
        deps.hasMail && deps.mailOf(id) !== null ? [{ recipient, channel: 'mail' as const, address: '' }] : []
      // Whoever the alert is about is not rung on the wrist for it.
      const watches = own === null || own === personId ? [] : deps.watchesOf(own)
      return [
        { recipient, channel: 'app', address: '' },
        ...ntfy,
        ...mail,
        ...deps.pushesOf(id).map((address) => ({ recipient, channel: 'push' as const, address })),
        ...bells(recipient, 'watch', watches),
      ]
    },
    hearing({ recipient, channel }, personId) {
      const snooze = store.get<{ untilMs: number; alertId: string }>(SNOOZE, { personId, recipient }) ?? null
      const [kind, id = ''] = recipient.split(':')
      if (kind === 'user') return { quiet: settings(id).quiet, zone: deps.zoneOf(personOf(id)), snooze }
      return { quiet: channel === 'speech' ? HUSHED : null, zone: deps.zoneOf(null), snooze }
    },
  }
}
