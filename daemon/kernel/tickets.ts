/** Single-use secrets for links that a browser follows by itself, where no header can be sent. */
import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'
import { tokenHash } from './secrets.ts'

export interface Tickets<Value> {
  /** A fresh ticket for `value`, good once and for a few minutes. */
  issue(value: Value): string
  /** What the ticket was for; null when it is unknown, used or too old. It is used now. */
  take(ticket: string): Value | null
}

/** Beyond this the oldest is forgotten. */
const KEPT = 100

export function createTickets<Value>(clock: Pick<Clock, 'monotonic'>, liveMs: number): Tickets<Value> {
  const issued = new Map<string, { value: Value; untilMs: number }>()
  const keyOf = (ticket: string) => tokenHash(ticket).toString('hex')
  return {
    issue(value) {
      const ticket = randomBytes(32).toString('base64url')
      issued.set(keyOf(ticket), { value, untilMs: clock.monotonic() + liveMs })
      const oldest = issued.size > KEPT ? issued.keys().next() : null
      if (oldest && !oldest.done) issued.delete(oldest.value)
      return ticket
    },
    take(ticket) {
      const key = keyOf(ticket)
      const found = issued.get(key)
      issued.delete(key)
      return found && clock.monotonic() < found.untilMs ? found.value : null
    },
  }
}
