/** How an alert climbs, put in the order in which a person reads it. */
import type { Alert, Delivery } from './answers.ts'

/** One who was told at one step, on all channels. */
export interface Told {
  who: string
  name: string | null
  isHouse: boolean
  deliveries: readonly Delivery[]
}

export interface Step {
  step: number
  round: number
  told: readonly Told[]
}

const MINUTE_MS = 60_000
/** A deadline further off than the longest step of a ladder is the end of a warning, not a call. */
const LONGEST_STEP_MS = 61 * MINUTE_MS

/** Steps in the order in which they were told; within one, people before the house. */
export function stepsOf(deliveries: readonly Delivery[]): Step[] {
  const steps = new Map<string, Delivery[]>()
  for (const delivery of deliveries) {
    const key = `${delivery.round} ${delivery.step}`
    steps.set(key, [...(steps.get(key) ?? []), delivery])
  }
  return [...steps.values()]
    .map((found) => ({ step: found[0]?.step ?? 0, round: found[0]?.round ?? 0, told: toldOf(found) }))
    .sort((a, b) => a.round - b.round || a.step - b.step)
}

function toldOf(deliveries: readonly Delivery[]): Told[] {
  const byWho = new Map<string, Delivery[]>()
  for (const delivery of deliveries) {
    const who = delivery.user_id ?? delivery.person_id ?? 'house'
    byWho.set(who, [...(byWho.get(who) ?? []), delivery])
  }
  return [...byWho]
    .map(([who, found]) => ({
      who,
      name: found[0]?.name ?? null,
      isHouse: who === 'house',
      deliveries: found,
    }))
    .sort((a, b) => Number(a.isHouse) - Number(b.isHouse))
}

/** What a delivery has come to and when; an answer says more than that it was seen. */
export function fateOf(delivery: Delivery): { word: Delivery['state'] | 'acknowledged'; at: string | null } {
  if (delivery.acknowledged_at !== null) return { word: 'acknowledged', at: delivery.acknowledged_at }
  const { state } = delivery
  const at =
    state === 'seen'
      ? delivery.seen_at
      : state === 'delivered'
        ? delivery.delivered_at
        : state === 'waiting'
          ? delivery.next_attempt_at
          : delivery.sent_at
  return { word: state, at }
}

/** One recipient on one channel over all rounds: when each stage was reached first. */
export interface Sight {
  key: string
  name: string | null
  isHouse: boolean
  channel: Delivery['channel']
  attempts: number
  /** Why the last try failed, while nothing got through. */
  failure: string | null
  at: Readonly<Record<'sent' | 'delivered' | 'seen' | 'acknowledged', string | null>>
}

/** People before the house, each in the order in which they were told. */
export function sightsOf(deliveries: readonly Delivery[]): Sight[] {
  const sights = new Map<string, Sight>()
  const ordered = [...deliveries].sort((a, b) => a.round - b.round || a.step - b.step)
  for (const one of ordered) {
    const who = one.user_id ?? one.person_id ?? 'house'
    const key = [who, one.channel, one.device_id].join(' ')
    const before = sights.get(key)
    const first = (stage: keyof Sight['at'], at: string | null) => earlier(before?.at[stage] ?? null, at)
    const sent = first('sent', one.sent_at)
    sights.set(key, {
      ...{ key, name: one.name, isHouse: who === 'house', channel: one.channel },
      attempts: (before?.attempts ?? 0) + one.attempts,
      failure: sent === null ? (one.failure ?? before?.failure ?? null) : null,
      at: {
        ...{ sent, delivered: first('delivered', one.delivered_at) },
        ...{ seen: first('seen', one.seen_at), acknowledged: first('acknowledged', one.acknowledged_at) },
      },
    })
  }
  return [...sights.values()].sort((a, b) => Number(a.isHouse) - Number(b.isHouse))
}

function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return Date.parse(one) <= Date.parse(other) ? one : other
}

/** What the clock of an open alert runs towards; null where nothing is planned. */
export function deadlineOf(
  { state, next_step_at: nextAt }: Pick<Alert, 'state' | 'next_step_at'>,
  nowMs: number,
): { kind: 'call'; leftMs: number } | { kind: 'end'; atMs: number } | null {
  if (state !== 'open' || nextAt === null) return null
  const atMs = Date.parse(nextAt)
  const leftMs = Math.max(0, atMs - nowMs)
  return leftMs > LONGEST_STEP_MS ? { kind: 'end', atMs } : { kind: 'call', leftMs }
}

/** `1:05` */
export function clockOf(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Puts what has just been heard of an alert in place of what was known; only open ones that ring are kept. */
export function withHeard(known: readonly Alert[], heard: Alert): Alert[] {
  const others = known.filter(({ id }) => id !== heard.id)
  return calling(heard) ? bySeverity([heard, ...others]) : others
}

export function calling({ state, kind }: Pick<Alert, 'state' | 'kind'>): boolean {
  return state === 'open' && kind !== 'tip'
}

/** Urgent ones first, then the newest. */
export function bySeverity(alerts: readonly Alert[]): Alert[] {
  return [...alerts].sort(
    (a, b) =>
      Number(b.kind === 'urgent') - Number(a.kind === 'urgent') ||
      Date.parse(b.created_at) - Date.parse(a.created_at),
  )
}

/** Whether this user's app was sent the alert and has not yet shown it. */
export function isUnshown(deliveries: readonly Delivery[], userId: string): boolean {
  return deliveries.some(
    ({ channel, user_id: to, state }) =>
      channel === 'app' &&
      to === userId &&
      (state === 'sent' || state === 'delivered' || state === 'claimed'),
  )
}

/** Whether this user's app is to be told again later, because they put it off. */
export function isPutOff(deliveries: readonly Delivery[], userId: string): boolean {
  return deliveries.some(
    ({ channel, user_id: to, state }) => channel === 'app' && to === userId && state === 'waiting',
  )
}
