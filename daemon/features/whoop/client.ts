/** Speaks HTTP with WHOOP: time and size limits, its rate limit respected, its own failures tried again a few times. */
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'

export interface Answer {
  status: number
  body: unknown
}

export interface WhoopClient {
  /** One GET; rejects with RATE_LIMITED, OVERLOADED (WHOOP fails or is out of reach) or UNAUTHENTICATED (401). */
  get(path: string, token: string, signal?: AbortSignal): Promise<unknown>
  /** One POST of a form to the token route, never repeated: a refresh token works once. Rejects with OVERLOADED when nothing came back. */
  token(form: Readonly<Record<string, string>>): Promise<Answer>
  /** Takes the hub's permission back at WHOOP's; what becomes of it changes nothing here. */
  revoke(token: string): Promise<void>
}

export interface WhoopClientDeps {
  baseUrl: string
  fetch: typeof fetch
  clock: Pick<Clock, 'now' | 'after'>
}

const TIMEOUT_MS = 20_000
const BODY_BYTES = 4 * 1_048_576
const TRIES = 4
const FIRST_PAUSE_MS = 1000
/** A longer wait is left to the queue. */
const LONGEST_PAUSE_MS = 60_000
const USUAL_RETRY_AFTER_S = 60

export function createWhoopClient({ baseUrl, fetch, clock }: WhoopClientDeps): WhoopClient {
  let blockedUntilMs = 0

  async function send(
    path: string,
    init: RequestInit,
    signal?: AbortSignal,
  ): Promise<Answer & { retryAfterS: number }> {
    const timeout = new AbortController()
    const cancel = clock.after(TIMEOUT_MS, () => timeout.abort(new Error('WHOOP did not answer in time')))
    try {
      const answer = await fetch(new URL(path, baseUrl), {
        ...init,
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
      })
      const retryAfterS = retryAfter(answer.headers.get('retry-after'), clock.now())
      return { status: answer.status, body: await bodyOf(answer), retryAfterS }
    } finally {
      cancel()
    }
  }

  const pause = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const cancel = clock.after(ms, resolve)
      const stop = () => {
        cancel()
        reject(new Error('stopped'))
      }
      signal?.addEventListener('abort', stop, { once: true })
    })

  async function respectLimit(signal?: AbortSignal): Promise<void> {
    const waitMs = blockedUntilMs - clock.now()
    if (waitMs <= 0) return
    if (waitMs > LONGEST_PAUSE_MS) throw limited(Math.ceil(waitMs / 1000))
    await pause(waitMs, signal)
  }

  return {
    async get(path, token, signal) {
      let failure = 'nothing came back'
      for (let tries = 0; tries < TRIES; tries += 1) {
        if (tries > 0) await pause(FIRST_PAUSE_MS * 2 ** (tries - 1), signal)
        await respectLimit(signal)
        const answer = await send(path, { headers: { authorization: `Bearer ${token}` } }, signal).catch(
          (cause: unknown) => {
            signal?.throwIfAborted()
            return { status: 0, body: null, retryAfterS: 0, failure: messageOf(cause) }
          },
        )
        if (answer.status >= 200 && answer.status < 300) return answer.body
        if (answer.status === 401)
          throw new HubError('UNAUTHENTICATED', 'WHOOP did not take the access token.')
        if (answer.status === 429) blockedUntilMs = clock.now() + answer.retryAfterS * 1000
        else if (answer.status >= 400 && answer.status < 500)
          throw new HubError(
            'VALIDATION_ERROR',
            `WHOOP refused ${path.split('?', 1)[0]} with ${answer.status}.`,
          )
        failure = 'failure' in answer ? String(answer.failure) : `status ${answer.status}`
      }
      if (blockedUntilMs > clock.now()) throw limited(Math.ceil((blockedUntilMs - clock.now()) / 1000))
      throw new HubError('OVERLOADED', `WHOOP could not be reached (${failure}). It is tried again later.`)
    },
    async token(form) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const body = new URLSearchParams(form).toString()
      try {
        return await send('/oauth/oauth2/token', { method: 'POST', headers, body })
      } catch (cause) {
        throw new HubError('OVERLOADED', 'WHOOP could not be reached. It is tried again later.', { cause })
      }
    },
    async revoke(token) {
      const headers = { authorization: `Bearer ${token}` }
      await send('/developer/v2/user/access', { method: 'DELETE', headers }).catch(() => null)
    },
  }
}

/** Seconds, or an HTTP date. */
function retryAfter(header: string | null, nowMs: number): number {
  if (header === null) return USUAL_RETRY_AFTER_S
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - nowMs) / 1000
  return Number.isFinite(seconds) ? Math.min(Math.max(1, Math.ceil(seconds)), 86_400) : USUAL_RETRY_AFTER_S
}

async function bodyOf(answer: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > BODY_BYTES) throw new Error(`an answer is longer than ${BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return null
  }
}

function limited(retryAfterS: number): HubError {
  return new HubError('RATE_LIMITED', `WHOOP asks to wait ${retryAfterS} s.`, { retryAfterS })
}
