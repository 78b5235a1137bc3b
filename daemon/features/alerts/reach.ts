/** The reachability meter: who would hear an alert about a person right now, by which channel, and what proves it. */
import { type Static, Type } from 'typebox'
import { CHANNELS } from '../../domain/alert.ts'
import { Id } from '../../domain/id.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'
import type { Store } from '../../store/store.ts'
import type { Audience, Bell, Recipient } from './audience.ts'
import type { Target } from './outbox.ts'

const Channel = Type.Object(
  {
    channel: Type.Enum([...CHANNELS]),
    device_id: Type.Union([Id, Type.Null()]),
    would_hear: Type.Boolean(),
    /** When this channel last reached this recipient, or was last seen open. */
    last_proof: Type.Union([Timestamp, Type.Null()]),
  },
  { additionalProperties: false },
)
export const Reach = Type.Object(
  {
    person_id: Id,
    name: Type.Union([Type.String(), Type.Null()]),
    /** False: nobody would hear. */
    heard: Type.Boolean(),
    message: Type.Union([Type.String(), Type.Null()]),
    recipients: Type.Array(
      Type.Object(
        {
          user_id: Type.Union([Id, Type.Null()]),
          person_id: Type.Union([Id, Type.Null()]),
          name: Type.Union([Type.String(), Type.Null()]),
          step: Type.Integer(),
          would_hear: Type.Boolean(),
          channels: Type.Array(Channel),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)
export type Reach = Static<typeof Reach>

export interface ReachDeps {
  store: Pick<Store, 'get'>
  clock: Clock
  audience: Audience
  nameOf: (by: string) => string | null
  watchesOf: (personId: string) => readonly Bell[]
  wallsOf: (personId: string) => readonly Bell[]
  isOnline: (deviceId: string) => boolean
}

/** A phone whose app was open this recently is taken to hear: an open app renews its token within a quarter of an hour. */
const APP_OPEN_MS = 20 * 60_000
/** An ntfy subscription is beaten every 45 s and polled at least this often by the app. */
const NTFY_OPEN_MS = 6 * 3_600_000

const PROVEN = `SELECT max(coalesce(seen_at, delivered_at, acknowledged_at)) AS atMs FROM delivery
  WHERE recipient = :recipient AND channel = :channel AND address = :address`
const APP = `SELECT max(s.last_seen_at) AS atMs FROM sign_in s JOIN user u ON u.key = s.user_key
  WHERE u.id = :userId AND s.revoked_at IS NULL`
const NTFY =
  'SELECT s.heard_at AS atMs FROM ntfy_subscription s JOIN user u ON u.key = s.user_key WHERE u.id = :userId'

export interface Reacher {
  of(personId: string): Reach
}

export function createReach({ store, clock, audience, nameOf, isOnline }: ReachDeps): Reacher {
  function channelOf(target: Target): Static<typeof Channel> {
    const { recipient, channel, address } = target
    const at = (sql: string, params: Record<string, string>) =>
      store.get<{ atMs: number | null }>(sql, params)?.atMs ?? null
    const userId = recipient.slice(recipient.indexOf(':') + 1)
    const openMs = channel === 'app' ? at(APP, { userId }) : channel === 'ntfy' ? at(NTFY, { userId }) : null
    const proofMs = Math.max(at(PROVEN, { recipient, channel, address }) ?? 0, openMs ?? 0)
    const limitMs = channel === 'app' ? APP_OPEN_MS : NTFY_OPEN_MS
    const isBell = channel === 'watch' || channel === 'wall'
    return {
      channel,
      device_id: address === '' ? null : address,
      // What the hub says into the house it cannot hear itself: only a proof counts there.
      // Mail is read at some time: nobody is taken to hear it.
      would_hear: isBell
        ? isOnline(address)
        : channel !== 'mail' && proofMs > 0 && clock.now() - proofMs < limitMs,
      last_proof: proofMs > 0 ? iso(proofMs) : null,
    }
  }

  function recipientOf(recipient: Recipient, step: number, personId: string) {
    const channels = audience.targets(recipient, personId).map(channelOf)
    const [kind, id = null] = recipient.split(':')
    return {
      user_id: kind === 'user' ? id : null,
      person_id: kind === 'person' ? id : null,
      name: recipient === 'house' ? null : nameOf(recipient),
      step,
      would_hear: channels.some(({ would_hear: hears }) => hears),
      channels,
    }
  }

  return {
    of(personId) {
      const { steps } = audience.steps({ personId, class: 'wellness' }, clock.now())
      const people = steps.flatMap((step, index) => step.map((one) => recipientOf(one, index + 1, personId)))
      const house = recipientOf('house', 1, personId)
      const recipients = house.channels.length > 0 ? [...people, house] : people
      const heard = recipients.some(({ would_hear: hears }) => hears)
      return {
        person_id: personId,
        name: nameOf(`person:${personId}`),
        heard,
        message: heard ? null : messageFor(recipients.length),
        recipients,
      }
    },
  }
}

function messageFor(recipients: number): string {
  return recipients === 0
    ? 'Nobody is told about this person: add somebody to a family or care group.'
    : 'Nobody would hear an alert now: open the app on a phone, put a watch on, or set up ntfy.'
}
