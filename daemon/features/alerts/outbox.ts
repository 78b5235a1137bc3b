/** The durable outbox: one row for every alert, recipient, channel and round, claimed before anything is sent. */
import type { Channel, Delivery, DeliveryState } from '../../domain/alert.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Store, Write } from '../../store/store.ts'

/** Somebody told by one channel. `recipient` is `user:<id>`, `person:<id>` or `house`. */
export interface Target {
  recipient: string
  channel: Channel
  /** The device; empty for channels without one. */
  address: string
}

export interface StoredDelivery extends Target {
  alertSeq: number
  round: number
  step: number
  state: DeliveryState
  attempts: number
  claim: number
  nextAttemptAtMs: number | null
  sentAtMs: number | null
  deliveredAtMs: number | null
  seenAtMs: number | null
  acknowledgedAtMs: number | null
  failure: string | null
}

/** What became of one attempt. */
export type Sent = { done: 'sent' | 'delivered' } | { failed: string; retryAtMs: number | null }

const COLUMNS = `d.alert_seq AS alertSeq, d.recipient, d.channel, d.address, d.round, d.step, d.state, d.attempts, d.claim,
    d.next_attempt_at AS nextAttemptAtMs, d.sent_at AS sentAtMs, d.delivered_at AS deliveredAtMs, d.seen_at AS seenAtMs,
    d.acknowledged_at AS acknowledgedAtMs, d.failure`
const KEY = `alert_seq = :alertSeq AND recipient = :recipient AND channel = :channel AND address = :address AND round = :round`
const OF_ALERT = `SELECT ${COLUMNS} FROM delivery d WHERE d.alert_seq = :alertSeq
  ORDER BY d.round, d.step, d.recipient, d.channel, d.address`
// Uses index delivery_due.
const DUE = `SELECT ${COLUMNS}, a.id AS alertId FROM delivery d JOIN alert a ON a.seq = d.alert_seq
  WHERE d.state = 'waiting' AND d.next_attempt_at <= :nowMs ORDER BY d.next_attempt_at, d.alert_seq LIMIT 200`
const ADD = `INSERT INTO delivery (alert_seq, recipient, channel, address, round, step, state, next_attempt_at)
  SELECT seq, :recipient, :channel, :address, :round, :step, 'waiting', :atMs FROM alert WHERE id = :alertId AND state = 'open'
  ON CONFLICT DO NOTHING`
const CLAIM = `UPDATE delivery SET state = 'claimed', claim = claim + 1, attempts = attempts + 1
  WHERE ${KEY} AND state = 'waiting' AND claim = :claim
    AND EXISTS (SELECT 1 FROM alert WHERE seq = :alertSeq AND state = 'open')`
const CONFIRM = `UPDATE delivery SET state = iif(state = 'claimed', :state, state), sent_at = coalesce(sent_at, :nowMs),
    delivered_at = iif(:state = 'delivered', coalesce(delivered_at, :nowMs), delivered_at), next_attempt_at = NULL,
    failure = NULL
  WHERE ${KEY} AND claim = :claim`
const FAIL = `UPDATE delivery SET state = :state, next_attempt_at = :retryAtMs, failure = :failure
  WHERE ${KEY} AND claim = :claim AND state = 'claimed'`
const DROP = `UPDATE delivery SET state = 'dropped', next_attempt_at = NULL
  WHERE alert_seq = (SELECT seq FROM alert WHERE id = :alertId) AND state = 'waiting'`
const ANSWERED = `UPDATE delivery SET acknowledged_at = coalesce(acknowledged_at, :nowMs),
    seen_at = coalesce(seen_at, :nowMs), delivered_at = coalesce(delivered_at, :nowMs), state = 'seen'
  WHERE alert_seq = (SELECT seq FROM alert WHERE id = :alertId) AND recipient = :recipient
    AND state IN ('claimed', 'sent', 'delivered', 'seen')`
const SEEN = `UPDATE delivery SET seen_at = coalesce(seen_at, :nowMs), delivered_at = coalesce(delivered_at, :nowMs),
    state = 'seen', next_attempt_at = NULL
  WHERE alert_seq = (SELECT seq FROM alert WHERE id = :alertId) AND recipient = :recipient
    AND (:channel IS NULL OR channel = :channel) AND state IN ('waiting', 'claimed', 'sent', 'delivered')`
const DELIVERED = `UPDATE delivery SET delivered_at = coalesce(delivered_at, :nowMs), state = 'delivered', next_attempt_at = NULL
  WHERE alert_seq = (SELECT seq FROM alert WHERE id = :alertId) AND recipient = :recipient AND channel = :channel
    AND state IN ('claimed', 'sent')`
const HOLD = `UPDATE delivery SET next_attempt_at = :untilMs
  WHERE alert_seq = (SELECT seq FROM alert WHERE id = :alertId) AND recipient = :recipient AND state = 'waiting'
    AND next_attempt_at < :untilMs`
const AGAIN = `INSERT INTO delivery (alert_seq, recipient, channel, address, round, step, state, next_attempt_at)
  SELECT d.alert_seq, d.recipient, d.channel, d.address, max(d.round) + 1, max(d.step), 'waiting', :untilMs
  FROM delivery d JOIN alert a ON a.seq = d.alert_seq AND a.id = :alertId
  WHERE d.recipient = :recipient
  GROUP BY d.alert_seq, d.recipient, d.channel, d.address
  HAVING sum(d.state = 'waiting') = 0`
