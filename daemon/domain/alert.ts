/** Alerts: what is told, to whom next, and when it is told again. */
import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { DATA_CLASSES } from './access.ts'
import { type DailyStretch, endOfStretch } from './group.ts'
import { Id } from './id.ts'

/** A tip is only shown; a warning keeps quiet hours; an urgent one never does and never ends by itself. */
export const ALERT_KINDS = ['tip', 'warning', 'urgent'] as const
export type AlertKind = (typeof ALERT_KINDS)[number]

export const ALERT_STATES = ['open', 'acknowledged', 'resolved', 'expired'] as const
export type AlertState = (typeof ALERT_STATES)[number]

export const CHANNELS = [
  ...(['app', 'watch', 'wall', 'house', 'ntfy', 'push', 'mail', 'webhook', 'speech'] as const),
] as const
export type Channel = (typeof CHANNELS)[number]

/** `unconfirmed`: the hub stopped in the middle of sending and this channel must not say things twice. */
export const DELIVERY_STATES = [
  'waiting',
  'claimed',
  'sent',
  'delivered',
  'seen',
  'failed',
  'unconfirmed',
  'dropped',
] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

const MINUTE_MS = 60_000
/** A warning that nobody answered is closed as unheard after this. */
export const WARNING_ENDS_MS = 24 * 60 * MINUTE_MS
const REPEAT_MS: readonly number[] = [5, 10, 20, 40, 60].map((minutes) => minutes * MINUTE_MS)
const RETRY_MS: readonly number[] = [5_000, 15_000, 30_000, 60_000, 120_000, 300_000]

export const Delivery = Type.Object(
  {
    user_id: Type.Union([Id, Type.Null()]),
    person_id: Type.Union([Id, Type.Null()]),
    name: Type.Union([Type.String(), Type.Null()]),
    channel: Type.Enum([...CHANNELS]),
    device_id: Type.Union([Id, Type.Null()]),
    step: Type.Integer(),
    round: Type.Integer(),
    state: Type.Enum([...DELIVERY_STATES]),
    attempts: Type.Integer(),
    next_attempt_at: Type.Union([Timestamp, Type.Null()]),
    sent_at: Type.Union([Timestamp, Type.Null()]),
    delivered_at: Type.Union([Timestamp, Type.Null()]),
    seen_at: Type.Union([Timestamp, Type.Null()]),
    acknowledged_at: Type.Union([Timestamp, Type.Null()]),
    failure: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
)
export type Delivery = Static<typeof Delivery>

export const Alert = Type.Object(
  {
    id: Id,
    person_id: Id,
    episode_id: Type.Union([Id, Type.Null()]),
    kind: Type.Enum([...ALERT_KINDS]),
    class: Type.Enum([...DATA_CLASSES]),
    title: Type.String(),
    message: Type.String(),
    source: Type.String(),
    data: Type.Record(Type.String(), Type.Unknown()),
    state: Type.Enum([...ALERT_STATES]),
    /** How many steps of the ladder were told. */
    step: Type.Integer(),
    round: Type.Integer(),
    next_step_at: Type.Union([Timestamp, Type.Null()]),
    acknowledged_at: Type.Union([Timestamp, Type.Null()]),
    acknowledged_by: Type.Union([Type.String(), Type.Null()]),
    acknowledged_by_name: Type.Union([Type.String(), Type.Null()]),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false },
)
export type Alert = Static<typeof Alert>

export const AlertWithDeliveries = Type.Object(
  { ...Alert.properties, deliveries: Type.Array(Delivery) },
  { additionalProperties: false },
)

/** Where an alert stands on its ladder. `step` is the next one to be told, `round` how often all were told again. */
export interface Progress {
  kind: AlertKind
  step: number
  round: number
}

/** What a due alert does: whom it tells, and when it is due again (null: never). */
export interface Climb {
  tell: 'step' | 'everybody' | 'nobody'
  step: number
  round: number
  nextAtMs: number | null
  /** Its time is over without an answer. */
  ends: boolean
}

/**
 * The next move of a due alert on a ladder of `steps` steps. A step that was missed while the hub was off is told at the next
 * look and the one after it gets its full time, so nobody on the ladder is skipped over.
 */
export function climb(progress: Progress, steps: number, stepMs: number, nowMs: number): Climb {
  const { kind, step, round } = progress
  if (kind === 'tip') return { tell: 'nobody', step, round, nextAtMs: null, ends: false }
  if (step < steps) {
    const isLast = step + 1 >= steps
    const waitMs = isLast ? afterLastStep(kind, 0) : stepMs
    return { tell: 'step', step: step + 1, round, nextAtMs: nowMs + waitMs, ends: false }
  }
  if (kind === 'urgent') {
    const next = round + 1
    return { tell: 'everybody', step, round: next, nextAtMs: nowMs + afterLastStep(kind, next), ends: false }
  }
  return { tell: 'nobody', step, round, nextAtMs: null, ends: true }
}

function afterLastStep(kind: AlertKind, round: number): number {
  if (kind !== 'urgent') return WARNING_ENDS_MS
  return REPEAT_MS[Math.min(round, REPEAT_MS.length - 1)] ?? MINUTE_MS
}

/** How long to wait before the next try after that many tries. */
export function retryAfterMs(attempts: number): number {
  return RETRY_MS[Math.min(Math.max(attempts, 1), RETRY_MS.length) - 1] ?? MINUTE_MS
}

/** What another side asks for is believed up to this. */
const RETRY_MOST_MS = 60 * MINUTE_MS

/** The same where the other side has said how long to wait. */
export function retryNoSoonerMs(attempts: number, askedMs: number): number {
  return Math.max(retryAfterMs(attempts), Math.min(askedMs, RETRY_MOST_MS))
}

/** A warning is tried this often on a channel; an urgent one as long as it is open. */
export const WARNING_TRIES = 8

/** How one recipient wants to be told. */
export interface Hearing {
  /** Hours in which warnings wait, on the recipient's wall clock. */
  quiet: DailyStretch | null
  zone: string
  /** This recipient wants no word about this person until then, and since which alert. */
  snooze: { untilMs: number; alertId: string } | null
}

/**
 * The earliest instant at which a recipient may be told. Quiet hours hold warnings and never urgent ones; a snooze holds
 * warnings and the alert it was asked for, so a new urgent one breaks through it.
 */
export function mayTellFromMs(
  { id, kind }: { id: string; kind: AlertKind },
  { quiet, zone, snooze }: Hearing,
  nowMs: number,
): number {
  let fromMs = nowMs
  if (snooze && snooze.untilMs > nowMs && (kind !== 'urgent' || snooze.alertId === id))
    fromMs = snooze.untilMs
  if (kind !== 'urgent' && quiet) fromMs = endOfStretch(quiet, fromMs, zone) ?? fromMs
  return fromMs
}
