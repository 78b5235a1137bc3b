/** Tells another program on the network about an alert by one POST, which it can recognise when it comes again. */
import { createHmac } from 'node:crypto'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface WebhookDeps {
  url: string
  /** Signs the body when it is not empty. */
  secret: string
  fetch: Fetch
}

const PATIENCE_MS = 10_000

/**
 * Sends `body` with its idempotency key; resolves once the other side has answered 2xx. With a secret the header
 * `x-homefield-signature` is `sha256=` and the HMAC-SHA256 of the body in hex. Redirects are not followed: whoever was named
 * in the settings is told, nobody else.
 */
export function createWebhook({ url, secret, fetch }: WebhookDeps) {
  return async (body: object, idempotencyKey: string): Promise<void> => {
    const text = JSON.stringify(body)
    const signature = secret === '' ? null : createHmac('sha256', secret).update(text).digest('hex')
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
        ...(signature !== null && { 'x-homefield-signature': `sha256=${signature}` }),
      },
      body: text,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`)
  }
}