const NUDGE = `UPDATE delivery SET next_attempt_at = :nowMs WHERE state = 'waiting' AND address = :address AND attempts > 0`
const RECOVER = `UPDATE delivery SET state = 'waiting', next_attempt_at = :nowMs
  WHERE state = 'claimed' AND channel <> 'speech'`
const UNCONFIRMED = `UPDATE delivery SET state = 'unconfirmed', next_attempt_at = NULL
  WHERE state = 'claimed' AND channel = 'speech'`

export type DueDelivery = StoredDelivery & { alertId: string }

export interface Outbox {
  ofAlert(alertSeq: number): StoredDelivery[]
  due(nowMs: number): DueDelivery[]
  /** Takes a delivery for sending; null when it is somebody else's or no longer wanted. */
  claim(delivery: DueDelivery): Promise<DueDelivery | null>
  settle(delivery: DueDelivery, sent: Sent, nowMs: number): Promise<void>
  /** What an earlier run had claimed and never settled: sent again where receivers know it again by id and step. */
  recover(nowMs: number): Promise<number>
  /** Tries what waits for this device now. */
  nudge(address: string, nowMs: number): Promise<void>
}

export function createOutbox(store: Pick<Store, 'all' | 'write'>): Outbox {
  return {
    ofAlert: (alertSeq) => store.all<StoredDelivery>(OF_ALERT, { alertSeq }),
    due: (nowMs) => store.all<DueDelivery>(DUE, { nowMs }),
    async claim(delivery) {
      const { claim, attempts } = delivery
      const [done] = await store.write([{ sql: CLAIM, params: { ...keyOf(delivery), claim } }])
      return done?.changes === 1 ? { ...delivery, claim: claim + 1, attempts: attempts + 1 } : null
    },
    async settle(delivery, sent, nowMs) {
      const params = { ...keyOf(delivery), claim: delivery.claim }
      if ('done' in sent) {
        await store.write([{ sql: CONFIRM, params: { ...params, state: sent.done, nowMs } }])
        return
      }
      const state = sent.retryAtMs === null ? 'failed' : 'waiting'
      const failure = sent.failed.slice(0, 200)
      await store.write([{ sql: FAIL, params: { ...params, state, retryAtMs: sent.retryAtMs, failure } }])
    },
    async recover(nowMs) {
      const [again, given] = await store.write([{ sql: RECOVER, params: { nowMs } }, { sql: UNCONFIRMED }])
      return (again?.changes ?? 0) + (given?.changes ?? 0)
    },
    async nudge(address, nowMs) {
      await store.write([{ sql: NUDGE, params: { address, nowMs } }])
    },
  }
}

/** The writes that other parts of an alert's unit bring along. */
export const deliveryWrites = {
  add(alertId: string, target: Target, at: { round: number; step: number; atMs: number }): Write {
    const { recipient, channel, address } = target
    return { sql: ADD, params: { alertId, recipient, channel, address, ...at } }
  },
  drop: (alertId: string): Write => ({ sql: DROP, params: { alertId } }),
  answered: (alertId: string, recipient: string, nowMs: number): Write => ({
    sql: ANSWERED,
    params: { alertId, recipient, nowMs },
  }),
  seen: (alertId: string, recipient: string, channel: Channel | null, nowMs: number): Write => ({
    sql: SEEN,
    params: { alertId, recipient, channel, nowMs },
  }),
  delivered: (alertId: string, recipient: string, channel: Channel, nowMs: number): Write => ({
    sql: DELIVERED,
    params: { alertId, recipient, channel, nowMs },
  }),
  /** Rings again for this recipient when the snooze is over. */
  snooze: (alertId: string, recipient: string, untilMs: number): Write[] => [
    { sql: HOLD, params: { alertId, recipient, untilMs } },
    { sql: AGAIN, params: { alertId, recipient, untilMs } },
  ],
}

function keyOf({ alertSeq, recipient, channel, address, round }: StoredDelivery) {
  return { alertSeq, recipient, channel, address, round }
}

export function deliveryView(row: StoredDelivery, nameOf: (by: string) => string | null): Delivery {
  const stamp = (atMs: number | null) => (atMs === null ? null : iso(atMs))
  const idIn = (kind: string) =>
    row.recipient.startsWith(`${kind}:`) ? row.recipient.slice(kind.length + 1) : null
  return {
    user_id: idIn('user'),
    person_id: idIn('person'),
    name: nameOf(row.recipient),
    channel: row.channel,
    device_id: row.address === '' ? null : row.address,
    step: row.step,
    round: row.round,
    state: row.state,
    attempts: row.attempts,
    next_attempt_at: stamp(row.nextAttemptAtMs),
    sent_at: stamp(row.sentAtMs),
    delivered_at: stamp(row.deliveredAtMs),
    seen_at: stamp(row.seenAtMs),
    acknowledged_at: stamp(row.acknowledgedAtMs),
    failure: row.failure,
  }
}
