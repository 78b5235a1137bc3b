/** How each channel carries an alert. All of them name alert, step and round, so that a receiver knows a repetition. */
import type { DataClass } from '../../domain/access.ts'
import { CHANNELS, type Channel } from '../../domain/alert.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Mail } from './mail.ts'
import type { DueDelivery } from './outbox.ts'
import type { Push } from './push.ts'
import type { Carry } from './sender.ts'
import { alertView, type StoredAlert } from './table.ts'

/** Publishes a live event to everybody who may read this class of the person's data. */
export type Notify = (
  topic: string,
  type: string,
  data: unknown,
  audience: { personId: string; class: DataClass },
) => void

/** Publishes on MQTT; resolves once the broker has taken it. */
export type Publish = (
  topic: string,
  payload: string,
  options: { retain: boolean; qos: 0 | 1 },
) => Promise<void>

export interface CarriersDeps {
  notify: Notify
  publish: Publish
  isOnline: (deviceId: string) => boolean
  /** Whether a wall tablet looks by its own key now; it reads what rings by itself. */
  isWatching: (deviceId: string) => boolean
  nameOf: (by: string) => string | null
  /** Resolves once the other side has answered with success. */
  webhook: ((body: object, idempotencyKey: string) => Promise<void>) | null
  mail: Mail | null
  /** Where a user reads mail; null for one without an address. */
  mailOf: (userId: string) => string | null
  /** Null: this hub cannot push. */
  push: Push | null
  /** Says it aloud; resolves when it was said. */
  speak: ((text: string) => Promise<void>) | null
  /** Hands a message to open ntfy streams of the user; true when one took it. */
  ntfy: (userId: string, alert: StoredAlert, round: number) => boolean
}

export type Carriers = Readonly<Partial<Record<Channel, Carry>>>

export function createCarriers(deps: CarriersDeps): Carriers {
  const { webhook, speak, mail, push } = deps
  const bell: Carry = async (alert, [first]) => {
    const deviceId = first?.address ?? ''
    if (!deps.isOnline(deviceId)) throw new Error('the device is not connected')
    const isStranger = first?.recipient.startsWith('person:') ?? false
    const told = {
      ...wordsOf(alert, isStranger),
      round: first?.round ?? 0,
      name: deps.nameOf(`person:${alert.personId}`),
    }
    await deps.publish(`hf/${deviceId}/cmd`, JSON.stringify({ type: 'alert', ...told }), {
      retain: false,
      qos: 1,
    })
    return 'sent'
  }
  return {
    app: async (alert, deliveries) => {
      deps.notify('alerts', 'alert', eventOf(alert, ringing(deliveries), deps.nameOf), alert)
      return 'sent'
    },
    watch: bell,
    wall: async (alert, deliveries) =>
      deps.isWatching(deliveries[0]?.address ?? '') ? 'sent' : bell(alert, deliveries),
    house: async (alert) => {
      await sayToHouse(deps.publish, alert)
      return 'sent'
    },
    ntfy: async (alert, deliveries) => {
      const took = deliveries.map(({ recipient, round }) => deps.ntfy(userIn(recipient), alert, round))
      return took.every(Boolean) ? 'delivered' : 'sent'
    },
    ...(mail && {
      mail: async (alert: StoredAlert, [first]: readonly DueDelivery[]) => {
        const userId = userIn(first?.recipient ?? '')
        const to = deps.mailOf(userId)
        if (to === null) throw new Error('the user has no address for mail any more')
        const telling = `${alert.id}-${first?.round ?? 0}-${first?.step ?? 0}-${userId}`
        await mail(to, alert, deps.nameOf(`person:${alert.personId}`) ?? '', telling)
        return 'sent' as const
      },
    }),
    ...(push && {
      push: async (alert: StoredAlert, deliveries: readonly DueDelivery[]) => {
        // One browser alone has this address.
        for (const delivery of deliveries) await push.tell(alert, delivery)
        return 'sent' as const
      },
    }),
    ...(webhook && {
      webhook: async (alert: StoredAlert, [first]: readonly DueDelivery[]) => {
        await webhook(wordsOf(alert, false), `${alert.id}-${first?.round ?? 0}-${first?.step ?? 0}`)
        return 'delivered' as const
      },
    }),
    ...(speak && {
      speech: async (alert: StoredAlert) => {
        await speak(`${deps.nameOf(`person:${alert.personId}`) ?? ''}. ${alert.title}. ${alert.message}`)
        return 'sent' as const
      },
    }),
  }
}

/** Channels of the house that are configured beside MQTT. */
export function houseChannelsOf(carriers: Pick<CarriersDeps, 'webhook' | 'speak'>): Channel[] {
  return CHANNELS.filter(
    (channel) => (channel === 'webhook' && carriers.webhook) || (channel === 'speech' && carriers.speak),
  )
}

/** The newest word on an alert, for sirens and Home Assistant; who receives it is decided at each forward. */
export function sayToHouse(publish: Publish, alert: StoredAlert): Promise<void> {
  return publish('hf/out/alert', JSON.stringify(wordsOf(alert, false)), { retain: true, qos: 1 })
}

/** Tells devices that were rung that the alert is over. */
export function silence(publish: Publish, alert: StoredAlert, deviceIds: readonly string[]): Promise<void>[] {
  const payload = JSON.stringify({
    type: 'alert_clear',
    id: alert.id,
    state: alert.state,
    by: alert.acknowledgedBy,
  })
  return deviceIds.map((deviceId) => publish(`hf/${deviceId}/cmd`, payload, { retain: false, qos: 1 }))
}

/** The live event: the alert as the API shows it, with the users whose app rings for it now. */
export function eventOf(alert: StoredAlert, ring: readonly string[], nameOf: (by: string) => string | null) {
  return { ...alertView(alert, nameOf), ring }
}

function ringing(deliveries: readonly DueDelivery[]): string[] {
  return deliveries.map(({ recipient }) => userIn(recipient))
}

function userIn(recipient: string): string {
  return recipient.slice('user:'.length)
}

/** What a device or another program is told; a group's member without an account hears that, not what was measured. */
function wordsOf(alert: StoredAlert, isStranger: boolean) {
  return {
    id: alert.id,
    person_id: alert.personId,
    episode_id: alert.episodeId,
    kind: alert.kind,
    state: alert.state,
    step: alert.step,
    round: alert.round,
    title: alert.title,
    message: isStranger ? '' : alert.message,
    ts: iso(alert.createdAtMs),
  }
}
