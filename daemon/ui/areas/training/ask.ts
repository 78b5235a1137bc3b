/** Asks the hub for what is no JSON: pictures and session descriptions, with the token of the moment. */
import { ApiError } from '../../net/api.ts'
import type { Session } from '../../net/session.ts'

export interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: string | Blob
  contentType?: string
  signal?: AbortSignal
}

/** Path below `/api/v1`. Throws ApiError for a refusal or a hub that does not answer; an abort stays an abort. */
export type Ask = (path: string, asked?: Asked) => Promise<Response>

export interface AskDeps {
  fetch: typeof fetch
  session: Pick<Session, 'freshToken'>
}

export function createAsk({ fetch, session }: AskDeps): Ask {
  return async (path, asked = {}) => {
    const first = await once(path, asked, await session.freshToken(false))
    const answer = first.status === 401 ? await once(path, asked, await session.freshToken(true)) : first
    if (!answer.ok) throw await refusal(answer)
    return answer
  }

  async function once(path: string, asked: Asked, token: string | null): Promise<Response> {
    const { method = 'GET', body, contentType, signal } = asked
    if (token === null) throw new ApiError('UNAUTHENTICATED', 'You are signed out.', 401)
    try {
      return await fetch(`/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(contentType !== undefined && { 'content-type': contentType }),
        },
        credentials: 'same-origin',
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
      })
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'AbortError') throw cause
      throw new ApiError('OFFLINE', cause instanceof Error ? cause.message : 'no answer')
    }
  }
}

async function refusal(answer: Response): Promise<ApiError> {
  const told = (await answer.json().catch(() => ({}))) as { error?: Partial<ApiError> }
  const { code = 'INTERNAL', message = `The hub answered ${answer.status}.`, details = [] } = told.error ?? {}
  return new ApiError(code, message, answer.status, details)
}

const SDP = 'application/sdp'

/** Sends an offer; answers the hub's description and how to end what it opened. */
export async function exchangeSdp(
  ask: Ask,
  path: string,
  offer: string,
): Promise<{ answer: string; end: () => void }> {
  const response = await ask(path, { method: 'POST', body: offer, contentType: SDP })
  const place = response.headers.get('location')?.replace(/^.*\/api\/v1/, '') ?? null
  return {
    answer: await response.text(),
    end() {
      // When the hub does not hear it, it notices by itself that nobody is there.
      if (place !== null) ask(place, { method: 'DELETE' }).catch(() => undefined)
    },
  }
}
