/**
 * Web Push (RFC 8030): alerts to closed phones, over the service of the browser's maker. Texts are encrypted for that one browser
 * (RFC 8291) and the hub signs with its own key (RFC 8292); the service sees when something was sent and to which browser.
 */
import { createHash } from 'node:crypto'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Store } from '../../store/store.ts'
import type { DueDelivery } from './outbox.ts'
import type { PushPost } from './push-post.ts'
import { createPushTable, type PushAddress, type PushSwitch, type PushTable } from './push-table.ts'
import type { StoredAlert } from './table.ts'

/** What the hub needs to push at all; whether it does is the owner's switch. */
export interface PushMeans {
  sealing: Sealing
  post: PushPost
  /** Whom a push service may write to when something is wrong: `mailto:` or `https:`. */
  contact: string
}

export interface PushDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  means: PushMeans
  now: () => number
  log: Log
  nameOf: (by: string) => string | null
}

export interface Push {
  table: PushTable
  /** Where this user is told; nowhere while it is switched off. */
  addressesOf(userId: string): readonly string[]
  /** Rejects with GONE when trying again makes no sense, with OVERLOADED and when to try again. */
  tell(alert: StoredAlert, delivery: DueDelivery): Promise<void>
  /** Takes the place of what the phone shows of an alert that somebody has answered; at most once an alert, as far as is known. */
  over(alert: StoredAlert, addresses: readonly string[]): Promise<void>
}

/** What the app's service worker shows. */
interface Shown {
  type: 'alert' | 'over'
  id: string
  /** The same words again are the same telling, sent twice because nobody knew. */
  telling: string
  kind: StoredAlert['kind']
  title: string
  body: string
}

type Urgency = 'low' | 'normal' | 'high'

/** Urgent alerts are told again within the hour anyway; a warning is told once and may wait for the phone for half a day. */
const HOW: Readonly<Record<StoredAlert['kind'], { ttlS: number; urgency: Urgency }>> = {
  urgent: { ttlS: 3600, urgency: 'high' },
  warning: { ttlS: 43_200, urgency: 'normal' },
  tip: { ttlS: 3600, urgency: 'low' },
}
const OVER = { ttlS: 3600, urgency: 'low' } as const
/** Texts are filled up to a multiple of this, so that the length says nothing about the name. */
const BLOCK_BYTES = 256
const MOST_BYTES = 3072
/** Ended alerts that are remembered so as not to be told twice; of more, one might be told again, without a sound. */
const ENDED_KEPT = 256

export function createPush({ store, means, now, log, nameOf }: PushDeps): Push {
  const { sealing, post, contact } = means
  const table = createPushTable({ store, sealing, now })
  const ended = new Set<string>()

  function wordsOf(alert: StoredAlert, hasWords: boolean): Pick<Shown, 'title' | 'body'> {
    const name = nameOf(`person:${alert.personId}`) ?? ''
    if (hasWords) return { title: `${name}: ${alert.title}`, body: alert.message }
    return { title: name, body: alert.kind === 'urgent' ? 'Urgent: look at the app' : 'Look at the app' }
  }

  async function send(
    id: string,
    { publicKey, privateKey }: PushSwitch,
    shown: Shown,
    how: { ttlS: number; urgency: Urgency },
  ) {
    const address = table.addressOf(id)
    if (address === null) throw new HubError('GONE', 'this phone is not subscribed any more')
    const { default: webPush } = await import('web-push')
    const { endpoint, headers, body } = webPush.generateRequestDetails(
      subscriptionOf(address),
      padded(shown),
      {
        vapidDetails: { subject: contact, publicKey, privateKey },
        ...{ TTL: how.ttlS, urgency: how.urgency, contentEncoding: 'aes128gcm' },
        // A newer word on the same alert takes the place of one that still waits for the phone.
        topic: createHash('sha256').update(shown.id).digest('base64url').slice(0, 32),
      },
    )
    return post({ endpoint, headers, body })
  }

  return {
    table,
    addressesOf: (userId) => (table.read()?.enabled ? table.idsOf(userId) : []),
    async tell(alert, { address: id, round, step }) {
      const found = table.read()
      if (!found?.enabled) throw new HubError('GONE', 'Web Push is switched off')
      const { kind } = alert
      const shown = { type: 'alert', id: alert.id, telling: `${round}-${step}`, kind } as const
      const words = wordsOf(alert, found.hasWords)
      const { status, retryAfterS } = await send(id, found, { ...shown, ...words }, HOW[kind])
      const refused = refusalOf(status, retryAfterS)
      if (status === 404 || status === 410) await table.remove(id, null)
      else await table.told(id, refused && messageOf(refused))
      if (refused) throw refused
    },
    async over(alert, addresses) {
      const found = table.read()
      if (!found?.enabled || addresses.length === 0 || ended.has(alert.id)) return
      ended.add(alert.id)
      for (const oldest of ended) if (ended.size > ENDED_KEPT) ended.delete(oldest)
      const by = alert.acknowledgedBy === null ? null : nameOf(alert.acknowledgedBy)
      const title = wordsOf(alert, found.hasWords).title
      const body = by === null ? 'This alert is over' : `${by} takes care of it`
      const shown: Shown = { type: 'over', id: alert.id, telling: 'over', kind: alert.kind, title, body }
      for (const id of addresses) {
        await send(id, found, shown, OVER).catch((cause: unknown) =>
          log.info(
            { alertId: alert.id, cause: messageOf(cause) },
            'a phone was not told that an alert is over',
          ),
        )
      }
    },
  }
}

/** Null for success. What the service refuses as wrong would be wrong again. */
function refusalOf(status: number, retryAfterS: number | null): HubError | null {
  if (status >= 200 && status < 300) return null
  if (status === 429 || status >= 500) {
    const after = retryAfterS === null ? {} : { retryAfterS }
    return new HubError('OVERLOADED', `the push service answered ${status}`, after)
  }
  const isGone = status === 404 || status === 410
  return new HubError(
    'GONE',
    isGone ? 'the browser takes no messages any more' : `the push service refused it with ${status}`,
  )
}

function subscriptionOf({ endpoint, p256dh, auth }: PushAddress) {
  return { endpoint, keys: { p256dh, auth } }
}

/** JSON may end in spaces. */
function padded(shown: Shown): Buffer {
  const cut = { ...shown, body: shown.body.slice(0, 500) }
  const text = Buffer.from(JSON.stringify(cut))
  const bytes = Math.min(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES, MOST_BYTES)
  return Buffer.concat([text, Buffer.alloc(Math.max(0, bytes - text.length), ' ')])
}
