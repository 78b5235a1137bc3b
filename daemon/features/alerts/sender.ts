/** Sends what the outbox holds: claimed on disk first, settled on disk after, one run at a time. */
import type { Channel } from '../../domain/alert.ts'
import { retryNoSoonerMs, WARNING_TRIES } from '../../domain/alert.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { DueDelivery, Outbox, Sent } from './outbox.ts'
import type { AlertTable, StoredAlert } from './table.ts'

/**
 * Carries one alert to those who are due on one channel. Resolves for all of them alike, or rejects with why nobody got it.
 * A crash between claim and settling sends once more, so what is carried names alert, step and round for the receiver to
 * recognise; only speech is never repeated. A rejection with GONE is final, one with `retryAfterS` is tried no sooner.
 */
export type Carry = (alert: StoredAlert, deliveries: readonly DueDelivery[]) => Promise<'sent' | 'delivered'>

export interface SenderDeps {
  table: AlertTable
  outbox: Outbox
  carriers: Readonly<Partial<Record<Channel, Carry>>>
  now: () => number
  log: Log
}

export interface Sender {
  /** Sends what is due; resolves when nothing more is. Calls while it runs join it. */
  send(): Promise<void>
}

export function createSender({ table, outbox, carriers, now, log }: SenderDeps): Sender {
  let running: Promise<void> | null = null
  let again = false

  async function sendAll(): Promise<void> {
    try {
      while (again) {
        again = false
        await Promise.all(grouped(outbox.due(now())).map(sendGroup))
      }
    } finally {
      running = null
    }
  }

  async function sendGroup(due: readonly DueDelivery[]): Promise<void> {
    const claimed = (await Promise.all(due.map(outbox.claim))).filter((delivery) => delivery !== null)
    const [first] = claimed
    const alert = first && table.find(first.alertId)
    if (!first || !alert) return
    let sent: Sent
    try {
      const carry = carriers[first.channel]
      if (!carry) throw new Error('this channel is not configured any more')
      sent = { done: await carry(alert, claimed) }
    } catch (cause) {
      sent = failure(alert, first, cause)
      log.info({ alertId: alert.id, channel: first.channel, cause: messageOf(cause) }, 'alert not sent yet')
    }
    await Promise.all(claimed.map((delivery) => outbox.settle(delivery, sent, now())))
  }

  function failure({ kind }: StoredAlert, { attempts }: DueDelivery, cause: unknown): Sent {
    const failed = messageOf(cause)
    const known = cause instanceof HubError ? cause : null
    if (known?.code === 'GONE' || (kind !== 'urgent' && attempts >= WARNING_TRIES))
      return { failed, retryAtMs: null }
    return { failed, retryAtMs: now() + retryNoSoonerMs(attempts, (known?.retryAfterS ?? 0) * 1000) }
  }

  return {
    send() {
      again = true
      running ??= sendAll()
      return running
    },
  }
}

/** Those who get the same message by one act of sending. */
function grouped(due: readonly DueDelivery[]): DueDelivery[][] {
  const groups = new Map<string, DueDelivery[]>()
  for (const delivery of due) {
    // A mail is one user's alone: what the server refuses for one must not be sent again to the others.
    const own = delivery.channel === 'mail' ? delivery.recipient : ''
    const key = [delivery.alertId, delivery.channel, delivery.address, own].join(' ')
    groups.set(key, [...(groups.get(key) ?? []), delivery])
  }
  return [...groups.values()]
}
